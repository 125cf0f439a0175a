import type { JemallocFigures, MemorySample, ProcessMemory } from '../model/memory-sample.js';
import type { JemallocStats, MemoryPeaks, MemoryRates, MemoryStats, ProcessStats } from '../model/memory-stats.js';

/** A sample, and what passed through jemalloc until then. */
export interface CountedSample extends MemorySample {
  readonly totals: { readonly allocatedBytes: number; readonly deallocatedBytes: number } | undefined;
}

/** From when growth is counted. */
export interface MemoryBaseline {
  readonly atMs: number;
  readonly monotonicMs: number;
  readonly residentBytes: number;
}

/** What statistics are made of. */
export interface StatsMaterial {
  readonly sample: CountedSample;
  /** The kernel's figures beyond those in the sample. */
  readonly kernel: ProcessMemory | undefined;
  readonly before: CountedSample | undefined;
  readonly baseline: MemoryBaseline | undefined;
  /** This sample's included. */
  readonly peaks: MemoryPeaks;
}

const MS_PER_HOUR = 3_600_000;

/** An hourly figure of less than this is chance. */
const SHORTEST_GROWTH_MS = 60_000;

const minus = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? undefined : a - b;

/** The part of `whole` that is not `used`, as a share; undefined of nothing. */
function shareBeyond(used: number | undefined, whole: number | undefined): number | undefined {
  return used === undefined || whole === undefined || whole <= 0 ? undefined : (whole - used) / whole;
}

function jemallocStats(figures: JemallocFigures, totals: CountedSample['totals']): JemallocStats {
  const { allocatedBytes, activeBytes, residentBytes, allocations, deallocations } = figures;
  return {
    allocatedBytes,
    activeBytes,
    residentBytes,
    mappedBytes: figures.mappedBytes,
    retainedBytes: figures.retainedBytes,
    metadataBytes: figures.metadataBytes,
    dirtyBytes: figures.dirtyBytes,
    muzzyBytes: figures.muzzyBytes,
    tcacheBytes: figures.tcacheBytes,
    fragmentation: shareBeyond(allocatedBytes, activeBytes),
    residentOverhead: shareBeyond(activeBytes, residentBytes),
    allocations,
    deallocations,
    allocationBytes: totals?.allocatedBytes,
    deallocationBytes: totals?.deallocatedBytes,
  };
}

/** Rates between two samples; undefined where no time passed. */
export function ratesBetween(before: CountedSample, after: CountedSample): MemoryRates | undefined {
  const overMs = after.monotonicMs - before.monotonicMs;
  if (!(overMs > 0)) return undefined;
  const perSecond = (difference: number | undefined) =>
    difference === undefined ? undefined : (difference * 1000) / overMs;
  const of = (name: 'allocations' | 'deallocations' | 'dirtyPurgedBytes') =>
    perSecond(minus(after.jemalloc?.[name], before.jemalloc?.[name]));
  return {
    overMs,
    allocationsPerSecond: of('allocations'),
    deallocationsPerSecond: of('deallocations'),
    allocatedBytesPerSecond: perSecond(minus(after.totals?.allocatedBytes, before.totals?.allocatedBytes)),
    deallocatedBytesPerSecond: perSecond(minus(after.totals?.deallocatedBytes, before.totals?.deallocatedBytes)),
    residentBytesPerSecond: perSecond(minus(after.process.residentBytes, before.process.residentBytes)),
    purgedBytesPerSecond: of('dirtyPurgedBytes'),
  };
}

/** Peaks of no sample. */
export const NO_PEAKS: MemoryPeaks = {
  residentBytes: undefined,
  allocatedBytes: undefined,
  activeBytes: undefined,
  dirtyBytes: undefined,
  heapUsedBytes: undefined,
  arrayBuffersBytes: undefined,
};

const larger = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);

/** The peaks when a sample has been added. */
export function raisePeaks(peaks: MemoryPeaks, { process: kernel, jemalloc, v8 }: MemorySample): MemoryPeaks {
  return {
    residentBytes: larger(peaks.residentBytes, kernel.residentBytes),
    allocatedBytes: larger(peaks.allocatedBytes, jemalloc?.allocatedBytes),
    activeBytes: larger(peaks.activeBytes, jemalloc?.activeBytes),
    dirtyBytes: larger(peaks.dirtyBytes, jemalloc?.dirtyBytes),
    heapUsedBytes: larger(peaks.heapUsedBytes, v8?.heapUsedBytes),
    arrayBuffersBytes: larger(peaks.arrayBuffersBytes, v8?.arrayBuffersBytes),
  };
}

function processStats({ sample, kernel, baseline }: StatsMaterial): ProcessStats {
  const residentBytes = sample.process.residentBytes ?? kernel?.residentBytes;
  const growthBytes = minus(residentBytes, baseline?.residentBytes);
  const sinceMs = baseline && sample.monotonicMs - baseline.monotonicMs;
  return {
    residentBytes,
    // Read apart: the kernel brings it up to date now and then, and it must not lie below what was just seen.
    peakResidentBytes:
      kernel?.peakResidentBytes === undefined ? undefined : larger(kernel.peakResidentBytes, residentBytes),
    virtualBytes: kernel?.virtualBytes,
    anonymousBytes: kernel?.anonymousBytes,
    fileBytes: kernel?.fileBytes,
    sharedMemoryBytes: kernel?.sharedMemoryBytes,
    swapBytes: kernel?.swapBytes,
    proportionalBytes: kernel?.proportionalBytes,
    threads: kernel?.threads,
    baselineBytes: baseline?.residentBytes,
    baselineAtMs: baseline?.atMs,
    growthBytes,
    growthBytesPerHour:
      growthBytes === undefined || sinceMs === undefined || sinceMs < SHORTEST_GROWTH_MS
        ? undefined
        : (growthBytes / sinceMs) * MS_PER_HOUR,
  };
}

/** Statistics of one moment, from a sample and what was seen before it. */
export function analyseMemoryStats(material: StatsMaterial): MemoryStats {
  const { sample, before, peaks } = material;
  const { v8 } = sample;
  return {
    atMs: sample.atMs,
    process: processStats(material),
    jemalloc: sample.jemalloc && jemallocStats(sample.jemalloc, sample.totals),
    v8: v8 && {
      heapTotalBytes: v8.heapTotalBytes,
      heapUsedBytes: v8.heapUsedBytes,
      externalBytes: v8.externalBytes,
      arrayBuffersBytes: v8.arrayBuffersBytes,
    },
    rates: before && ratesBetween(before, sample),
    peaks,
  };
}
