import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applySymbols } from '../../../src/model/apply-symbols.js';
import { frameAt, type HeapProfile, stackFrames } from '../../../src/model/heap-profile.js';
import type { FrameInput } from '../../../src/model/heap-profile-builder.js';
import { native, profileOf, profiles, script } from '../../support/heap-profiles.js';

const stacksOf = (profile: HeapProfile) =>
  Array.from({ length: profile.samples.count }, (_, sample) => ({
    names: Array.from(
      stackFrames(profile, profile.samples.stack[sample]!),
      (frame) => frameAt(profile, frame).name,
    ).join(' '),
    bytes: profile.samples.liveBytes[sample],
  }));

const UNCHANGED = { asLeaf: () => undefined, asCaller: () => undefined, notes: [] };

describe('applySymbols', () => {
  test('without symbols a profile without frames of the allocator stays the same', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        const same = applySymbols(profile, UNCHANGED);
        expect(stacksOf(same)).toEqual(stacksOf(profile));
        expect(same.capture).toEqual(profile.capture);
        expect(same.stacks).toEqual(profile.stacks);
      }),
    );
  });

  test('puts in what was inlined, by whether the frame allocates or calls', () => {
    const profile = profileOf([
      { frames: ['f', 'main'], bytes: 1 },
      { frames: ['g', 'f', 'main'], bytes: 2 },
    ]);
    const inlined = (name: string) => (frame: number) =>
      frameAt(profile, frame).name === 'f' ? [{ name }, { name: 'f' }] : undefined;
    const resolved = applySymbols(profile, { asLeaf: inlined('leaf'), asCaller: inlined('caller'), notes: [] });
    expect(stacksOf(resolved)).toEqual([
      { names: 'leaf f main', bytes: 1 },
      { names: 'g caller f main', bytes: 2 },
    ]);
  });

  test('drops the allocator’s frames and those they passed through, and joins what became the same', () => {
    const malloc = native('/lib/libjemalloc.so malloc', 'allocator');
    const work = native('/lib/libwork.so work');
    const profile = profileOf([
      { frames: [malloc, work], bytes: 1 },
      { frames: [native('/lib/libc.so helper', 'libc'), malloc, work], bytes: 2 },
      { frames: [script('f a.js:1'), malloc, work], bytes: 4 },
      { frames: [malloc, malloc], bytes: 8 },
    ]);
    const dropped = applySymbols(profile, UNCHANGED);
    expect(stacksOf(dropped)).toEqual([
      { names: 'work', bytes: 3 },
      { names: 'f malloc work', bytes: 4 },
      { names: 'malloc', bytes: 8 },
    ]);
    expect(Array.from({ length: dropped.frames.count }, (_, at) => frameAt(dropped, at).name)).not.toContain('helper');
  });

  test('takes any number of frames for one, and each frame is asked for once', () => {
    fc.assert(
      fc.property(profiles, fc.integer({ min: 1, max: 3000 }), (profile, many) => {
        const asked: number[] = [];
        const resolve = (frame: number): readonly FrameInput[] => {
          asked.push(frame);
          return Array.from({ length: many }, (_, at) => ({ name: `${frame}.${at}` }));
        };
        const resolved = applySymbols(profile, { ...UNCHANGED, asCaller: resolve });
        expect(asked.length).toBe(new Set(asked).size);
        const entries = (one: HeapProfile) => one.stacks.frames.length - one.stacks.count;
        const empty = (one: HeapProfile) =>
          one.stacks.offsets.filter((offset, at) => at > 0 && offset === one.stacks.offsets[at - 1]).length;
        expect(entries(resolved) + empty(resolved)).toBe((entries(profile) + empty(profile)) * many);
      }),
      { numRuns: 20 },
    );
  });

  test('adds notes once', () => {
    const profile = profileOf([], { notes: ['known'] });
    const { capture } = applySymbols(profile, { ...UNCHANGED, notes: ['known', 'new'] });
    expect(capture.notes).toEqual(['known', 'new']);
  });
});
