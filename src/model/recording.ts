import { DERIVED_COUNTERS, deriveCounters, MAIN_COUNTERS, type MainCounter } from './main-counters.js';
import { jemallocFigures, type MemorySample, type ProcessMemory, type V8Figures } from './memory-sample.js';

/** What the head of a recording says: who was recorded, where, and since when. */
export interface RecordingHead {
  readonly jemkitVersion: string;
  readonly pid: number;
  /** The program's name and script, without its other arguments: they may hold secrets. */
  readonly command: string;
  readonly startedAtMs: number;
  readonly intervalMs: number;
  readonly host: RecordedHost;
}

/** What of the machine a later reader has to know. */
export interface RecordedHost {
  readonly kernelRelease?: string | undefined;
  readonly distribution?: string | undefined;
  readonly architecture?: string | undefined;
  readonly processors?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly memoryLimitBytes?: number | undefined;
}

/** Something that happened between two samples. */
export type RecordingEvent = { readonly atMs: number } /** Somebody inside the process answers from now on. */ & (
  | { readonly kind: 'agent'; readonly jemallocVersion?: string | undefined }
  | { readonly kind: 'agent-lost' }
  /** The process became another program. */
  | { readonly kind: 'exec'; readonly command: string }
  | { readonly kind: 'end'; readonly reason: RecordingEnd; readonly exitCode?: number | undefined }
);

/** Why a recording ended in order: the process ended, its time was over, or its recorder was told to stop. */
export type RecordingEnd = 'target-ended' | 'duration' | 'stopped';

/** How the file ends. */
export type RecordingCompleteness =
  | { readonly kind: 'whole'; readonly reason: RecordingEnd }
  /** The recorder was ended before it could write the last record, or is still at work. */
  | { readonly kind: 'open' }
  /** Behind the last whole record stand bytes that are none: the disk was full, or the machine stopped. */
  | { readonly kind: 'cut'; readonly atByte: number; readonly lostBytes: number };

/** Who was recorded, what happened, and how many samples there are; the samples themselves are handed out one by one. */
export interface Recording {
  readonly head: RecordingHead;
  readonly events: readonly RecordingEvent[];
  readonly samples: number;
  readonly completeness: RecordingCompleteness;
}

/** Why a file is no recording that can be read. */
export type RecordingRefusal =
  | { readonly kind: 'not-a-recording'; readonly detail: string }
  | { readonly kind: 'newer-format'; readonly version: number; readonly known: number };

/** The counters that say nothing of memory: jemalloc's epoch, and those of the thread that happened to ask. */
const LEFT_OUT: readonly MainCounter[] = ['epoch', 'threadAllocatedBytes', 'threadDeallocatedBytes'];

/** Those that follow exactly from others are calculated when a recording is read. */
const DERIVED = new Set(DERIVED_COUNTERS);

const JEMALLOC_COLUMNS = MAIN_COUNTERS.filter((name, at) => !DERIVED.has(at) && !LEFT_OUT.includes(name));

const PROCESS_COLUMNS = [
  'residentBytes',
  'peakResidentBytes',
  'virtualBytes',
  'anonymousBytes',
  'fileBytes',
  'sharedMemoryBytes',
  'swapBytes',
  'proportionalBytes',
  'threads',
  'processorMs',
] as const satisfies readonly (keyof ProcessMemory)[];

const V8_COLUMNS = [
  'isolates',
  'heapTotalBytes',
  'heapUsedBytes',
  'externalBytes',
  'arrayBuffersBytes',
] as const satisfies readonly (keyof V8Figures)[];

/** The names of what is recorded of a sample beside its moment, in the order of a row. */
export const RECORDED_COLUMNS: readonly string[] = [
  ...PROCESS_COLUMNS.map((name) => `process.${name}`),
  ...JEMALLOC_COLUMNS.map((name) => `jemalloc.${name}`),
  ...V8_COLUMNS.map((name) => `v8.${name}`),
];

/**
 * Columns that mostly change as much as another one does (or, with a minus, as much the other way), by name: only the difference is
 * written. On a busy Node server this takes 10 of 54 bytes off a sample. A column that others follow follows none itself.
 */
export const FOLLOWED_COLUMNS: Readonly<Record<string, string>> = {
  'process.anonymousBytes': 'process.residentBytes',
  'jemalloc.allocatedBytes': 'jemalloc.smallAllocatedBytes',
  'jemalloc.residentBytes': 'jemalloc.mappedBytes',
  'jemalloc.retainedBytes': '-jemalloc.mappedBytes',
  'jemalloc.smallRequests': 'jemalloc.smallAllocations',
  'jemalloc.largeRequests': 'jemalloc.largeAllocations',
};

/** A sample's figures in the order of `RECORDED_COLUMNS`; NaN for what was not measured. */
export function rowOfSample({ process, jemalloc, v8 }: MemorySample, row: Float64Array): void {
  let at = 0;
  for (const name of PROCESS_COLUMNS) row[at++] = process[name] ?? Number.NaN;
  for (const name of JEMALLOC_COLUMNS) row[at++] = jemalloc?.[name] ?? Number.NaN;
  for (const name of V8_COLUMNS) row[at++] = v8?.[name] ?? Number.NaN;
}

/**
 * Makes samples of rows again. The columns are those of the file, which another version may have written: what this one does not
 * know is passed over, what the file does not have is undefined.
 */
export function openRowReader(
  columns: readonly string[],
): (row: Float64Array, atMs: number, monotonicMs: number) => MemorySample {
  const places = (part: string, names: readonly string[]) =>
    names.map((name) => [name, columns.indexOf(`${part}.${name}`)] as const).filter(([, at]) => at !== -1);
  const ofProcess = places('process', PROCESS_COLUMNS);
  const ofV8 = places('v8', V8_COLUMNS);
  const ofJemalloc = MAIN_COUNTERS.map((name) => columns.indexOf(`jemalloc.${name}`));
  return (row, atMs, monotonicMs) => {
    const process: Record<string, number> = {};
    for (const [name, at] of ofProcess) {
      const value = row[at];
      if (value !== undefined && !Number.isNaN(value)) process[name] = value;
    }
    return {
      atMs,
      monotonicMs,
      process: { residentBytes: undefined, ...process },
      jemalloc: readJemalloc(row, ofJemalloc),
      v8: readV8(row, ofV8),
    };
  };
}

function readJemalloc(row: Float64Array, places: readonly number[]): MemorySample['jemalloc'] {
  let measured = false;
  const counters = places.map((at) => {
    const value = at === -1 ? Number.NaN : (row[at] ?? Number.NaN);
    measured ||= !Number.isNaN(value);
    return value;
  });
  if (!measured) return undefined;
  deriveCounters(counters);
  return jemallocFigures(counters);
}

function readV8(row: Float64Array, places: ReadonlyArray<readonly [string, number]>): V8Figures | undefined {
  const figures: Record<string, number> = {};
  for (const [name, at] of places) {
    const value = row[at];
    // Every figure or none: half of V8's view would be taken for all of it.
    if (value === undefined || Number.isNaN(value)) return undefined;
    figures[name] = value;
  }
  return places.length === V8_COLUMNS.length ? (figures as unknown as V8Figures) : undefined;
}
