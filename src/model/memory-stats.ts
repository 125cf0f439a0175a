/** What {@link Memory.stats} gives. Bytes unless a name says otherwise; what was not measured is undefined, never 0. */
export interface MemoryStats {
  /** The moment, in milliseconds since 1970. */
  readonly atMs: number;
  readonly process: ProcessStats;
  /** Undefined where this process has no jemalloc. */
  readonly jemalloc: JemallocStats | undefined;
  /** Of the isolate of this thread: in a worker the worker's. Undefined where Node cannot tell (/proc is not mounted). */
  readonly v8: V8Stats | undefined;
  /** Changes since the sample before (the one the timer took last); undefined where there is none. */
  readonly rates: MemoryRates | undefined;
  /** The highest of the samples since the object was made: what happened between two samples was not seen. */
  readonly peaks: MemoryPeaks;
}

/** What the kernel says of the process. */
export interface ProcessStats {
  /** RSS. `/proc/self/statm`; elsewhere `process.memoryUsage.rss()`. */
  readonly residentBytes: number | undefined;
  /** The highest RSS since the program was started, as the kernel kept it (VmHWM): no sampling misses it. */
  readonly peakResidentBytes: number | undefined;
  /** VSS: address space, most of which is no memory. */
  readonly virtualBytes: number | undefined;
  /** RssAnon, RssFile and RssShmem, the three parts of RSS. */
  readonly anonymousBytes: number | undefined;
  readonly fileBytes: number | undefined;
  readonly sharedMemoryBytes: number | undefined;
  readonly swapBytes: number | undefined;
  /** PSS: each shared page divided by the number of processes that share it. Only where `proportional: true` asked for it. */
  readonly proportionalBytes: number | undefined;
  readonly threads: number | undefined;
  /** RSS at the first sample, or when `setBaseline()` was called, and that moment. */
  readonly baselineBytes: number | undefined;
  readonly baselineAtMs: number | undefined;
  /** RSS now less the baseline. */
  readonly growthBytes: number | undefined;
  /** The same by the hour; undefined in the first minute after the baseline, when it would be a figure of chance. */
  readonly growthBytesPerHour: number | undefined;
}

/** What jemalloc says: `stats.*` as of one epoch. */
export interface JemallocStats {
  /** What the program holds (`stats.allocated`). */
  readonly allocatedBytes: number | undefined;
  /** The pages in which it lies (`stats.active`). */
  readonly activeBytes: number | undefined;
  /** An upper bound of jemalloc's memory in RAM (`stats.resident`): 4 to 6 MB more than the kernel counts. */
  readonly residentBytes: number | undefined;
  readonly mappedBytes: number | undefined;
  /** Address space kept without memory behind it. */
  readonly retainedBytes: number | undefined;
  readonly metadataBytes: number | undefined;
  /** Unused pages that were touched, and are in RAM until they are purged. */
  readonly dirtyBytes: number | undefined;
  /** Unused pages that the kernel may take, and may have taken. */
  readonly muzzyBytes: number | undefined;
  /** Freed blocks in the caches of threads. */
  readonly tcacheBytes: number | undefined;
  /** (active − allocated) / active: the share of pages in use that holds nothing. 0 is none, 1 is all. */
  readonly fragmentation: number | undefined;
  /** (resident − active) / resident: metadata, dirty and muzzy pages. */
  readonly residentOverhead: number | undefined;
  /** Allocations and deallocations so far: those that reached an arena. */
  readonly allocations: number | undefined;
  readonly deallocations: number | undefined;
  /** Their bytes, to the size class: a request for 33 bytes counts 48. */
  readonly allocationBytes: number | undefined;
  readonly deallocationBytes: number | undefined;
}

/** `process.memoryUsage()` without RSS. */
export interface V8Stats {
  readonly heapTotalBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
}

/** Per second, between two samples. */
export interface MemoryRates {
  /** The time between them, in milliseconds. */
  readonly overMs: number;
  readonly allocationsPerSecond: number | undefined;
  readonly deallocationsPerSecond: number | undefined;
  readonly allocatedBytesPerSecond: number | undefined;
  readonly deallocatedBytesPerSecond: number | undefined;
  /** RSS: negative where it falls. */
  readonly residentBytesPerSecond: number | undefined;
  /** Dirty pages that were purged. */
  readonly purgedBytesPerSecond: number | undefined;
}

/** The highest of the samples. */
export interface MemoryPeaks {
  readonly residentBytes: number | undefined;
  readonly allocatedBytes: number | undefined;
  readonly activeBytes: number | undefined;
  readonly dirtyBytes: number | undefined;
  readonly heapUsedBytes: number | undefined;
  readonly arrayBuffersBytes: number | undefined;
}
