import { expect, test } from 'vitest';
import type { CaptureFacts } from '../../../src/model/heap-profile.js';
import { openProfileBuilder } from '../../../src/model/heap-profile-builder.js';
import { renderPprofText } from '../../../src/outputs/pprof-text.js';

const FACTS: CaptureFacts = {
  format: 'jemalloc heap_v2',
  takenAtMs: undefined,
  durationMs: undefined,
  pid: 7,
  program: undefined,
  nodeVersion: undefined,
  jemallocVersion: undefined,
  sampleBytes: 524_288,
  unwinder: 'jemkit',
  statistics: undefined,
  sizeClasses: undefined,
  notes: ['12 stacks were cut short.'],
};

test('stacks as Go writes them, the largest first', () => {
  const builder = openProfileBuilder();
  const malloc = builder.frame({ name: 'malloc', module: '/usr/lib/libc.so.6', address: 0x5f3c });
  const load = builder.frame({ name: 'loadCatalog', file: '/app/server.ts', line: 42, address: 2 ** 52 + 16 });
  const odd = builder.frame({ name: 'odd\n\tname', inlined: true });
  builder.sample({ stack: builder.stack([malloc, odd]), liveObjects: 1, liveBytes: 100 });
  builder.sample({ stack: builder.stack([malloc, load]), liveObjects: 2.4, liveBytes: 4096.4 });
  expect(renderPprofText(builder.build(FACTS)).split('\n')).toEqual([
    'heap profile: 3: 4196 [3: 4196] @ heap/524288',
    '2: 4096 [2: 4096] @ 0x5f3c 0x10000000000010',
    '#\t0x5f3c\tmalloc\t/usr/lib/libc.so.6',
    '#\t0x10000000000010\tloadCatalog\t/app/server.ts:42',
    '',
    '1: 100 [1: 100] @ 0x5f3c 0x0',
    '#\t0x5f3c\tmalloc\t/usr/lib/libc.so.6',
    '#\t0x0\todd??name (inlined)\t',
    '',
    '# 12 stacks were cut short.',
    '',
  ]);
});

test('an empty profile, and what was ever allocated', () => {
  const empty = openProfileBuilder();
  expect(renderPprofText(empty.build({ ...FACTS, sampleBytes: undefined, notes: [] }))).toBe(
    'heap profile: 0: 0 [0: 0] @ heap/1\n',
  );
  const builder = openProfileBuilder();
  builder.sample({
    stack: builder.stack([builder.frame({ name: 'f', address: 1 })]),
    liveObjects: 1,
    liveBytes: 10,
    allocatedObjects: 5,
    allocatedBytes: 50,
  });
  expect(renderPprofText(builder.build(FACTS))).toContain('1: 10 [5: 50] @ 0x1\n');
});
