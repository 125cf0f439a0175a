import type { BinStats } from '../model/allocator-stats.js';
import type { SizeClassUse, SizeClassWaste } from '../model/stats-report.js';

function useOf(bin: BinStats): SizeClassUse | undefined {
  const { sizeBytes, regionsPerSlab, slabBytes, regions, slabs } = bin;
  if (regions === undefined || slabs === undefined || slabs === 0) return undefined;
  const room = slabs * regionsPerSlab;
  const free = room - regions;
  return {
    sizeBytes,
    slabBytes,
    regionsPerSlab,
    regions,
    slabs,
    nonfullSlabs: bin.nonfullSlabs,
    usedBytes: regions * sizeBytes,
    utilization: free < 0 ? undefined : regions / room,
    wasteBytes: Math.max(0, free) * sizeBytes,
    requests: bin.requests,
  };
}

/** Where free regions lie between regions in use, by size class: pages that cannot be given back while a neighbour lives. */
export function analyseSizeClassWaste(bins: readonly BinStats[]): SizeClassWaste {
  const classes = bins.map(useOf).filter((use) => use !== undefined);
  const sum = (pick: (use: SizeClassUse) => number) => classes.reduce((total, use) => total + pick(use), 0);
  return {
    classes: classes.sort((a, b) => b.wasteBytes - a.wasteBytes || a.sizeBytes - b.sizeBytes),
    slabBytes: sum(({ slabs, slabBytes }) => slabs * slabBytes),
    usedBytes: sum(({ usedBytes }) => usedBytes),
    wasteBytes: sum(({ wasteBytes }) => wasteBytes),
  };
}
