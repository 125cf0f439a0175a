import fc from 'fast-check';
import { FRAME_KINDS, type HeapProfile, UNKNOWN_CAPTURE } from '../../src/model/heap-profile.js';
import { openProfileBuilder } from '../../src/model/heap-profile-builder.js';

const anyFrame = fc.record({
  name: fc.constantFrom('', 'a', 'b', 'c', 'd', '</script>'),
  file: fc.constantFrom('', '/srv/app/a.ts', 'file:///srv/node_modules/@x/y/lib/b.js', 'node:fs'),
  line: fc.integer({ min: 0, max: 3 }),
  functionLine: fc.integer({ min: 0, max: 2 }),
  functionColumn: fc.integer({ min: 0, max: 1 }),
  module: fc.constantFrom('', '/usr/lib/libz.so.1', '/usr/bin/node'),
  kind: fc.constantFrom(...FRAME_KINDS),
  address: fc.constantFrom(Number.NaN, 4096, 8192),
});

/** Profiles with few different frames, so that stacks meet, recur, and call themselves. */
export const anyProfile: fc.Arbitrary<HeapProfile> = fc
  .record({
    frames: fc.array(anyFrame, { minLength: 1, maxLength: 8 }),
    hasAllocated: fc.boolean(),
    samples: fc.array(
      fc.record({
        stack: fc.array(fc.nat(7), { maxLength: 9 }),
        thread: fc.constantFrom(undefined, 'main', 'worker'),
        liveObjects: fc.nat(1000),
        liveBytes: fc.nat(2 ** 30),
        allocatedBytes: fc.nat(2 ** 30),
        sampledObjects: fc.nat(50),
      }),
      { maxLength: 25 },
    ),
  })
  .map(({ frames, hasAllocated, samples }) => {
    const builder = openProfileBuilder();
    const numbers = frames.map((frame) => builder.frame(frame));
    for (const { stack, allocatedBytes, ...values } of samples)
      builder.sample({
        ...values,
        stack: builder.stack(stack.map((at) => numbers[at % numbers.length] ?? 0)),
        ...(hasAllocated ? { allocatedBytes, allocatedObjects: 1 } : {}),
      });
    return builder.build({ ...UNKNOWN_CAPTURE, format: 'test' });
  });
