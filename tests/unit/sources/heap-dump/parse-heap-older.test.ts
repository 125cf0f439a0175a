import { expect, test } from 'vitest';
import { frameAt, stackFrames } from '../../../../src/model/heap-profile.js';
import { parseHeapOlder } from '../../../../src/sources/heap-dump/parse-heap-older.js';
import { goldenBytes, totalsOf } from '../../../support/golden-profiles.js';

const parse = (text: string) => parseHeapOlder(Buffer.from(text));

test.each([
  ['heap_v2/4096', 4096],
  ['heap/8192', 4096],
  ['heapprofile', undefined],
])('%s is sampled each %s bytes', (type, sampleBytes) => {
  const profile = parse(
    `heap profile: 1: 2 [3: 4] @ ${type}\n 10: 1000 [20: 2000] @ 0x1 0x2 0x0\n\nMAPPED_LIBRARIES:\n`,
  );
  expect(profile.capture.sampleBytes).toBe(sampleBytes);
  const factor = sampleBytes === undefined ? 1 : 1 / (1 - Math.exp(-100 / sampleBytes));
  expect(totalsOf(profile).liveBytes).toBeCloseTo(1000 * factor, 3);
  expect(totalsOf(profile).allocatedBytes).toBeCloseTo(2000 * factor, 3);
  expect(stackFrames(profile, 0)).toHaveLength(2);
});

test('brackets that only repeat what is held are no record of allocations', () => {
  const profile = parse('heap profile: 1: 2 [1: 2] @ heap_v2/4096\n 1: 100 [1: 100] @ 0x1\n\nMAPPED_LIBRARIES:\n');
  expect(profile.samples.allocatedBytes).toBeUndefined();
});

test('the names in the text of Go are read, save of its runtime', () => {
  const profile = parseHeapOlder(goldenBytes('go/1.19.8/heap.txt'));
  const names = Array.from({ length: profile.frames.count }, (_, frame) => frameAt(profile, frame).name);
  for (const name of ['main.holdSixty', 'main.holdThirty', 'main.inlinedIntoHoldTen', 'main.holdTen', 'main.main']) {
    expect(names).toContain(name);
  }
  // Go leaves out the frames of its own runtime.
  expect(names).toContain('');
});

test.each([
  ['a half line', 'heap profile: 1: 2 [3: 4] @ heapprofile\n 1: 2 [3: 4] @ 0x12', /line 2: the profile is cut off/],
  ['no stack', 'heap profile: 1: 2 [3: 4] @ heapprofile\n 1: 2 [3: 4] 0x12\n', /received " 1: 2 \[3: 4\] 0x12"/],
  ['an unknown type', 'heap profile: 1: 2 [3: 4] @ contentionz\n', /this is no heap profile/],
])('%s is refused', (_, text, message) => {
  expect(() => parse(text)).toThrow(message);
});
