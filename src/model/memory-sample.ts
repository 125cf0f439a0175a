import { MAIN_COUNTERS, type MainCounter } from './main-counters.js';

/** One look at a process's memory. All in bytes unless a name says otherwise; what was not measured is undefined, never 0. */
export interface MemorySample {
  /** The moment, in milliseconds since 1970. */
  readonly atMs: number;
  /** The same on a clock that never jumps; comparable within one boot of the machine. */
  readonly monotonicMs: number;
  /** The kernel's view. */
  readonly process: ProcessMemory;
  /** The allocator's view; undefined where the process has no jemalloc, or nobody inside to ask. */
  readonly jemalloc: JemallocFigures | undefined;
  /** V8's view; undefined where nobody inside the process could be asked. */
  readonly v8: V8Figures | undefined;
}

/** What the kernel says of a process's memory (`/proc/PID/statm`, `status`, on request `smaps_rollup`). */
export interface ProcessMemory {
  readonly residentBytes: number | undefined;
  readonly peakResidentBytes?: number | undefined;
  readonly virtualBytes?: number | undefined;
  /** The three parts of RSS: RssAnon, RssFile, RssShmem. */
  readonly anonymousBytes?: number | undefined;
  readonly fileBytes?: number | undefined;
  readonly sharedMemoryBytes?: number | undefined;
  readonly swapBytes?: number | undefined;
  /** PSS: each shared page divided by the number of processes that share it. Costs milliseconds, so it is read on request only. */
  readonly proportionalBytes?: number | undefined;
  readonly threads?: number | undefined;
  /** Processor time of the whole process so far, in milliseconds. */
  readonly processorMs?: number | undefined;
}

/** V8's figures, summed over the isolates that could be asked. */
export interface V8Figures {
  readonly isolates: number;
  readonly heapTotalBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
}

/** jemalloc's main counters by name. */
export type JemallocFigures = Readonly<Record<MainCounter, number | undefined>>;

/** Names the numbers of a sampler's array (in the order of `MAIN_COUNTERS`). NaN, which is what jemalloc does not have, becomes undefined. */
export function jemallocFigures(counters: ArrayLike<number>): JemallocFigures {
  const figures: Partial<Record<MainCounter, number>> = {};
  MAIN_COUNTERS.forEach((name, at) => {
    const value = counters[at];
    if (value !== undefined && !Number.isNaN(value)) figures[name] = value;
  });
  return figures as Record<MainCounter, number | undefined>;
}
