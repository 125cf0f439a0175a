import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyseProfileFragmentation } from '../../../src/analyses/profile-fragmentation.js';
import type { SizeClassUse } from '../../../src/model/heap-profile.js';
import { native, profileOf, profiles, script } from '../../support/heap-profiles.js';

const SIZES: readonly SizeClassUse[] = [
  { sizeBytes: 64, slabBytes: 4096, regionsPerSlab: 64, regionsInUse: 6400, slabs: 100 },
  { sizeBytes: 320, slabBytes: 20_480, regionsPerSlab: 64, regionsInUse: 640, slabs: 100 },
  { sizeBytes: 1024, slabBytes: 4096, regionsPerSlab: 4, regionsInUse: 0, slabs: 0 },
];

const MALLOC = native('libc malloc', 'libc');

describe('analyseProfileFragmentation', () => {
  test('shares the waste of a class among the stacks that hold its survivors', () => {
    const profile = profileOf([
      { frames: [MALLOC, script('keep /app/a.js:1')], bytes: 480 * 321.5, objects: 480 },
      { frames: [MALLOC, script('other /app/b.js:2')], bytes: 160 * 300, objects: 160 },
      { frames: [MALLOC, script('full /app/c.js:3')], bytes: 6400 * 64, objects: 6400 },
      { frames: [MALLOC, script('large /app/d.js:4')], bytes: 2 ** 20, objects: 1 },
    ]);
    const report = analyseProfileFragmentation(profile, SIZES, 10);
    const waste = (6400 - 640) * 320;
    expect(report.wasteBytes).toBe(waste);
    expect(report.holders.map(({ owner, wasteBytes, sizeBytes }) => [owner.name, wasteBytes, sizeBytes])).toEqual([
      ['keep', waste * 0.75, 320],
      ['other', waste * 0.25, 320],
    ]);
    expect(report.unattributedBytes).toBe(0);
    expect(report.classes.map(({ sizeBytes }) => sizeBytes)).toEqual([320, 64]);
  });

  test('puts nobody’s objects down to nobody', () => {
    const profile = profileOf([{ frames: [script('keep /app/a.js:1')], bytes: 64 * 320, objects: 64 }]);
    const { holders, wasteBytes, unattributedBytes } = analyseProfileFragmentation(profile, SIZES, 10);
    expect(holders[0]?.wasteBytes).toBe(wasteBytes / 10);
    expect(unattributedBytes).toBe(wasteBytes * 0.9);
  });

  test('the parts make up the whole, and none is negative', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        const { holders, wasteBytes, unattributedBytes } = analyseProfileFragmentation(profile, SIZES, 1000);
        const held = holders.reduce((sum, holder) => sum + holder.wasteBytes, 0);
        expect(held + unattributedBytes).toBeCloseTo(wasteBytes);
        expect(holders.every((holder) => holder.wasteBytes >= 0)).toBe(true);
      }),
    );
  });
});
