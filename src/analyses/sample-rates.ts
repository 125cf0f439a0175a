import type { MemorySample } from '../model/memory-sample.js';
import type { SampleRates } from '../model/stats-report.js';

/** Undefined where the second look is not after the first. */
export function analyseSampleRates(before: MemorySample, after: MemorySample): SampleRates | undefined {
  const overMs = after.monotonicMs - before.monotonicMs;
  if (!(overMs > 0)) return undefined;
  const change = (pick: (sample: MemorySample) => number | undefined) => {
    const [from, to] = [pick(before), pick(after)];
    return from === undefined || to === undefined ? undefined : ((to - from) / overMs) * 1000;
  };
  // Counters of a fresh jemalloc under the same pid (after an exec) begin anew: such a step is no rate.
  const counted = (pick: (sample: MemorySample) => number | undefined) => {
    const rate = change(pick);
    return rate === undefined || rate < 0 ? undefined : rate;
  };
  const purged = ({ jemalloc }: MemorySample) =>
    jemalloc?.dirtyPurgedBytes === undefined ? undefined : jemalloc.dirtyPurgedBytes + (jemalloc.muzzyPurgedBytes ?? 0);
  const usedMs = counted(({ process: { processorMs } }) => processorMs);
  return {
    overMs,
    requestsPerSecond: counted(({ jemalloc }) => jemalloc?.requests),
    allocatedBytesPerSecond: change(({ jemalloc }) => jemalloc?.allocatedBytes),
    residentBytesPerSecond: change(({ process: { residentBytes } }) => residentBytes),
    purgedBytesPerSecond: counted(purged),
    processors: usedMs === undefined ? undefined : usedMs / 1000,
  };
}

/** The share of jemalloc's pages in use that holds nothing, (active − allocated) / active: 0 is none. */
export function fragmentationOf({ jemalloc }: Pick<MemorySample, 'jemalloc'>): number | undefined {
  const { allocatedBytes, activeBytes } = jemalloc ?? {};
  if (allocatedBytes === undefined || activeBytes === undefined || activeBytes === 0) return undefined;
  // The two are added up one after the other, over arenas that go on working.
  return Math.max(0, (activeBytes - allocatedBytes) / activeBytes);
}

/** The share of jemalloc's resident memory beyond the pages in use: dirty, muzzy and metadata. */
export function residentOverheadOf({ jemalloc }: Pick<MemorySample, 'jemalloc'>): number | undefined {
  const { activeBytes, residentBytes } = jemalloc ?? {};
  if (activeBytes === undefined || residentBytes === undefined || residentBytes === 0) return undefined;
  return Math.max(0, (residentBytes - activeBytes) / residentBytes);
}
