/** jemalloc's statistics as `malloc_stats_print` gives them as JSON. Undefined: this release does not have it, or it was not asked for. */
export interface AllocatorStats {
  /** As jemalloc writes it: `5.3.0-0-g54eaed1d…`. */
  readonly version: string | undefined;
  /** `config.*`: how the library was built. */
  readonly config: StatsSettings;
  /** `opt.*`: with which options it was started. */
  readonly options: StatsSettings;
  readonly pageBytes: number | undefined;
  /** `arenas.narenas`: the arenas there may be for threads, and those that were made; not all need to be in use. */
  readonly arenaLimit: number | undefined;
  /** What arenas made from now on begin with. */
  readonly newArenas: DecaySettings;
  readonly totals: StatsTotals | undefined;
  readonly backgroundThread: BackgroundThreadStats | undefined;
  /** Locks that all arenas share. */
  readonly mutexes: readonly MutexStats[];
  /** The sum over all arenas; where there is one arena, that. */
  readonly merged: ArenaStats | undefined;
  /** What the arenas that were destroyed have left. */
  readonly destroyed: ArenaStats | undefined;
  /** Each arena that is in use, by number. */
  readonly arenas: readonly NumberedArena[];
}

/** Settings by jemalloc's own names. */
export type StatsSettings = ReadonlyMap<string, string | number | boolean>;

/** How long unused pages are kept, in milliseconds; -1 is for ever, 0 not at all. */
export interface DecaySettings {
  readonly dirtyDecayMs: number | undefined;
  readonly muzzyDecayMs: number | undefined;
}

/** `stats.*` over everything, in bytes. */
export interface StatsTotals {
  readonly allocatedBytes: number | undefined;
  readonly activeBytes: number | undefined;
  readonly metadataBytes: number | undefined;
  readonly residentBytes: number | undefined;
  readonly mappedBytes: number | undefined;
  readonly retainedBytes: number | undefined;
}

/** `stats.background_thread.*` */
export interface BackgroundThreadStats {
  readonly threads: number | undefined;
  readonly runs: number | undefined;
  /** The mean time between two runs. */
  readonly runIntervalNs: number | undefined;
}

/** One arena, or the sum of several. */
export interface ArenaStats extends DecaySettings {
  /** Given by the program, from 5.3.1 on; jemalloc's own are called `auto_0`. */
  readonly name: string | undefined;
  readonly threads: number | undefined;
  readonly uptimeNs: number | undefined;
  readonly activeBytes: number | undefined;
  readonly dirtyBytes: number | undefined;
  readonly muzzyBytes: number | undefined;
  readonly dirtyPurges: PurgeStats;
  readonly muzzyPurges: PurgeStats;
  readonly small: AllocationStats;
  readonly large: AllocationStats;
  readonly mappedBytes: number | undefined;
  readonly retainedBytes: number | undefined;
  readonly baseBytes: number | undefined;
  readonly internalBytes: number | undefined;
  /** What threads keep for themselves; counted as allocated. */
  readonly tcacheBytes: number | undefined;
  readonly residentBytes: number | undefined;
  /** Undefined where the text has none, or does not say what sizes they are for. */
  readonly mutexes: readonly MutexStats[] | undefined;
  readonly bins: readonly BinStats[] | undefined;
  readonly largeExtents: readonly LargeExtentStats[] | undefined;
  /** Unused extents that jemalloc keeps, by size. */
  readonly extents: readonly ExtentStats[] | undefined;
  /** Undefined before 5.3.0. */
  readonly hugePages: HugePageStats | undefined;
}

/** One arena of its own. */
export interface NumberedArena extends ArenaStats {
  readonly index: number;
}

/** What went back to the system. */
export interface PurgeStats {
  readonly sweeps: number | undefined;
  readonly systemCalls: number | undefined;
  readonly bytes: number | undefined;
}

/** What was allocated in an arena. */
export interface AllocationStats {
  readonly allocatedBytes: number | undefined;
  /** Regions or extents taken from the arena; what a thread's cache answered is not among them. */
  readonly allocations: number | undefined;
  readonly deallocations: number | undefined;
  /** What the program asked for, caches included; they report when they next turn to their arena. */
  readonly requests: number | undefined;
}

/** A small size class. */
export interface BinStats {
  readonly sizeBytes: number;
  readonly regionsPerSlab: number;
  readonly slabBytes: number;
  readonly regions: number | undefined;
  readonly slabs: number | undefined;
  /** From 5.2.0 on. */
  readonly nonfullSlabs: number | undefined;
  readonly allocations: number | undefined;
  readonly deallocations: number | undefined;
  readonly requests: number | undefined;
  readonly fills: number | undefined;
  readonly flushes: number | undefined;
  readonly mutex: MutexStats | undefined;
}

/** A large size class. */
export interface LargeExtentStats {
  /** With `disable_large_size_classes` (the default from 5.3.1 on) the most that one of its extents has. */
  readonly sizeBytes: number;
  readonly extents: number | undefined;
}

/** Unused extents of a size. */
export interface ExtentStats {
  /** jemalloc's size of the row: the largest an extent in it has, or the smallest in a jemalloc without `cache_oblivious`. */
  readonly sizeBytes: number;
  readonly dirty: ExtentCount;
  readonly muzzy: ExtentCount;
  readonly retained: ExtentCount;
}

/** How many, and how large together. */
export interface ExtentCount {
  readonly extents: number | undefined;
  readonly bytes: number | undefined;
}

/** A lock and who waited for it. */
export interface MutexStats {
  readonly name: string;
  readonly operations: number | undefined;
  /** Times a thread had to sleep for it. */
  readonly waits: number | undefined;
  readonly spinAcquisitions: number | undefined;
  readonly ownerSwitches: number | undefined;
  readonly totalWaitNs: number | undefined;
  readonly maxWaitNs: number | undefined;
  readonly maxWaitingThreads: number | undefined;
}

/** The huge page allocator (HPA) of an arena. */
export interface HugePageStats {
  readonly purges: number | undefined;
  readonly hugifies: number | undefined;
  readonly dehugifies: number | undefined;
}
