/** Options of {@link Memory.optimize}. */
export interface OptimizeOptions {
  /**
   * `purge` (default) gives all of jemalloc's unused pages back to the kernel now; `decay` those that are due by the decay times;
   * `none` leaves jemalloc alone.
   */
  readonly how?: 'purge' | 'decay' | 'none' | undefined;
  /**
   * Two full collections of this thread's JavaScript heap first (default false): the second waits for what the first freed. JavaScript stands
   * still meanwhile, for tens of milliseconds to seconds, by the size of the heap.
   */
  readonly gc?: boolean | undefined;
}

/** What {@link Memory.optimize} did and what it brought. */
export interface OptimizeOutcome {
  /** `no-jemalloc`: this process has none, and only the collection was done, if that. */
  readonly kind: 'purged' | 'decayed' | 'no-jemalloc' | 'failed' | 'left-alone';
  readonly gc: 'done' | 'not-asked' | 'unavailable';
  /** RSS before and after (`/proc/self/statm`; elsewhere `process.memoryUsage.rss()`). */
  readonly residentBeforeBytes: number | undefined;
  readonly residentAfterBytes: number | undefined;
  /** By how much RSS fell; 0 where it did not, also where it rose meanwhile. Undefined where it could not be read. */
  readonly returnedBytes: number | undefined;
  readonly dirtyBeforeBytes: number | undefined;
  readonly dirtyAfterBytes: number | undefined;
  readonly muzzyBeforeBytes: number | undefined;
  readonly muzzyAfterBytes: number | undefined;
  /** How long it took, in milliseconds, during which JavaScript stood still. */
  readonly tookMs: number;
  /** One sentence for people: `24.1 MiB came back of RSS`, or why nothing did. */
  readonly summary: string;
}
