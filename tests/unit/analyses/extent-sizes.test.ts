import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyseExtentSizes } from '../../../src/analyses/extent-sizes.js';
import type { ArenaStats } from '../../../src/model/allocator-stats.js';
import { parseStatsJson } from '../../../src/sources/agent/parse-stats-json.js';
import { ROOT } from '../../support/programs.js';

const arena = (version: string) => {
  const text = readFileSync(join(ROOT, 'tests', 'golden', 'jemalloc-stats', version, 'threads.json'), 'utf8');
  return parseStatsJson(text).merged as ArenaStats;
};

describe.each(['5.2.1', '5.3.0', '5.3.1'])('jemalloc %s', (version) => {
  const merged = arena(version);
  const { unused, totals, held } = analyseExtentSizes(merged);

  test('only the sizes that there are, and their sums are the arenas’ own', () => {
    expect(unused?.length).toBeGreaterThan(0);
    expect(unused?.length).toBeLessThan(merged.extents?.length ?? 0);
    expect(totals.dirty.bytes).toBe(merged.dirtyBytes);
    expect(totals.muzzy.bytes).toBe(merged.muzzyBytes);
    expect(totals.retained.bytes).toBe(merged.retainedBytes);
  });

  test('large allocations that are held', () => {
    expect(held?.every(({ extents }) => (extents ?? 0) > 0)).toBe(true);
  });
});

test('a release that does not tell has no sums of nothing', () => {
  const { unused, totals } = analyseExtentSizes(arena('5.1.0'));
  expect(unused).toBeUndefined();
  expect(totals.dirty).toEqual({ extents: undefined, bytes: undefined });
});
