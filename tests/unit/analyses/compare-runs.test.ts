import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareFigures,
  compareRuns,
  DEMO_MARGINS,
  median,
  quantile,
  summariseRun,
} from '../../../src/analyses/compare-runs.js';
import type { DemoRun, DemoVariant } from '../../../src/model/demo.js';

const MIB = 2 ** 20;
const LABELS: Record<DemoVariant, string> = { system: 'glibc', jemalloc: 'jemalloc', 'tuned-glibc': 'tuned glibc' };

/** Ten seconds of load up to 250 MiB, four at `idle`, three at `settled`. */
function run(
  variant: DemoVariant,
  figures: { settled: number; idle?: number; peak?: number } & Partial<DemoRun>,
): DemoRun {
  const { settled, idle = 220, peak = 250, ...rest } = figures;
  const sample = (elapsedMs: number, mib: number) => ({ elapsedMs, residentBytes: mib * MIB });
  return {
    variant,
    label: LABELS[variant],
    environment: {},
    pid: 1,
    proof: { allocator: variant, version: undefined, how: [] },
    requests: 2000,
    failedRequests: 0,
    loadMs: 10_000,
    processorSeconds: 10,
    latenciesMs: Array.from({ length: 100 }, (_, i) => i + 1),
    residentSource: 'statm',
    samples: [
      ...Array.from({ length: 101 }, (_, i) => sample(i * 100, 100 + i * 1.5)),
      ...Array.from({ length: 40 }, (_, i) => sample(10_100 + i * 100, idle)),
      ...Array.from({ length: 30 }, (_, i) => sample(14_100 + i * 100, i < 15 ? idle : settled)),
    ],
    startResidentBytes: 90 * MIB,
    peakResidentBytes: peak * MIB,
    loadEndMs: 10_000,
    idleEndMs: 14_000,
    memory: { heapTotalBytes: 40 * MIB, heapUsedBytes: 5 * MIB, externalBytes: 50 * MIB },
    ...rest,
  };
}

describe('median and quantile', () => {
  it('takes the middle, and the nearest rank', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2);
    expect(
      quantile(
        Array.from({ length: 100 }, (_, i) => i + 1),
        0.99,
      ),
    ).toBe(99);
    expect(quantile([7], 0.99)).toBe(7);
  });

  it('gives nothing for nothing', () => {
    expect(median([])).toBeUndefined();
    expect(quantile([], 0.5)).toBeUndefined();
  });

  it('stays within the values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }),
        fc.double({ noNaN: true }),
        (values, share) => {
          const [low, high] = [Math.min(...values), Math.max(...values)];
          for (const value of [median(values), quantile(values, share)]) {
            expect(value).toBeGreaterThanOrEqual(low);
            expect(value).toBeLessThanOrEqual(high);
          }
        },
      ),
    );
  });
});

describe('summariseRun', () => {
  it('reads each phase from its own last second', () => {
    const summary = summariseRun(run('jemalloc', { settled: 144, idle: 190 }));
    expect(summary.peakBytes).toBe(250 * MIB);
    expect(summary.afterLoadBytes).toBe(250 * MIB);
    expect(summary.afterIdleBytes).toBe(190 * MIB);
    expect(summary.settledBytes).toBe(144 * MIB);
    expect(summary.knownBytes).toBe(90 * MIB);
    expect(summary.restBytes).toBe(54 * MIB);
    expect(summary.requestsPerSecond).toBe(200);
    expect(summary.processorMsPerRequest).toBe(5);
    expect(summary.p99LatencyMs).toBe(99);
  });

  it('leaves unmeasured what was not measured', () => {
    const summary = summariseRun(
      run('jemalloc', {
        settled: 1,
        samples: [],
        latenciesMs: [],
        requests: 0,
        loadMs: 0,
        processorSeconds: undefined,
        peakResidentBytes: undefined,
      }),
    );
    expect(summary.peakBytes).toBeUndefined();
    expect(summary.afterLoadBytes).toBeUndefined();
    expect(summary.afterIdleBytes).toBeUndefined();
    expect(summary.settledBytes).toBeUndefined();
    expect(summary.restBytes).toBeUndefined();
    expect(summary.processorMsPerRequest).toBeUndefined();
    expect(summary.medianLatencyMs).toBeUndefined();
  });
});

describe('compareFigures', () => {
  it('sees no difference inside the margin, and the same from both sides', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e12, noNaN: true }),
        fc.double({ min: 1, max: 1e12, noNaN: true }),
        (a, b) => {
          const there = compareFigures(a, b, 0.05)?.verdict;
          const back = compareFigures(b, a, 0.05)?.verdict;
          const mirrored = { less: 'more', more: 'less', 'no-difference': 'no-difference' } as const;
          // At the very edge the two divisions may round apart.
          if (Math.abs(Math.max(a / b, b / a) - 1.05) > 1e-9) expect(back).toBe(there && mirrored[there]);
        },
      ),
    );
    expect(compareFigures(104, 100, 0.05)?.verdict).toBe('no-difference');
  });

  it('compares nothing with nothing', () => {
    expect(compareFigures(undefined, 1, 0.1)).toBeUndefined();
    expect(compareFigures(1, undefined, 0.1)).toBeUndefined();
    expect(compareFigures(1, 0, 0.1)).toBeUndefined();
  });
});

describe('compareRuns', () => {
  it('says how much less jemalloc needs, and against tuned glibc too', () => {
    const { settled, sentences } = compareRuns([
      run('system', { settled: 224 }),
      run('jemalloc', { settled: 144 }),
      run('tuned-glibc', { settled: 170 }),
    ]);
    expect(settled?.verdict).toBe('less');
    expect(sentences[0]).toBe(
      'Memory at the end: 144 MiB under jemalloc, 224 MiB under glibc: jemalloc needs 36 % less for the same data.',
    );
    expect(sentences[1]).toContain('170 MiB under tuned glibc: jemalloc needs 15 % less');
    expect(sentences[2]).toBe('Peak under load: no difference that this run can show (under 10 %).');
    expect(sentences[3]).toBe(
      'Speed: no difference that this run can show in CPU time (under 20 %) and requests per second (under 35 %).',
    );
  });

  it('says so where jemalloc does not win', () => {
    const { sentences } = compareRuns([
      run('system', { settled: 150, peak: 200 }),
      run('jemalloc', { settled: 180, peak: 260, processorSeconds: 15, loadMs: 20_000 }),
    ]);
    expect(sentences[0]).toContain('jemalloc does not win here, it needs 20 % more');
    expect(sentences[1]).toBe('Peak under load: 30 % more under jemalloc than under glibc.');
    expect(sentences[2]).toBe(
      'Speed: jemalloc took 50 % more CPU time and answered 50 % fewer requests per second than glibc.',
    );
  });

  it('claims no difference inside the margin', () => {
    const { settled, sentences } = compareRuns([run('system', { settled: 150 }), run('jemalloc', { settled: 146 })]);
    expect(settled?.verdict).toBe('no-difference');
    expect(sentences[0]).toContain(`no difference that this run can show (under ${DEMO_MARGINS.settled * 100} %)`);
  });

  it('compares no speed of a short load', () => {
    const runs = [run('system', { settled: 150 }), run('jemalloc', { settled: 100, loadMs: 2000 })];
    const { processor, throughput, sentences } = compareRuns(runs);
    expect(processor).toBeUndefined();
    expect(throughput).toBeUndefined();
    expect(sentences.at(-1)).toBe('Speed: not compared, the load lasted 2.0 s only (at least 5 s are needed).');
  });

  it('tells of failed requests', () => {
    const { sentences } = compareRuns([
      run('system', { settled: 150 }),
      run('jemalloc', { settled: 146, failedRequests: 3 }),
    ]);
    expect(sentences.at(-1)).toContain('3 of 2000 under jemalloc');
  });

  it('compares nothing where a run is missing', () => {
    expect(compareRuns([]).sentences).toEqual([]);
    expect(compareRuns([run('jemalloc', { settled: 1 })]).settled).toBeUndefined();
  });
});
