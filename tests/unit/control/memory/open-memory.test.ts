import { describe, expect, test } from 'vitest';
import type { CountedSample } from '../../../../src/analyses/memory-stats.js';
import type { Memory } from '../../../../src/control/memory/memory.js';
import { checkMemoryOptions, type MemoryOptions } from '../../../../src/control/memory/memory-options.js';
import { type MemoryWorld, openMemory } from '../../../../src/control/memory/open-memory.js';
import type { MemoryHeadroom, PressureEvent, PressureRung } from '../../../../src/model/memory-pressure.js';
import { jemallocFigures } from '../../../../src/model/memory-sample.js';
import type { MemoryTrend } from '../../../../src/model/memory-trend.js';
import type { OptimizeOutcome } from '../../../../src/model/optimize-outcome.js';
import type { TuningStep } from '../../../../src/model/tuning.js';
import { randomNumbers } from '../../../support/random-numbers.js';

const MIB = 2 ** 20;
const MINUTE = 60_000;

const OPTIMIZED: OptimizeOutcome = {
  kind: 'purged',
  gc: 'not-asked',
  residentBeforeBytes: 100,
  residentAfterBytes: 90,
  returnedBytes: 10,
  dirtyBeforeBytes: 10,
  dirtyAfterBytes: 0,
  muzzyBeforeBytes: 0,
  muzzyAfterBytes: 0,
  tookMs: 1,
  summary: '',
};

/** A process whose clock and memory the test moves. */
function openFakeWorld(residentAt: (minute: number) => number, { jemalloc = false } = {}) {
  const state = {
    nowMs: 0,
    timers: [] as { intervalMs: number; callback: () => void }[],
    closed: [] as string[],
    warnings: [] as string[],
    headroom: undefined as MemoryHeadroom | undefined,
    ladder: undefined as { watchOnly: boolean; emit: (event: PressureEvent) => void } | undefined,
    step: undefined as ((step: TuningStep) => void) | undefined,
    tunerFails: false,
    optimized: OPTIMIZED,
  };
  const closing = (name: string) => ({ close: () => void state.closed.push(name) });
  const world: MemoryWorld = {
    hasJemalloc: false,
    sample: (): CountedSample => ({
      atMs: state.nowMs,
      monotonicMs: state.nowMs,
      process: { residentBytes: residentAt(state.nowMs / MINUTE) },
      // All of RSS is allocated.
      jemalloc: jemalloc
        ? {
            ...jemallocFigures([]),
            allocatedBytes: residentAt(state.nowMs / MINUTE),
            activeBytes: residentAt(state.nowMs / MINUTE),
            dirtyBytes: 0,
          }
        : undefined,
      v8: undefined,
      totals: undefined,
    }),
    readProcess: ({ proportional }) => ({
      residentBytes: 1,
      peakResidentBytes: 999 * MIB,
      ...(proportional && { proportionalBytes: 7 }),
    }),
    readHeadroom: () => state.headroom,
    optimize: () => state.optimized,
    every(intervalMs, callback) {
      const timer = { intervalMs, callback };
      state.timers.push(timer);
      return {
        close() {
          state.timers = state.timers.filter((other) => other !== timer);
          state.closed.push('timer');
        },
      };
    },
    warn: (code, message) => void state.warnings.push(`${code}: ${message.split('\n')[0]}`),
    openTuner(onStep) {
      if (state.tunerFails) throw new Error('no tuner');
      state.step = onStep;
      return closing('tuner');
    },
    openLadder(watchOnly, emit) {
      state.ladder = { watchOnly, emit };
      return closing('ladder');
    },
    allocatorInfo: (asked) => asked as never,
    hold: () => [closing('held')],
  };
  /** Lets time pass in steps of the timer. */
  const wait = (steps: number, stepMs = MINUTE) => {
    for (let at = 0; at < steps; at++) {
      state.nowMs += stepMs;
      for (const { callback } of [...state.timers]) callback();
    }
  };
  const open = (options: MemoryOptions = {}) => openMemory(checkMemoryOptions(options), world);
  return { state, wait, open };
}

describe('sampling', () => {
  test('is one at once and one per interval, each told', () => {
    const { state, wait, open } = openFakeWorld(() => 100 * MIB);
    const memory = open();
    const seen: number[] = [];
    memory.on('sample', ({ monotonicMs }) => seen.push(monotonicMs));
    expect(state.timers).toMatchObject([{ intervalMs: MINUTE }]);
    wait(3);
    expect(seen).toEqual([MINUTE, 2 * MINUTE, 3 * MINUTE]);
  });

  test('without an interval, stats() takes the samples', () => {
    const { state, open } = openFakeWorld((minute) => (100 + minute) * MIB);
    const memory = open({ memoryStatsInterval: 0, trend: { warmUpMs: 0, minimumSpanMs: 0 } });
    expect(state.timers).toEqual([]);
    for (let at = 0; at < 40; at++) {
      state.nowMs += MINUTE;
      memory.stats();
    }
    expect(memory.trend().resident).toMatchObject({ verdict: 'growing', samples: 41 });
  });

  test('stats() between two samples changes no trend, and is seen by the peaks', () => {
    let residentBytes = 100 * MIB;
    const { wait, open } = openFakeWorld(() => residentBytes);
    const memory = open({ trend: { warmUpMs: 0, minimumSpanMs: 0 } });
    wait(1);
    residentBytes = 500 * MIB;
    expect(memory.stats()).toMatchObject({ process: { residentBytes: 500 * MIB, growthBytes: 400 * MIB } });
    residentBytes = 100 * MIB;
    wait(1);
    expect(memory.trend().resident?.samples).toBe(3);
    expect(memory.stats().peaks.residentBytes).toBe(500 * MIB);
    expect(memory.stats()).toMatchObject({
      process: { peakResidentBytes: 999 * MIB, proportionalBytes: undefined },
      jemalloc: undefined,
      v8: undefined,
    });
    expect(memory.stats({ proportional: true }).process.proportionalBytes).toBe(7);
  });

  test('the baseline is the first sample, until it is set anew', () => {
    const { state, wait, open } = openFakeWorld((minute) => (100 + minute) * MIB);
    const memory = open();
    wait(10);
    expect(memory.stats().process).toMatchObject({
      baselineBytes: 100 * MIB,
      growthBytes: 10 * MIB,
      growthBytesPerHour: 60 * MIB,
    });
    memory.setBaseline();
    expect(memory.stats().process).toMatchObject({
      baselineBytes: 110 * MIB,
      growthBytes: 0,
      baselineAtMs: state.nowMs,
    });
  });
});

describe('the trend', () => {
  test('is told half an hour after the start: what rose while the program warmed up does not count', () => {
    const { wait, open } = openFakeWorld((minute) => (minute < 10 ? 100 + 20 * minute : 300) * MIB);
    const memory = open();
    wait(29);
    expect(memory.trend().verdict).toBe('too early');
    wait(1);
    expect(memory.trend()).toMatchObject({ verdict: 'flat', resident: { samples: 21 }, allocated: undefined });
  });

  test('knows when the limit is reached', () => {
    const { state, wait, open } = openFakeWorld((minute) => (100 + minute) * MIB);
    const memory = open();
    state.headroom = { limitBytes: 1000 * MIB, usedBytes: 400 * MIB, source: 'group', measured: 'the group /web' };
    wait(60);
    const { verdict, limit } = memory.trend();
    expect(verdict).toBe('growing');
    expect(limit?.reachedInMs).toBeCloseTo(600 * MINUTE, -4);
  });
});

describe('growth', () => {
  test('is told once, and again after it was flat in between', () => {
    // Six hours up, twelve flat, up again.
    const level = (minute: number) => 100 + Math.min(minute, 360) + Math.max(0, minute - 1080);
    const { wait, open } = openFakeWorld((minute) => level(minute) * MIB);
    const memory = open({ historySize: 120, memoryStatsInterval: 5 * MINUTE });
    const told: { atMinute: number; trend: MemoryTrend }[] = [];
    let minute = 0;
    memory.on('growth', (trend) => told.push({ atMinute: minute, trend }));
    for (; minute < 1800; minute += 5) wait(1, 5 * MINUTE);
    expect(told).toHaveLength(2);
    expect(told[0]?.atMinute).toBeLessThan(150);
    expect(told[0]?.trend.verdict).toBe('growing');
    expect(told[1]?.atMinute).toBeGreaterThan(1080);
    expect(told[1]?.atMinute).toBeLessThan(1300);
  });

  test('is not looked for where nobody listens', () => {
    const { wait, open } = openFakeWorld((minute) => (100 + minute) * MIB);
    const memory = open();
    wait(100);
    const told: unknown[] = [];
    memory.once('growth', (trend) => told.push(trend));
    wait(20);
    expect(told).toHaveLength(0);
    wait(1);
    expect(told).toHaveLength(1);
  });

  test('must have been seen for 20 minutes: RSS that wanders seldom passes for it', () => {
    let momentary = 0;
    let told = 0;
    for (let run = 0; run < 10; run++) {
      const random = randomNumbers(run * 7919);
      let level = 0;
      const { wait, open } = openFakeWorld(() => {
        level = 0.95 * level + (random() + random() + random() - 1.5) * 6;
        return (300 + level) * MIB;
      });
      const memory = open();
      memory.once('growth', () => told++);
      let seen = false;
      for (let minute = 0; minute < 180; minute += 5) {
        wait(5);
        seen ||= memory.trend().verdict === 'growing';
      }
      if (seen) momentary++;
    }
    expect(momentary).toBeGreaterThanOrEqual(3);
    expect(told).toBeLessThanOrEqual(1);
  });

  test('a listener that fails ends neither sampling nor the others', () => {
    const { state, wait, open } = openFakeWorld(() => MIB);
    const memory = open();
    let calls = 0;
    memory.on('sample', () => {
      throw new Error('broken');
    });
    memory.on('sample', () => calls++);
    wait(3);
    expect(calls).toBe(3);
    expect(state.warnings).toEqual([
      `JEMKIT_LISTENER: a listener of memory's 'sample' failed (told once): Error: broken`,
    ]);
  });
});

describe('pressure and tuning', () => {
  const event = { kind: 'level', level: 'high' } as PressureEvent;

  test('the first listener of pressure begins to watch, and nothing is changed by that', () => {
    const { state, open } = openFakeWorld(() => MIB);
    const memory = open();
    expect(state.ladder).toBeUndefined();
    const seen: PressureEvent[] = [];
    memory.on('pressure', (told) => seen.push(told));
    expect(state.ladder?.watchOnly).toBe(true);
    state.ladder?.emit(event);
    expect(seen).toEqual([event]);
  });

  test('with options it acts from the start; false watches nothing', () => {
    const acting = openFakeWorld(() => MIB);
    acting.open({ pressure: { limitBytes: 5 } });
    expect(acting.state.ladder?.watchOnly).toBe(false);
    const off = openFakeWorld(() => MIB);
    off.open({ pressure: false }).on('pressure', () => {});
    expect(off.state.ladder).toBeUndefined();
  });

  test('steps of the tuner are told', () => {
    const { state, open } = openFakeWorld(() => MIB);
    const memory = open({ autoMemoryTuning: true });
    const seen: unknown[] = [];
    memory.on('tuning', (step) => seen.push(step));
    const step = { key: 'dirty_decay_ms' } as TuningStep;
    state.step?.(step);
    expect(seen).toEqual([step]);
    expect(memory.allocatorInfo()).toEqual({ open: true, tuning: true });
  });

  test('where one part does not open, those before it are closed', () => {
    const { state, open } = openFakeWorld(() => MIB);
    state.tunerFails = true;
    expect(() => open({ autoMemoryTuning: true })).toThrow('no tuner');
    expect(state.timers).toEqual([]);
  });
});

describe('what is wrong', () => {
  test('in a call is told with what was received and what was expected', () => {
    const { state, open } = openFakeWorld(() => MIB);
    const memory = open();
    expect(() => memory.on('grow' as never, () => {})).toThrow(/no event 'grow' \(expected sample, growth, pressure/);
    expect(() => memory.on('pressure', undefined as never)).toThrow(
      /listener of 'pressure' is undefined \(expected a f/,
    );
    expect(() => memory.once('growth', 5 as never)).toThrow(/listener of 'growth' is 5/);
    expect(() => memory.stats({ proportinal: true } as never)).toThrow(/stats: no option 'proportinal'/);
    expect(() => memory.stats(null as never)).toThrow(/received null/);
    // A call that was refused has begun nothing.
    expect(state.ladder).toBeUndefined();
  });
});

describe('what a purge gave back', () => {
  const summaryAfter = (act: (state: ReturnType<typeof openFakeWorld>['state'], memory: Memory) => void) => {
    const { state, wait, open } = openFakeWorld((minute) => (100 + minute) * MIB, { jemalloc: true });
    const memory = open({ pressure: true });
    wait(120);
    act(state, memory);
    return memory.suspicion().summary;
  };
  const rung = (name: PressureRung, kind: 'done' | 'failed' = 'done'): PressureEvent => ({
    kind: 'rung',
    atMs: 1,
    level: 'high',
    rung: name,
    reason: '',
    outcome: kind === 'done' ? { kind } : { kind, reason: 'no' },
    beforeBytes: 90 * MIB,
    afterBytes: 87 * MIB,
  });

  test('is known to suspicion(), whether optimize() or the ladder did it', () => {
    expect(summaryAfter(() => {})).toContain('not tried');
    expect(summaryAfter((_, memory) => memory.optimize())).toContain('A purge gave back 0.0 MiB');
    expect(summaryAfter((state) => state.ladder?.emit(rung('purge')))).toContain('A purge gave back 3.0 MiB');
  });

  test('is no evidence where it failed, or where V8 had collected before', () => {
    expect(summaryAfter((state) => state.ladder?.emit(rung('purge', 'failed')))).toContain('not tried');
    expect(summaryAfter((state) => state.ladder?.emit(rung('collect')))).toContain('not tried');
    expect(summaryAfter((state) => state.ladder?.emit(rung('decay')))).toContain('not tried');
  });

  test('after a collection counts no more than had lain unused before it', () => {
    const summary = summaryAfter((state, memory) => {
      Object.assign(state, {
        optimized: {
          ...OPTIMIZED,
          gc: 'done',
          returnedBytes: 50 * MIB,
          dirtyBeforeBytes: 2 * MIB,
          muzzyBeforeBytes: MIB,
        },
      });
      memory.optimize({ gc: true });
    });
    expect(summary).toContain('A purge gave back 3.0 MiB');
  });
});

describe('closing', () => {
  test('ends all that was begun, the last first, and once', () => {
    const { state, wait, open } = openFakeWorld(() => MIB);
    const memory = open({ autoMemoryTuning: true, pressure: true });
    const seen: unknown[] = [];
    memory.on('sample', (sample) => seen.push(sample));
    memory.on('pressure', (told) => seen.push(told));
    expect(memory.open).toBe(true);
    memory.close();
    memory.close();
    memory[Symbol.dispose]();
    wait(2);
    state.ladder?.emit({ kind: 'level' } as PressureEvent);
    expect(state.closed).toEqual(['held', 'timer', 'ladder', 'tuner']);
    expect(seen).toEqual([]);
    expect(memory.open).toBe(false);
  });

  test('what asks goes on to work, and what listens is told nothing', () => {
    const { state, open } = openFakeWorld(() => 100 * MIB);
    const memory = open();
    memory.close();
    expect(memory.stats().process.residentBytes).toBe(100 * MIB);
    expect(memory.trend().verdict).toBe('too early');
    expect(memory.allocatorInfo()).toEqual({ open: false, tuning: false });
    memory.on('pressure', () => {});
    expect(state.ladder).toBeUndefined();
  });

  test('an unknown event is refused', () => {
    const { open } = openFakeWorld(() => MIB);
    expect(() => open().on('pressur' as 'pressure', () => {})).toThrow(/no event 'pressur' \(expected sample, growth/);
  });
});
