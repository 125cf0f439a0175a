import type { NumericName } from './mallctl-keys.js';

/** Index of `stats.arenas` that stands for the sum over all of them. */
const ALL = 'stats.arenas.4096';

/** The counters that a sample asks jemalloc for. Sums over arenas take two locks each, all others one or none. */
const ASKED = {
  epoch: 'epoch',
  allocatedBytes: 'stats.allocated',
  activeBytes: 'stats.active',
  metadataBytes: 'stats.metadata',
  residentBytes: 'stats.resident',
  mappedBytes: 'stats.mapped',
  retainedBytes: 'stats.retained',
  backgroundThreads: 'stats.background_thread.num_threads',
  backgroundRuns: 'stats.background_thread.num_runs',
  arenas: 'arenas.narenas',
  newArenaDirtyDecayMs: 'arenas.dirty_decay_ms',
  threadAllocatedBytes: 'thread.allocated',
  threadDeallocatedBytes: 'thread.deallocated',
  threads: `${ALL}.nthreads`,
  dirtyPages: `${ALL}.pdirty`,
  muzzyPages: `${ALL}.pmuzzy`,
  dirtySweeps: `${ALL}.dirty_npurge`,
  dirtyPurgedPages: `${ALL}.dirty_purged`,
  muzzyPurgedPages: `${ALL}.muzzy_purged`,
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

/** What never changes in a process, and is asked for once: what the counters in pages are multiplied with. */
const CONSTANT = { pageBytes: 'arenas.page' } as const satisfies Readonly<Record<string, NumericName>>;

type Known = Asked | keyof typeof CONSTANT;

/** What follows from two of them exactly, as jemalloc itself adds it up; asking for it would take the locks again. */
const DERIVED = {
  unusedActiveBytes: ['activeBytes', '-', 'allocatedBytes'],
  residentOverheadBytes: ['residentBytes', '-', 'activeBytes'],
  largeAllocatedBytes: ['allocatedBytes', '-', 'smallAllocatedBytes'],
  allocations: ['smallAllocations', '+', 'largeAllocations'],
  deallocations: ['smallDeallocations', '+', 'largeDeallocations'],
  requests: ['smallRequests', '+', 'largeRequests'],
  smallObjects: ['smallAllocations', '-', 'smallDeallocations'],
  largeObjects: ['largeAllocations', '-', 'largeDeallocations'],
  dirtyBytes: ['dirtyPages', '×', 'pageBytes'],
  muzzyBytes: ['muzzyPages', '×', 'pageBytes'],
  dirtyPurgedBytes: ['dirtyPurgedPages', '×', 'pageBytes'],
  muzzyPurgedBytes: ['muzzyPurgedPages', '×', 'pageBytes'],
} as const satisfies Readonly<Record<string, readonly [Known, '+' | '-' | '×', Known]>>;

/** The name of a main counter, with its unit. */
export type MainCounter = Known | keyof typeof DERIVED;

/** The names in the order of a sample's array. */
export const MAIN_COUNTERS = [ASKED, CONSTANT, DERIVED].flatMap(Object.keys) as readonly MainCounter[];

/** The keys of the first of them, in that order. */
export const MAIN_COUNTER_KEYS: readonly NumericName[] = Object.values(ASKED);

const position = (name: MainCounter) => MAIN_COUNTERS.indexOf(name);

/** Those that are asked for once, by position in the array. */
export const CONSTANT_COUNTERS = Object.entries(CONSTANT).map(([name, key]) => ({
  at: position(name as MainCounter),
  key,
}));

/** Where those stand that follow from others. */
export const DERIVED_COUNTERS = Object.keys(DERIVED).map((name) => position(name as MainCounter));

const STEPS = Object.values(DERIVED).map(([from, operation, and]) => ({
  from: position(from),
  operation,
  and: position(and),
}));

/** Calculates what follows from the others, in an array in the order of `MAIN_COUNTERS`. NaN where one of them is. It allocates nothing. */
export function deriveCounters(counters: { [at: number]: number }): void {
  for (let at = 0; at < STEPS.length; at++) {
    const { from, operation, and } = STEPS[at]!;
    const left = counters[from]!;
    const right = counters[and]!;
    counters[DERIVED_COUNTERS[at]!] =
      operation === '+' ? left + right : operation === '-' ? left - right : left * right;
  }
}
