import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  analyseMemoryStats,
  type CountedSample,
  NO_PEAKS,
  raisePeaks,
  ratesBetween,
} from '../../../src/analyses/memory-stats.js';
import type { MainCounter } from '../../../src/model/main-counters.js';
import { sampledFigures } from '../../support/samples.js';

/** A sample with these counters of jemalloc, or without jemalloc. */
function sampleAt(
  monotonicMs: number,
  residentBytes: number | undefined,
  counters?: Partial<Record<MainCounter, number>>,
  totals?: CountedSample['totals'],
): CountedSample {
  return {
    atMs: 1_700_000_000_000 + monotonicMs,
    monotonicMs,
    process: { residentBytes },
    jemalloc: counters && sampledFigures(counters),
    v8: { isolates: 1, heapTotalBytes: 40, heapUsedBytes: 30, externalBytes: 20, arrayBuffersBytes: 10 },
    totals,
  };
}

const COUNTERS = {
  allocatedBytes: 60,
  activeBytes: 80,
  residentBytes: 100,
  dirtyPages: 3,
  muzzyPages: 1,
  pageBytes: 4096,
  allocations: 1000,
  deallocations: 400,
} as const;

const material = { kernel: undefined, before: undefined, baseline: undefined, peaks: NO_PEAKS };

describe('statistics', () => {
  test('fragmentation and resident overhead are told apart, and pages are bytes', () => {
    const { jemalloc } = analyseMemoryStats({ ...material, sample: sampleAt(0, 500, COUNTERS) });
    expect(jemalloc).toMatchObject({
      fragmentation: 0.25,
      residentOverhead: 0.2,
      dirtyBytes: 12_288,
      muzzyBytes: 4096,
    });
  });

  test('what was not measured is undefined, never 0', () => {
    const { jemalloc, rates, process, peaks } = analyseMemoryStats({ ...material, sample: sampleAt(0, undefined) });
    expect(jemalloc).toBeUndefined();
    expect(rates).toBeUndefined();
    expect(Object.values(process)).toEqual(Object.values(process).map(() => undefined));
    expect(peaks.allocatedBytes).toBeUndefined();
    const bare = analyseMemoryStats({ ...material, sample: sampleAt(0, 1, { allocatedBytes: 5 }) }).jemalloc!;
    expect(bare).toMatchObject({ allocatedBytes: 5, fragmentation: undefined, allocationBytes: undefined });
  });

  test('an empty heap has no fragmentation', () => {
    const counters = { ...COUNTERS, allocatedBytes: 0, activeBytes: 0, residentBytes: 0 };
    const { jemalloc } = analyseMemoryStats({ ...material, sample: sampleAt(0, 500, counters) });
    expect(jemalloc).toMatchObject({ fragmentation: undefined, residentOverhead: undefined });
  });

  test('rates are differences by the second', () => {
    const before = sampleAt(1000, 5000, COUNTERS, { allocatedBytes: 10_000, deallocatedBytes: 4000 });
    const after = sampleAt(
      3000,
      4000,
      { ...COUNTERS, allocations: 1500, deallocations: 600 },
      { allocatedBytes: 30_000, deallocatedBytes: 5000 },
    );
    expect(ratesBetween(before, after)).toEqual({
      overMs: 2000,
      allocationsPerSecond: 250,
      deallocationsPerSecond: 100,
      allocatedBytesPerSecond: 10_000,
      deallocatedBytesPerSecond: 500,
      residentBytesPerSecond: -500,
      purgedBytesPerSecond: undefined,
    });
    expect(ratesBetween(before, before)).toBeUndefined();
  });

  test('growth is counted from the baseline, by the hour only after a minute', () => {
    const baseline = { atMs: 5, monotonicMs: 0, residentBytes: 1000 };
    const growth = (monotonicMs: number) =>
      analyseMemoryStats({ ...material, baseline, sample: sampleAt(monotonicMs, 1600) }).process;
    expect(growth(59_999)).toMatchObject({ growthBytes: 600, growthBytesPerHour: undefined, baselineBytes: 1000 });
    expect(growth(60_000)).toMatchObject({ growthBytes: 600, growthBytesPerHour: 36_000, baselineAtMs: 5 });
  });

  test("the kernel's peak never lies below what was just seen", () => {
    const kernel = { residentBytes: 400, peakResidentBytes: 450 };
    expect(analyseMemoryStats({ ...material, kernel, sample: sampleAt(0, 500) }).process.peakResidentBytes).toBe(500);
    expect(analyseMemoryStats({ ...material, kernel, sample: sampleAt(0, 420) }).process.peakResidentBytes).toBe(450);
  });

  test('peaks are the largest of what was measured', () => {
    const bytes = fc.option(fc.nat(), { nil: undefined });
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1 }), (values) => {
        const peaks = values.reduce((so, value) => raisePeaks(so, sampleAt(0, value)), NO_PEAKS);
        const measured = values.filter((value) => value !== undefined);
        expect(peaks.residentBytes).toBe(measured.length === 0 ? undefined : Math.max(...measured));
      }),
    );
  });
});
