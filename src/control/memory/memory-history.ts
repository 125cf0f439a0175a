import { type CountedSample, type MemoryBaseline, NO_PEAKS, raisePeaks } from '../../analyses/memory-stats.js';
import { analyseSeries, type TrendRequirement, timeToLimit } from '../../analyses/trend.js';
import type { MemoryHeadroom } from '../../model/memory-pressure.js';
import { jemallocFigures, type MemorySample } from '../../model/memory-sample.js';
import type { MemoryPeaks } from '../../model/memory-stats.js';
import type { MemoryTrend, SeriesTrend } from '../../model/memory-trend.js';
import { openSampleRing, type RingColumn, type RingRow } from './sample-ring.js';

/** What was seen of the process so far. */
export interface MemoryHistory {
  readonly last: CountedSample | undefined;
  readonly peaks: MemoryPeaks;
  readonly baseline: MemoryBaseline | undefined;
  add(sample: CountedSample): void;
  /** Counts a sample for the peaks, and does not keep it: those that are kept are evenly apart. */
  see(sample: MemorySample): void;
  /** Growth is counted from this sample on. */
  startFrom(sample: MemorySample): void;
  /** The slope of one series after the warm-up. */
  series(name: RingColumn): SeriesTrend | undefined;
  trend(limit: MemoryHeadroom | undefined): MemoryTrend;
  /** The samples after the warm-up, with what is kept of them. */
  samples(): MemorySample[];
}

const NO_JEMALLOC = jemallocFigures([]);

function rowOf({ atMs, monotonicMs, process, jemalloc, v8 }: MemorySample): RingRow {
  return {
    atMs,
    monotonicMs,
    residentBytes: process.residentBytes,
    processorMs: process.processorMs,
    allocatedBytes: jemalloc?.allocatedBytes,
    activeBytes: jemalloc?.activeBytes,
    jemallocResidentBytes: jemalloc?.residentBytes,
    mappedBytes: jemalloc?.mappedBytes,
    retainedBytes: jemalloc?.retainedBytes,
    metadataBytes: jemalloc?.metadataBytes,
    dirtyBytes: jemalloc?.dirtyBytes,
    muzzyBytes: jemalloc?.muzzyBytes,
    heapTotalBytes: v8?.heapTotalBytes,
    heapUsedBytes: v8?.heapUsedBytes,
    externalBytes: v8?.externalBytes,
    arrayBuffersBytes: v8?.arrayBuffersBytes,
  };
}

function sampleOf(row: RingRow): MemorySample {
  const { heapTotalBytes, heapUsedBytes, externalBytes, arrayBuffersBytes } = row;
  const { allocatedBytes, activeBytes, mappedBytes, retainedBytes, metadataBytes, dirtyBytes, muzzyBytes } = row;
  return {
    atMs: row.atMs!,
    monotonicMs: row.monotonicMs!,
    process: { residentBytes: row.residentBytes, processorMs: row.processorMs },
    jemalloc:
      allocatedBytes === undefined
        ? undefined
        : {
            ...NO_JEMALLOC,
            ...{ allocatedBytes, activeBytes, mappedBytes, retainedBytes, metadataBytes, dirtyBytes, muzzyBytes },
            residentBytes: row.jemallocResidentBytes,
          },
    v8:
      heapUsedBytes === undefined
        ? undefined
        : {
            isolates: 1,
            heapTotalBytes: heapTotalBytes!,
            heapUsedBytes,
            externalBytes: externalBytes!,
            arrayBuffersBytes: arrayBuffersBytes!,
          },
  };
}

/** Opens a history of `capacity` samples, whose trends leave out the first `warmUpMs`. */
export function openMemoryHistory(
  capacity: number,
  { warmUpMs, ...requirement }: TrendRequirement & { readonly warmUpMs: number },
): MemoryHistory {
  const ring = openSampleRing(capacity);
  let last: CountedSample | undefined;
  let peaks = NO_PEAKS;
  let baseline: MemoryBaseline | undefined;
  let warmAtMs = Number.POSITIVE_INFINITY;
  const startFrom = ({ atMs, monotonicMs, process: { residentBytes } }: MemorySample) => {
    if (residentBytes !== undefined) baseline = { atMs, monotonicMs, residentBytes };
  };
  const see = (sample: MemorySample) => {
    peaks = raisePeaks(peaks, sample);
  };
  const series = (name: RingColumn) => {
    if (ring.column(name).every(Number.isNaN)) return undefined;
    return analyseSeries(ring.column('monotonicMs', warmAtMs), ring.column(name, warmAtMs), requirement);
  };
  return {
    get last() {
      return last;
    },
    get peaks() {
      return peaks;
    },
    get baseline() {
      return baseline;
    },
    add(sample) {
      if (!last) warmAtMs = sample.monotonicMs + warmUpMs;
      if (!baseline) startFrom(sample);
      last = sample;
      see(sample);
      ring.push(rowOf(sample));
    },
    see,
    startFrom,
    series,
    trend(limit) {
      const resident = series('residentBytes');
      return {
        verdict: resident?.verdict ?? 'too early',
        resident,
        allocated: series('allocatedBytes'),
        active: series('activeBytes'),
        heapUsed: series('heapUsedBytes'),
        arrayBuffers: series('arrayBuffersBytes'),
        limit: resident && timeToLimit(resident, limit),
      };
    },
    samples: () =>
      ring
        .rows()
        .filter(({ monotonicMs }) => monotonicMs! >= warmAtMs)
        .map(sampleOf),
  };
}
