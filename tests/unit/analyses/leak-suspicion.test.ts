import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyseLeakSuspicion } from '../../../src/analyses/leak-suspicion.js';
import { jemallocFigures, type MemorySample } from '../../../src/model/memory-sample.js';

const MIB = 2 ** 20;
const MINUTE_MS = 60_000;

/** What a process is made of, in MiB. */
interface Parts {
  native: number;
  buffers: number;
  heap: number;
  unusedActive: number;
  undecayed: number;
  outside: number;
}

const BASE: Parts = { native: 60, buffers: 30, heap: 50, unusedActive: 15, undecayed: 10, outside: 45 };

/** The same noise each time, between −0.5 and 0.5. */
const noise = (at: number) => {
  const value = Math.sin(at * 12.9898) * 43758.5453;
  return value - Math.floor(value) - 0.5;
};

function samplesOf(
  count: number,
  at: (minute: number) => Partial<Parts>,
  without: { jemalloc?: boolean; v8?: boolean } = {},
): MemorySample[] {
  return Array.from({ length: count }, (_, minute) => {
    const parts = { ...BASE, ...at(minute) };
    const shake = (value: number, salt: number) => (value + noise(minute * 7 + salt)) * MIB;
    const allocated = shake(parts.native + parts.buffers, 1);
    const active = allocated + shake(parts.unusedActive, 2);
    const dirty = shake(parts.undecayed, 3);
    const heap = shake(parts.heap, 4);
    const heapTotal = heap + 10 * MIB;
    return {
      atMs: minute * MINUTE_MS,
      monotonicMs: minute * MINUTE_MS,
      process: { residentBytes: active + dirty + heapTotal + shake(parts.outside, 5) },
      jemalloc: without.jemalloc
        ? undefined
        : { ...jemallocFigures([]), allocatedBytes: allocated, activeBytes: active, dirtyBytes: dirty, muzzyBytes: 0 },
      v8: without.v8
        ? undefined
        : {
            isolates: 1,
            heapTotalBytes: heapTotal,
            heapUsedBytes: heap,
            externalBytes: (parts.buffers + 2) * MIB,
            arrayBuffersBytes: parts.buffers * MIB,
          },
    };
  });
}

const HOURS = 120;

describe('one verdict each', () => {
  test.each([
    ['nothing grows', () => ({}), 'none', /^Nothing grows/],
    [
      'native memory',
      (m: number) => ({ native: 60 + m / 4 }),
      'native-growth',
      /^Native memory in use grows by 15 MiB an hour/,
    ],
    ['JavaScript objects', (m: number) => ({ heap: 50 + m / 4 }), 'v8', /^V8’s heap grows by 15 MiB an hour/],
    ['Buffers', (m: number) => ({ buffers: 30 + m / 4 }), 'v8', /^ArrayBuffers and Buffers grow by 15 MiB an hour/],
    [
      'partly used pages',
      (m: number) => ({ unusedActive: 15 + m / 4 }),
      'fragmentation',
      /^Pages that are only partly in use/,
    ],
    [
      'growing dirty pages',
      (m: number) => ({ undecayed: 10 + m / 4 }),
      'undecayed',
      /^Pages that jemalloc keeps for reuse grow/,
    ],
    ['many dirty pages that stay', () => ({ undecayed: 200 }), 'undecayed', /^200 MiB of \d+ MiB RSS are pages/],
    ['stacks and mapped files', (m: number) => ({ outside: 45 + m / 4 }), 'outside', /^Memory outside of jemalloc/],
    ['growth that ended', (m: number) => ({ native: 60 + Math.min(m, 40) }), 'none', /^Nothing grows/],
    ['memory that is freed', (m: number) => ({ native: 90 - m / 4 }), 'none', /^Nothing grows/],
    ['the faster of two', (m: number) => ({ native: 60 + m / 2, heap: 50 + m / 8 }), 'native-growth', /^Native memory/],
  ] as const)('%s', (_name, parts, kind, summary) => {
    const verdict = analyseLeakSuspicion(samplesOf(HOURS, parts));
    expect(verdict).toMatchObject({ kind, summary: expect.stringMatching(summary) });
  });
});

test('too early: says what is needed', () => {
  expect(analyseLeakSuspicion([])).toEqual({
    kind: 'too-early',
    summary: 'It is too early to tell: 20 samples over 20 minutes are needed, 0 were taken since the warm-up.',
    evidence: [],
  });
  const few = samplesOf(10, (minute) => ({ native: 60 + minute }));
  expect(analyseLeakSuspicion(few).kind).toBe('too-early');
  expect(analyseLeakSuspicion(few, undefined, { minimumSamples: 10, minimumSpanMs: 9 * MINUTE_MS }).kind).toBe(
    'native-growth',
  );
});

describe('a purge', () => {
  const growing = samplesOf(HOURS, (minute) => ({ native: 60 + minute / 4 }));
  const purge = (returned: number, minute = HOURS - 1) => ({
    monotonicMs: minute * MINUTE_MS,
    returnedBytes: returned * MIB,
  });

  test('that gives nothing back confirms the suspicion', () => {
    const { kind, summary } = analyseLeakSuspicion(growing, purge(0.4));
    expect(kind).toBe('native-growth');
    expect(summary).toContain('A purge gave back 0.4 MiB.');
  });

  test('that gives most of the growth back lifts it, where what is allocated does not explain it', () => {
    // RSS grows by far more than what is allocated, by pages that come and go.
    const samples = samplesOf(HOURS, (minute) => ({
      native: 60 + minute / 16,
      undecayed: 200 + minute / 6 + noise(minute) * 300,
    })).map((sample, minute) => ({ ...sample, process: { residentBytes: (300 + minute / 4) * MIB } }));
    expect(analyseLeakSuspicion(samples, purge(25))).toMatchObject({
      kind: 'undecayed',
      summary: expect.stringContaining('most of that came back by a purge'),
    });
    expect(analyseLeakSuspicion(samples, purge(5)).kind).toBe('native-growth');
    // Much was given back when hardly anything had grown.
    expect(analyseLeakSuspicion(samples, purge(25, -30)).kind).toBe('native-growth');
  });

  test('takes nothing back of what is allocated: a leak stays one, whatever else a purge gave back', () => {
    for (const minute of [1, HOURS / 2, HOURS - 1])
      expect(analyseLeakSuspicion(growing, purge(500, minute)).kind, `at minute ${minute}`).toBe('native-growth');
  });

  test('that was not done since the growth began is asked for', () => {
    expect(analyseLeakSuspicion(growing).summary).toContain('memory.optimize()');
    expect(analyseLeakSuspicion(growing, purge(500, -10)).summary).toContain('memory.optimize()');
  });
});

describe('what cannot be measured', () => {
  test('no jemalloc: RSS that grows beside a flat heap is outside, and why it is not told apart', () => {
    const verdict = analyseLeakSuspicion(samplesOf(HOURS, (m) => ({ native: 60 + m / 4 }), { jemalloc: true }));
    expect(verdict).toMatchObject({
      kind: 'outside',
      summary: expect.stringContaining('Without jemalloc it cannot be told'),
    });
    expect(verdict.evidence.map(({ part }) => part).sort()).toEqual(['array-buffers', 'resident', 'v8-heap']);
  });

  test('no jemalloc, and V8 grows', () => {
    expect(analyseLeakSuspicion(samplesOf(HOURS, (m) => ({ heap: 50 + m / 4 }), { jemalloc: true })).kind).toBe('v8');
  });

  test('no V8: a program that is not Node', () => {
    const verdict = analyseLeakSuspicion(samplesOf(HOURS, (m) => ({ native: 60 + m / 4 }), { v8: true }));
    expect(verdict.kind).toBe('native-growth');
    expect(verdict.evidence.some(({ part }) => part === 'v8-heap')).toBe(false);
  });
});

test('the evidence: each part with its slope, what grows fastest first', () => {
  const { evidence } = analyseLeakSuspicion(
    samplesOf(HOURS, (m) => ({ native: 60 + m / 4, unusedActive: 15 + m / 12 })),
  );
  expect(evidence.map(({ part }) => part).slice(0, 3)).toEqual(['resident', 'native', 'fragmentation']);
  expect(evidence).toHaveLength(7);
  for (const { trend } of evidence.slice(0, 3)) {
    expect(trend.lowBytesPerHour).toBeGreaterThan(0);
    expect(trend.lowBytesPerHour).toBeLessThanOrEqual(trend.bytesPerHour!);
    expect(trend.highBytesPerHour).toBeGreaterThanOrEqual(trend.bytesPerHour!);
  }
});

test('never throws, and never calls a flat line a leak', () => {
  const value = fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 2 ** 40 }));
  const flat = fc.record({
    process: fc.record({ residentBytes: value }),
    jemalloc: fc.option(
      fc.record({ allocatedBytes: value, activeBytes: value, dirtyBytes: value, muzzyBytes: value }),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(flat, fc.integer({ min: 0, max: 60 }), (still, count) => {
      const samples = Array.from({ length: count }, (_, minute) => ({
        atMs: minute,
        monotonicMs: minute * MINUTE_MS,
        process: still.process,
        jemalloc: still.jemalloc && { ...jemallocFigures([]), ...still.jemalloc },
        v8: undefined,
      }));
      expect(['none', 'undecayed', 'too-early']).toContain(analyseLeakSuspicion(samples).kind);
    }),
  );
});
