import type { ArenaStats, ExtentCount } from '../model/allocator-stats.js';
import type { ExtentSizes } from '../model/stats-report.js';

const any = ({ extents, bytes }: ExtentCount) => (extents ?? 0) > 0 || (bytes ?? 0) > 0;

function add(counts: readonly ExtentCount[]): ExtentCount {
  const sum = (pick: (count: ExtentCount) => number | undefined) =>
    counts.reduce<number | undefined>((total, count) => {
      const value = pick(count);
      return total === undefined || value === undefined ? undefined : total + value;
    }, 0);
  return { extents: sum(({ extents }) => extents), bytes: sum(({ bytes }) => bytes) };
}

/** Sorts an arena's extents by size, the empty rows left out. */
export function analyseExtentSizes({
  extents,
  largeExtents,
}: Pick<ArenaStats, 'extents' | 'largeExtents'>): ExtentSizes {
  const total = (kind: 'dirty' | 'muzzy' | 'retained') =>
    extents === undefined ? { extents: undefined, bytes: undefined } : add(extents.map((row) => row[kind]));
  return {
    unused: extents?.filter(({ dirty, muzzy, retained }) => any(dirty) || any(muzzy) || any(retained)),
    totals: { dirty: total('dirty'), muzzy: total('muzzy'), retained: total('retained') },
    held: largeExtents?.filter((row) => (row.extents ?? 0) > 0),
  };
}
