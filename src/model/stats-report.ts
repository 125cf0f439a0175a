import type { AgentHello } from './agent.js';
import type {
  BackgroundThreadStats,
  ExtentCount,
  ExtentStats,
  LargeExtentStats,
  MutexStats,
} from './allocator-stats.js';
import type { MemorySample } from './memory-sample.js';

/** How well one small size class uses its slabs. */
export interface SizeClassUse {
  readonly sizeBytes: number;
  readonly slabBytes: number;
  readonly regionsPerSlab: number;
  readonly regions: number;
  readonly slabs: number;
  readonly nonfullSlabs: number | undefined;
  /** What the program (or a thread's cache) holds: regions × size. */
  readonly usedBytes: number;
  /** The share of the slabs' regions that are held, 0 to 1; undefined where the counters were read while they moved. */
  readonly utilization: number | undefined;
  /** Free regions in slabs that are kept for the others in them: (slabs × regions per slab − regions) × size. */
  readonly wasteBytes: number;
  readonly requests: number | undefined;
}

/** All small size classes together. */
export interface SizeClassWaste {
  /** Those that have slabs, the most wasteful first. */
  readonly classes: readonly SizeClassUse[];
  readonly slabBytes: number;
  readonly usedBytes: number;
  readonly wasteBytes: number;
}

/** A lock of jemalloc and what waiting for it cost. */
export interface MutexContention extends MutexStats {
  /** `global` is one for all, `arena` the same lock of every arena, `bin` that of one size class in every arena; added up. */
  readonly scope: 'global' | 'arena' | 'bin';
  /** The share of its operations for which a thread had to sleep, 0 to 1. */
  readonly waitShare: number | undefined;
}

/** What jemalloc keeps and what the program holds in pieces of at least a page, by size. */
export interface ExtentSizes {
  /** Unused extents, by size; only sizes that there are. Undefined where the release does not tell. */
  readonly unused: readonly ExtentStats[] | undefined;
  readonly totals: Readonly<Record<'dirty' | 'muzzy' | 'retained', ExtentCount>>;
  /** Large allocations that are held, by size class; only classes that there are. */
  readonly held: readonly LargeExtentStats[] | undefined;
}

/** What changed between two looks at a process, per second. Undefined: one of the two did not have it. */
export interface SampleRates {
  readonly overMs: number;
  /** What the program asked jemalloc for; threads' caches report when they next turn to their arena. */
  readonly requestsPerSecond: number | undefined;
  /** The growth of `stats.allocated`: negative where more is freed. */
  readonly allocatedBytesPerSecond: number | undefined;
  /** The growth of RSS. */
  readonly residentBytesPerSecond: number | undefined;
  /** Dirty and muzzy pages that went back to the system. */
  readonly purgedBytesPerSecond: number | undefined;
  /** Processor time of the whole process: 1 is one processor. */
  readonly processors: number | undefined;
}

/** The one thing to say about a process's memory, and where to look next. */
export interface StatsRemark {
  readonly id: 'undecayed' | 'fragmentation' | 'metadata' | 'v8' | 'elsewhere' | 'nothing';
  readonly text: string;
  /** A command to type. */
  readonly next: string;
}

/** The decay times of the arenas in use. */
export interface DecayRange {
  /** The shortest and the longest, in milliseconds; -1 is for ever. */
  readonly dirtyMs: readonly [number, number] | undefined;
  readonly muzzyMs: readonly [number, number] | undefined;
}

/** What the page of `jem stats` is made of. */
export interface StatsReport {
  readonly pid: number;
  /** The command line, shortened. */
  readonly name: string;
  readonly user: string | undefined;
  readonly sample: MemorySample;
  readonly agent: AgentHello;
  readonly fragmentation: number | undefined;
  readonly residentOverhead: number | undefined;
  readonly rates: SampleRates | undefined;
  readonly arenasInUse: number | undefined;
  /** `config.stats`: the library counts at all. */
  readonly countsKept: boolean | undefined;
  readonly backgroundThread: (BackgroundThreadStats & { readonly enabled: boolean | undefined }) | undefined;
  readonly decay: DecayRange;
  readonly tcache: { readonly enabled: boolean | undefined; readonly maxBytes: number | undefined };
  readonly waste: SizeClassWaste | undefined;
  readonly remark: StatsRemark | undefined;
}
