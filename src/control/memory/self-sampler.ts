import { type JemallocFigures, jemallocFigures, type MemorySample } from '../../model/memory-sample.js';
import { readInProcessJemalloc } from '../../native.js';
import { type AllocationTotals, openAllocationSampler } from '../../sources/mallctl/allocation-sampler.js';
import { openMallctlSampler } from '../../sources/mallctl/sampler.js';

/** A sample of this process, taken in this thread. */
export interface SelfSample extends MemorySample {
  /** What has passed through jemalloc so far; undefined for the first sample and without jemalloc. */
  readonly totals: AllocationTotals | undefined;
}

/** Takes samples of this process. */
export interface SelfSampler {
  sample(): SelfSample;
}

interface Counters {
  readonly counters: Float64Array;
  sample(): boolean;
  totals?(): AllocationTotals | undefined;
}

/** RSS and V8's figures in one call of 10 µs; undefined where /proc is not mounted. */
function readMemoryUsage(): NodeJS.MemoryUsage | undefined {
  try {
    return process.memoryUsage();
  } catch {
    return undefined;
  }
}

/**
 * Opens a sampler of this process. The first sample leaves out what passed through the size classes: asking for 340 counters takes
 * 3 ms to prepare, which is not to be paid where a process starts.
 */
export function openSelfSampler(): SelfSampler {
  // A jemalloc that is mapped and serves nobody has figures too, which are not this process's.
  let counters: Counters | undefined = readInProcessJemalloc()?.serves ? openMallctlSampler() : undefined;
  let taken = 0;
  const jemalloc = (): JemallocFigures | undefined =>
    counters?.sample() === true ? jemallocFigures(counters.counters) : undefined;
  return {
    sample() {
      if (counters && taken++ === 1) counters = openAllocationSampler() ?? counters;
      const [seconds, nanoseconds] = process.hrtime();
      const figures = jemalloc();
      const { user, system } = process.cpuUsage();
      const usage = readMemoryUsage();
      return {
        atMs: Date.now(),
        monotonicMs: seconds * 1000 + nanoseconds / 1e6,
        process: { residentBytes: usage?.rss, processorMs: (user + system) / 1000 },
        jemalloc: figures,
        v8: usage && {
          isolates: 1,
          heapTotalBytes: usage.heapTotal,
          heapUsedBytes: usage.heapUsed,
          externalBytes: usage.external,
          arrayBuffersBytes: usage.arrayBuffers,
        },
        totals: figures && counters?.totals?.(),
      };
    },
  };
}
