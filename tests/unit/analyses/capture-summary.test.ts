import { expect, test } from 'vitest';
import { summarizeCapture } from '../../../src/analyses/capture-summary.js';
import type { Frame } from '../../../src/model/heap-profile.js';
import { openProfileBuilder } from '../../../src/model/heap-profile-builder.js';
import { describeCapture } from '../../../src/outputs/text/capture-summary.js';

const FACTS = {
  format: 'test',
  takenAtMs: undefined,
  durationMs: undefined,
  pid: undefined,
  program: undefined,
  nodeVersion: undefined,
  jemallocVersion: undefined,
  sampleBytes: 524_288,
  unwinder: 'jemkit',
  statistics: undefined,
  sizeClasses: undefined,
  notes: [],
} as const;

/** A profile of stacks, the allocating function first, with what each holds. */
function profileOf(...stacks: (readonly [bytes: number, ...frames: Partial<Frame>[]])[]) {
  const builder = openProfileBuilder();
  for (const [liveBytes, ...frames] of stacks) {
    const stack = builder.stack(frames.map((frame) => builder.frame(frame)));
    builder.sample({ stack, liveObjects: 2, liveBytes, sampledObjects: 1 });
  }
  return builder.build(FACTS);
}

const js = (name: string) => ({ name, kind: 'javascript', address: Number.NaN }) as const;
const native = (name: string) => ({ name, kind: 'native', address: 4096 + name.length }) as const;

test('bytes count for JavaScript where their stack has a named function of it', () => {
  const summary = summarizeCapture(
    profileOf([300, native('alloc'), js('loadCatalog')], [100, native('alloc')], [100, native('alloc'), js('')]),
  );
  expect(summary).toMatchObject({ liveBytes: 500, liveObjects: 6, sampledObjects: 3, stacks: 3, javascriptShare: 0.6 });
});

test('a native stack counts as named by its allocating function, not by the bottom that all have', () => {
  const main = native('main');
  const malloc = { name: 'malloc', kind: 'allocator', address: 1 } as const;
  const summary = summarizeCapture(profileOf([300, malloc, native(''), main], [100, malloc, native('grow'), main]));
  expect(summary.namedShare).toBe(0.25);
});

test('of nothing there is no share', () => {
  const summary = summarizeCapture(profileOf());
  expect(summary).toMatchObject({ liveBytes: 0, javascriptShare: undefined, namedShare: undefined });
  expect(describeCapture(summary, true)).toBe(
    'nothing that is still held was sampled (one sample per 512 KiB allocated)',
  );
});

test('is told in a clause', () => {
  const summary = summarizeCapture(
    profileOf([3 * 2 ** 20, native('alloc'), js('loadCatalog')], [2 ** 20, native('alloc')]),
  );
  expect(describeCapture(summary, true)).toBe(
    'about 4.00 MiB held, estimated from 2 samples on 2 stacks, 75 % of the bytes with a JavaScript function',
  );
  expect(describeCapture({ ...summary, sampledObjects: undefined, namedShare: 0.9999 }, false)).toBe(
    'about 4.00 MiB held on 2 stacks, 100.0 % of the bytes with a named function',
  );
});
