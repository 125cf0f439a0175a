import { describe, expect, test } from 'vitest';
import { faultsOf, goldenProfiles, PARSERS, totalsOf } from '../../../support/golden-profiles.js';

const GOLDEN = goldenProfiles();

describe.each(GOLDEN)('$name', ({ name, bytes, format }) => {
  const profile = PARSERS[format](bytes);

  test('every number points to something', () => {
    expect(faultsOf(profile)).toEqual([]);
    expect(profile.samples.count).toBeGreaterThan(0);
    expect(totalsOf(profile).liveBytes).toBeGreaterThan(0);
  });

  test('holds what the program held', () => {
    const { liveBytes, allocatedBytes } = totalsOf(profile);
    if (/^jemalloc\/.*holders\.heap$/.test(name)) {
      // 9,000 blocks of the class 640, 900 of 3,072 and 9,000 of 112, and what freed 1,000 of 20,480.
      expect(liveBytes / (9000 * 640 + 900 * 3072 + 9000 * 112)).toBeCloseTo(1, 1);
      expect(allocatedBytes! / liveBytes).toBeGreaterThan(2.8);
    } else if (name.startsWith('gperftools/2.10/heap-profiler')) {
      expect(liveBytes).toBe(9_000_000);
      expect(allocatedBytes).toBe(29_000_000);
    } else if (name.startsWith('go/')) {
      expect(liveBytes / (6000 * 640 + 600 * 3072 + 6000 * 112)).toBeGreaterThan(0.85);
      expect(liveBytes / (6000 * 640 + 600 * 3072 + 6000 * 112)).toBeLessThan(1.15);
    } else if (name.startsWith('rust/')) {
      expect(liveBytes / (6000 * 640 + 6000 * 448)).toBeCloseTo(1, 0);
    } else if (name.includes('node.heap')) {
      expect(liveBytes).toBeGreaterThan(30e6);
    }
  });
});

test('there is a real file of each format', () => {
  expect([...new Set(GOLDEN.map(({ format }) => format))].sort()).toEqual(Object.keys(PARSERS).sort());
});
