import type { NumericName } from './mallctl-keys.js';

/** Index of `stats.arenas` that stands for the sum over all of them. */
const ALL = 'stats.arenas.4096';

/** The counters that a sample asks jemalloc for. Sums over arenas take two locks each, all others one or none. */
const ASKED = {
  epoch: 'epoch',
  allocatedBytes: 'stats.allocated',
  activeBytes: 'stats.active',
  metadataBytes: 'stats.metadata',
  metadataHugePages: 'stats.metadata_thp',
  residentBytes: 'stats.resident',
  mappedBytes: 'stats.mapped',
  retainedBytes: 'stats.retained',
  backgroundThreads: 'stats.background_thread.num_threads',
  backgroundRuns: 'stats.background_thread.num_runs',
  backgroundRunIntervalNs: 'stats.background_thread.run_interval',
  arenas: 'arenas.narenas',
  newArenaDirtyDecayMs: 'arenas.dirty_decay_ms',
  newArenaMuzzyDecayMs: 'arenas.muzzy_decay_ms',
  threadAllocatedBytes: 'thread.allocated',
  threadDeallocatedBytes: 'thread.deallocated',
  threadPeakBytes: 'thread.peak.read',
  threads: `${ALL}.nthreads`,
  dirtyPages: `${ALL}.pdirty`,
  muzzyPages: `${ALL}.pmuzzy`,
  dirtySweeps: `${ALL}.dirty_npurge`,
  dirtyPurgedPages: `${ALL}.dirty_purged`,
  muzzyPurgedPages: `${ALL}.muzzy_purged`,
  baseBytes: `${ALL}.base`,
  tcacheBytes: `${ALL}.tcache_bytes`,
  smallAllocatedBytes: `${ALL}.small.allocated`,
  smallAllocations: `${ALL}.small.nmalloc`,
  smallDeallocations: `${ALL}.small.ndalloc`,
  smallRequests: `${ALL}.small.nrequests`,
  largeAllocations: `${ALL}.large.nmalloc`,
  largeDeallocations: `${ALL}.large.ndalloc`,
  largeRequests: `${ALL}.large.nrequests`,
} as const satisfies Readonly<Record<string, NumericName>>;

type Asked = keyof typeof ASKED;

/** What follows from them exactly, as jemalloc itself adds it up; asking for it would take the locks again. */
const DERIVED = {
  unusedActiveBytes: { from: 'activeBytes', sign: -1, and: 'allocatedBytes' },
  residentOverheadBytes: { from: 'residentBytes', sign: -1, and: 'activeBytes' },
  largeAllocatedBytes: { from: 'allocatedBytes', sign: -1, and: 'smallAllocatedBytes' },
  internalBytes: { from: 'metadataBytes', sign: -1, and: 'baseBytes' },
  allocations: { from: 'smallAllocations', sign: 1, and: 'largeAllocations' },
  deallocations: { from: 'smallDeallocations', sign: 1, and: 'largeDeallocations' },
  requests: { from: 'smallRequests', sign: 1, and: 'largeRequests' },
} as const satisfies Readonly<Record<string, { readonly from: Asked; readonly sign: 1 | -1; readonly and: Asked }>>;

/** What never changes in a process, and is asked for once: what the counters in pages are multiplied with. */
const CONSTANT = { pageBytes: 'arenas.page' } as const satisfies Readonly<Record<string, NumericName>>;

/** The name of a main counter, with its unit. */
export type MainCounter = Asked | keyof typeof DERIVED | keyof typeof CONSTANT;

/** The names in the order of a sample's array. */
export const MAIN_COUNTERS = [ASKED, DERIVED, CONSTANT].flatMap(Object.keys) as readonly MainCounter[];

/** The keys of the first of them, in that order. */
export const MAIN_COUNTER_KEYS: readonly NumericName[] = Object.values(ASKED);

const position = (name: MainCounter) => MAIN_COUNTERS.indexOf(name);

/** Those that are asked for once, by position in the array. */
export const CONSTANT_COUNTERS = Object.entries(CONSTANT).map(([name, key]) => ({
  at: position(name as MainCounter),
  key,
}));

/** How the others follow, by positions in the array. */
export const DERIVED_COUNTERS = Object.entries(DERIVED).map(([name, { from, sign, and }]) => ({
  at: position(name as MainCounter),
  from: position(from),
  sign,
  and: position(and),
}));
