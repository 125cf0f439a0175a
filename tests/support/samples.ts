import fc from 'fast-check';
import { deriveCounters, MAIN_COUNTERS, type MainCounter } from '../../src/model/main-counters.js';
import { type JemallocFigures, jemallocFigures, type MemorySample } from '../../src/model/memory-sample.js';
import { openRowReader, RECORDED_COLUMNS, type RecordingHead } from '../../src/model/recording.js';

/** A head as `jem record` writes it. */
export const HEAD: RecordingHead = {
  jemkitVersion: '0.1.0',
  pid: 4711,
  command: 'node server.js',
  startedAtMs: 1_700_000_000_000,
  intervalMs: 1000,
  host: {
    kernelRelease: '6.1.0',
    distribution: 'Debian GNU/Linux 12 (bookworm)',
    architecture: 'x64',
    processors: 2,
    memoryBytes: 8 * 2 ** 30,
    memoryLimitBytes: undefined,
  },
};

/** A sample with RSS, and what is laid over it. */
export function sampleAt(
  second: number,
  residentBytes: number | undefined,
  more: Partial<MemorySample> = {},
): MemorySample {
  return {
    atMs: HEAD.startedAtMs + second * 1000,
    monotonicMs: 5_000_000 + second * 1000,
    process: { residentBytes },
    jemalloc: undefined,
    v8: undefined,
    ...more,
  };
}

/** jemalloc's figures as a sampler gives them where these counters have values and the rest is not measured. What they imply is calculated, but for what is named. */
export function sampledFigures(named: Partial<Record<MainCounter, number>>): JemallocFigures {
  const counters = MAIN_COUNTERS.map((name) => named[name] ?? Number.NaN);
  deriveCounters(counters);
  return jemallocFigures(counters.map((value, at) => named[MAIN_COUNTERS[at]!] ?? value));
}

/** jemalloc's figures as a recording gives them back, where these counters have values and all others another. */
export function figuresOf(named: Partial<Record<MainCounter, number>>, other = 0) {
  const values: Record<string, number> = { pageBytes: 4096, ...named };
  const row = RECORDED_COLUMNS.map((column) => values[column.replace(/^jemalloc\./, '')] ?? other);
  return openRowReader(RECORDED_COLUMNS)(Float64Array.from(row), 0, 0).jemalloc;
}

const figure = fc.oneof(
  { weight: 6, arbitrary: fc.nat(2 ** 24).map((pages) => pages * 4096) },
  { weight: 6, arbitrary: fc.maxSafeNat() },
  { weight: 3, arbitrary: fc.constant(Number.NaN) },
  { weight: 1, arbitrary: fc.double({ noNaN: true }).map((value) => value + 0) },
  { weight: 1, arbitrary: fc.integer({ min: -1_000_000, max: 1_000_000 }) },
);

/** Samples of any kind, as a recording holds them: derived counters follow from the others, and times are whole µs. */
export const anySamples: fc.Arbitrary<MemorySample[]> = fc
  .array(
    fc.record({
      row: fc.array(figure, { minLength: RECORDED_COLUMNS.length, maxLength: RECORDED_COLUMNS.length }),
      // Like the sample before it in most columns, as real ones are.
      kept: fc.array(fc.boolean(), { minLength: RECORDED_COLUMNS.length, maxLength: RECORDED_COLUMNS.length }),
      stepUs: fc.nat(10_000_000),
      jumpMs: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: -1e12, max: 1e12 })),
    }),
    { maxLength: 12 },
  )
  .map((steps) => {
    const toSample = openRowReader(RECORDED_COLUMNS);
    const row = new Float64Array(RECORDED_COLUMNS.length);
    let us = 123_456_789;
    let atMs = HEAD.startedAtMs;
    return steps.map((step) => {
      for (let column = 0; column < row.length; column++) {
        if (!step.kept[column]) row[column] = Object.is(step.row[column], -0) ? 0 : (step.row[column] ?? 0);
      }
      us += step.stepUs;
      atMs += Math.round(step.stepUs / 1000) + step.jumpMs;
      return toSample(row, atMs, us / 1000);
    });
  });
