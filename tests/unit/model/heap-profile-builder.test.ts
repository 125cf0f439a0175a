import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameAt, stackFrames } from '../../../src/model/heap-profile.js';
import { openProfileBuilder } from '../../../src/model/heap-profile-builder.js';
import { faultsOf } from '../../support/golden-profiles.js';
import { CAPTURE } from '../../support/heap-profiles.js';

test('what is the same is kept once', () => {
  const builder = openProfileBuilder();
  const outer = builder.frame({ name: 'outer', file: 'a.js', line: 3 });
  const inner = builder.frame({ name: 'inner', address: 0x1234, kind: 'native' });
  expect(builder.frame({ file: 'a.js', name: 'outer', line: 3 })).toBe(outer);
  expect(builder.frame({ name: 'outer', file: 'a.js', line: 4 })).not.toBe(outer);
  expect(builder.frame({ name: 'outer', file: 'a.js', line: 3, position: 7 })).not.toBe(outer);
  const stack = builder.stack([inner, outer]);
  expect(builder.stack(Uint32Array.of(inner, outer))).toBe(stack);
  expect(builder.stack([outer, inner])).not.toBe(stack);
  expect(builder.string('outer')).toBe(builder.string('outer'));
  const profile = builder.build(CAPTURE);
  expect(Array.from(stackFrames(profile, stack))).toEqual([inner, outer]);
  expect(frameAt(profile, inner)).toEqual({
    name: 'inner',
    file: '',
    line: 0,
    column: 0,
    position: -1,
    functionLine: 0,
    functionColumn: 0,
    module: '',
    kind: 'native',
    inlined: false,
    address: 0x1234,
  });
  expect(faultsOf(profile)).toEqual([]);
});

test('samples of a stack and thread add up', () => {
  const builder = openProfileBuilder();
  const stack = builder.stack([builder.frame({ name: 'f' })]);
  builder.sample({ stack, thread: 'main', liveObjects: 1, liveBytes: 10, sampledObjects: 1 });
  builder.sample({ stack, thread: 'main', liveObjects: 2, liveBytes: 20, sampledObjects: 1 });
  builder.sample({ stack, thread: 'other', liveObjects: 4, liveBytes: 40 });
  const { samples } = builder.build(CAPTURE);
  expect(Array.from(samples.liveBytes)).toEqual([30, 40]);
  expect(Array.from(samples.sampledObjects)).toEqual([2, Number.NaN]);
  expect(samples.allocatedBytes).toBeUndefined();
});

test('a profile does not change by what is added after it', () => {
  const builder = openProfileBuilder();
  const stack = builder.stack([builder.frame({ name: 'f' })]);
  builder.sample({ stack, liveObjects: 1, liveBytes: 10 });
  const profile = builder.build(CAPTURE);
  builder.sample({ stack, liveObjects: 1, liveBytes: 10, allocatedObjects: 1, allocatedBytes: 10 });
  builder.frame({ name: 'g' });
  expect(Array.from(profile.samples.liveBytes)).toEqual([10]);
  expect(profile.frames.count).toBe(1);
});

test('stacks are told apart as their frames are, however many', () => {
  const stacks = fc.array(fc.array(fc.nat(5), { maxLength: 6 }), { maxLength: 3000, minLength: 1, size: 'max' });
  fc.assert(
    fc.property(stacks, (all) => {
      const builder = openProfileBuilder();
      for (let frame = 0; frame < 6; frame++) builder.frame({ address: frame + 1 });
      const numbers = all.map((stack) => builder.stack(stack));
      const expected = new Map<string, number>();
      for (const stack of all) if (!expected.has(stack.join())) expected.set(stack.join(), expected.size);
      expect(numbers).toEqual(all.map((stack) => expected.get(stack.join())));
    }),
    { numRuns: 20 },
  );
});
