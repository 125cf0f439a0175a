import type { MemorySample } from './memory-sample.js';

/** A figure of a sample that is drawn as a curve or watched against a limit. */
interface SeriesRow {
  /** How a curve is labelled. */
  readonly label: string;
  /** One line for help. */
  readonly doc: string;
  /** Who has to be asked for it. */
  readonly from: 'kernel' | 'jemalloc' | 'v8';
  /** In bytes; undefined where it was not measured. */
  readonly of: (sample: MemorySample) => number | undefined;
}

/** The figures by the names that `--series` and `--of` take, in the order of a legend. */
export const MEMORY_SERIES = {
  rss: { label: 'RSS', doc: 'resident memory', from: 'kernel', of: (sample) => sample.process.residentBytes },
  anon: { label: 'anonymous', doc: 'RssAnon', from: 'kernel', of: (sample) => sample.process.anonymousBytes },
  file: { label: 'files', doc: 'RssFile', from: 'kernel', of: (sample) => sample.process.fileBytes },
  shmem: { label: 'shared', doc: 'RssShmem', from: 'kernel', of: (sample) => sample.process.sharedMemoryBytes },
  swap: { label: 'swap', doc: 'swapped out', from: 'kernel', of: (sample) => sample.process.swapBytes },
  resident: {
    label: 'jemalloc resident',
    doc: "jemalloc's own upper bound of what is resident",
    from: 'jemalloc',
    of: ({ jemalloc }) => jemalloc?.residentBytes,
  },
  active: {
    label: 'active',
    doc: 'pages with allocations',
    from: 'jemalloc',
    of: ({ jemalloc }) => jemalloc?.activeBytes,
  },
  allocated: {
    label: 'allocated',
    doc: 'live allocations',
    from: 'jemalloc',
    of: ({ jemalloc }) => jemalloc?.allocatedBytes,
  },
  dirty: {
    label: 'dirty',
    doc: 'unused pages not given back',
    from: 'jemalloc',
    of: ({ jemalloc }) => jemalloc?.dirtyBytes,
  },
  muzzy: {
    label: 'muzzy',
    doc: 'unused pages given back lazily',
    from: 'jemalloc',
    of: ({ jemalloc }) => jemalloc?.muzzyBytes,
  },
  metadata: {
    label: 'metadata',
    doc: "jemalloc's own",
    from: 'jemalloc',
    of: ({ jemalloc }) => jemalloc?.metadataBytes,
  },
  retained: {
    label: 'retained',
    doc: 'address space kept without pages',
    from: 'jemalloc',
    of: ({ jemalloc }) => jemalloc?.retainedBytes,
  },
  heap: { label: 'V8 heap', doc: "V8's heap, in use or not", from: 'v8', of: ({ v8 }) => v8?.heapTotalBytes },
  'heap-used': { label: 'V8 heap used', doc: 'of it in use', from: 'v8', of: ({ v8 }) => v8?.heapUsedBytes },
  external: {
    label: 'V8 external',
    doc: 'native memory that JavaScript objects hold, ArrayBuffers included',
    from: 'v8',
    of: ({ v8 }) => v8?.externalBytes,
  },
  'array-buffers': {
    label: 'ArrayBuffers',
    doc: 'of it ArrayBuffers, and so Buffers',
    from: 'v8',
    of: ({ v8 }) => v8?.arrayBuffersBytes,
  },
} as const satisfies Readonly<Record<string, SeriesRow>>;

/** The name of a figure. */
export type MemorySeriesName = keyof typeof MEMORY_SERIES;

/** All names, in the order of a legend. */
export const MEMORY_SERIES_NAMES = Object.keys(MEMORY_SERIES) as readonly MemorySeriesName[];

/** What is drawn where nobody says otherwise. */
export const DEFAULT_SERIES: readonly MemorySeriesName[] = [
  'rss',
  'active',
  'allocated',
  'dirty',
  'heap',
  'external',
  'array-buffers',
];

/** True for a name of the table. */
export function isMemorySeries(name: string): name is MemorySeriesName {
  return Object.hasOwn(MEMORY_SERIES, name);
}
