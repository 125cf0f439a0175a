import { describe, expect, test } from 'vitest';
import { analyseProfileLifetimes, recentProfile } from '../../../src/analyses/profile-lifetimes.js';
import type { RecentAllocation } from '../../../src/model/recent-allocation.js';
import { renderProfileLifetimes } from '../../../src/outputs/profile/lifetimes-text.js';
import { profileOf, script } from '../../support/heap-profiles.js';

const KEEP = 2 ** 52 + 1;
const DROP = 2 ** 52 + 2;
const DUMP = profileOf([
  { frames: [{ ...script('keep /app/a.js:1'), address: KEEP }], bytes: 1 },
  { frames: [{ ...script('drop /app/a.js:9'), address: DROP }], bytes: 1 },
]);

const recent = (address: number, lifeMs?: number): RecentAllocation => ({
  bytes: 100,
  allocatedAtNs: 5e9,
  freedAtNs: lifeMs === undefined ? undefined : 5e9 + lifeMs * 1e6,
  freed: lifeMs !== undefined,
  trace: [0x1234, address],
});

describe('lifetimes', () => {
  const allocations = [recent(DROP, 20), recent(KEEP), recent(DROP, 40), recent(DROP, 3), recent(DROP)];

  test('by who asked for the memory, with names from the dump', () => {
    const { rows, ...rest } = analyseProfileLifetimes(allocations, recentProfile(allocations, DUMP), 'function');
    expect(rest).toEqual({ by: 'function', samples: 5, freed: 3 });
    expect(rows).toEqual([
      {
        name: 'drop',
        place: '/app/a.js:9',
        kind: 'javascript',
        samples: 4,
        bytes: 400,
        freed: 3,
        medianMs: 20,
        longestMs: 40,
      },
      {
        name: 'keep',
        place: '/app/a.js:1',
        kind: 'javascript',
        samples: 1,
        bytes: 100,
        freed: 0,
        medianMs: undefined,
        longestMs: undefined,
      },
    ]);
  });

  test('as text', () => {
    const report = analyseProfileLifetimes(allocations, recentProfile(allocations, DUMP), 'function');
    const style = { width: undefined, paint: (_: string, text: string) => text, folder: '/app' };
    expect(renderProfileLifetimes(report, 1, style)).toMatchInlineSnapshot(`
      "The latest 5 sampled allocations, 3 of them freed.
      Lives are of those that were freed. By default jemalloc’s clock for them ticks every few milliseconds (prof_time_resolution:high is exact).

      samples  bytes  freed  median life  longest  function
            4  400 B      3        20 ms    40 ms  drop a.js:9
      … and 1 more"
    `);
    expect(renderProfileLifetimes(analyseProfileLifetimes([], recentProfile([], DUMP), 'line'), 1, style)).toContain(
      'prof_recent_alloc_max',
    );
  });
});
