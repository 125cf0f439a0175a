import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SimulatedLoad, type SimulatedTuning, simulateTuning } from '../../../support/simulated-tuning.js';

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

const busy = { allocationsPerSecond: 50_000, userShare: 0.4, systemShare: 0.02 };
const idle = { allocationsPerSecond: 50, userShare: 0.001, systemShare: 0 };

/** How often a setting went back the other way. */
function reversals(steps: SimulatedTuning['steps']): number {
  const ways = steps
    .filter(({ rule, applied }) => applied && rule !== 'restore')
    .map(({ from, to }) => Math.sign(Number(to) - Number(from === -1 ? 1e9 : from)));
  return ways.filter((way, at) => at > 0 && way !== ways[at - 1]).length;
}

/** What holds whatever happened. */
function expectOrderly({ steps, of, warnings }: SimulatedTuning): void {
  expect(warnings).toEqual([]);
  for (const key of ['dirty_decay_ms', 'muzzy_decay_ms', 'background_thread'] as const) {
    const applied = of(key).filter((step) => step.applied);
    for (const [at, { from, to, rule }] of applied.entries()) {
      expect(to).not.toBe(from);
      // Each begins where the one before ended.
      if (at > 0) expect(from).toBe(applied[at - 1]!.to);
      if (typeof to === 'number') expect(Number.isInteger(to)).toBe(true);
      if (!/return|restore|undo/.test(rule)) expect(Number(to)).toBeGreaterThanOrEqual(0);
    }
    // One way and back, with rests that double: few in a day.
    expect(reversals(applied)).toBeLessThanOrEqual(16);
  }
  for (const { reason, evidence, rule } of steps) {
    expect(reason.length).toBeGreaterThan(10);
    if (rule !== 'restore') expect(Object.keys(evidence).length).toBeGreaterThan(0);
    for (const value of Object.values(evidence)) expect(Number.isFinite(value)).toBe(true);
  }
}

describe('a day of', () => {
  test('steady load with nothing to improve: nothing is touched', () => {
    const day = simulateTuning(DAY_S, (load) => {
      Object.assign(load, busy, { churn: 5 });
    });
    expectOrderly(day);
    expect(day.steps).toEqual([]);
  });

  test('a process near its limit: unused pages go back sooner, down to the bound and no further', () => {
    const day = simulateTuning(
      DAY_S,
      (load) => {
        Object.assign(load, busy, { live: 800, churn: 100, limit: 1000 });
      },
      { dirtyDecayMs: [500, 30_000] },
    );
    expectOrderly(day);
    const [first] = day.of('dirty_decay_ms');
    expect(first).toMatchObject({ from: 10_000, to: 5_000, rule: 'near-limit', applied: true });
    expect(first?.reason).toMatch(/\d\d % of the memory limit is used, and \d+ MiB of dirty pages lie unused/);
    for (const { to } of day.of('dirty_decay_ms').slice(0, -1)) expect(Number(to)).toBeGreaterThanOrEqual(500);
    expect(day.settings.dirty_decay_ms).toBe(10_000);
    expect(day.steps.at(-1)).toMatchObject({ rule: 'restore', to: 10_000, reason: 'the tuner was closed' });
  });

  test('churn with room: pages are kept longer', () => {
    const day = simulateTuning(
      DAY_S,
      (load) => {
        Object.assign(load, busy, { live: 200, churn: 400, limit: 4000 });
      },
      { found: { dirty_decay_ms: 1000 }, restore: false },
    );
    expectOrderly(day);
    expect(day.of('dirty_decay_ms')[0]).toMatchObject({ from: 1000, to: 2000, rule: 'churn' });
    expect(Number(day.settings.dirty_decay_ms)).toBeGreaterThan(1000);
    expect(day.settings).toEqual(day.lastSettings);
  });

  test('load that comes and goes every ten minutes: the settings do not follow it', () => {
    const day = simulateTuning(DAY_S, (load, second) => {
      const on = Math.floor(second / 600) % 2 === 0;
      Object.assign(load, on ? busy : idle, { live: on ? 850 : 300, churn: on ? 300 : 0, limit: 1000 });
    });
    expectOrderly(day);
    expect(day.steps.filter(({ applied }) => applied).length).toBeLessThanOrEqual(40);
  });

  test('days and nights for four days: each brings at most a few steps back', () => {
    const week = simulateTuning(4 * DAY_S, (load, second) => {
      const day = second % DAY_S < 16 * HOUR_S;
      Object.assign(load, day ? busy : idle, { live: day ? 900 : 200, churn: day ? 150 : 0, limit: 1000 });
    });
    expect(week.warnings).toEqual([]);
    expect(reversals(week.of('dirty_decay_ms'))).toBeLessThanOrEqual(4 * 5);
    expect(week.steps.length).toBeLessThanOrEqual(4 * 20);
    // By day it is found tight, at night it goes back.
    expect(week.of('dirty_decay_ms').some(({ rule }) => rule === 'near-limit')).toBe(true);
    expect(week.of('dirty_decay_ms').some(({ rule }) => rule === 'return')).toBe(true);
  });

  test('an idle process that never purges: background threads are switched on', () => {
    const day = simulateTuning(
      DAY_S,
      (load, second) => {
        Object.assign(load, second < 60 ? busy : idle, { churn: second < 60 ? 200 : 0 });
      },
      { found: { background_thread: false } },
    );
    expectOrderly(day);
    expect(day.of('background_thread')[0]).toMatchObject({ from: false, to: true, rule: 'background-on' });
    expect(day.settings.background_thread).toBe(false);
    expect(day.lastSettings.background_thread).toBe(true);
  });

  test('where it may not: it purges, once for each time of idleness', () => {
    const day = simulateTuning(
      DAY_S,
      (load, second) => {
        const on = second % (2 * HOUR_S) < 300;
        Object.assign(load, on ? busy : idle, { churn: on ? 200 : 0 });
      },
      { found: { background_thread: false }, backgroundThread: false },
    );
    expectOrderly(day);
    expect(day.of('background_thread')).toEqual([]);
    expect(day.purges).toBeGreaterThanOrEqual(11);
    expect(day.purges).toBeLessThanOrEqual(13);
    const none = simulateTuning(
      2 * HOUR_S,
      (load, second) => {
        Object.assign(load, second < 60 ? busy : idle, { churn: second < 60 ? 200 : 0 });
      },
      { found: { background_thread: false }, backgroundThread: false, idlePurge: false },
    );
    expect(none.purges).toBe(0);
    // Where nobody purges, a shorter decay would change nothing.
    expect(none.steps.some(({ rule }) => rule === 'dirty-share' || rule === 'near-limit')).toBe(false);
  });

  test('purging that costs too much: undone, and tried again ever more seldom', () => {
    const day = simulateTuning(DAY_S, (load) => {
      Object.assign(load, busy, { live: 800, churn: 100, limit: 1000, purgeCost: 2 });
    });
    expectOrderly(day);
    const undone = day.of('dirty_decay_ms').filter(({ rule }) => rule === 'undo');
    expect(undone.length).toBeGreaterThanOrEqual(3);
    expect(undone.length).toBeLessThanOrEqual(8);
    const waits = undone.slice(1).map(({ second }, at) => second - undone[at]!.second);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(undone[0]?.reason).toMatch(/^system time rose by \d+\.\d % of a core after the step, and more was purged$/);
    // The first step stood: it cost less than it gave.
    expect(day.lastSettings.dirty_decay_ms).toBe(5_000);
  });

  test('an event loop that is held up after a step: undone', () => {
    const day = simulateTuning(DAY_S, (load) => {
      Object.assign(load, busy, { live: 800, churn: 100, limit: 1000, purgeDelay: 200 });
    });
    expectOrderly(day);
    expect(day.of('dirty_decay_ms')[1]).toMatchObject({ rule: 'undo', from: 5_000, to: 10_000 });
    expect(day.of('dirty_decay_ms')[1]?.reason).toMatch(/^the event loop’s delay \(p99\) rose from \d/);
  });

  test('more load after a step is not blamed on the step', () => {
    let stepped = false;
    const day = simulateTuning(
      HOUR_S,
      (load) => {
        const factor = stepped ? 4 : 1;
        Object.assign(load, { ...busy, allocationsPerSecond: 50_000 * factor, systemShare: 0.1 * factor });
        Object.assign(load, { live: 800, churn: 100, limit: 1000 });
      },
      {
        onStep: () => {
          stepped = true;
        },
      },
    );
    expect(day.steps.some(({ rule }) => rule === 'undo')).toBe(false);
    expect(day.steps.length).toBeGreaterThan(1);
  });

  test('dryRun: says so now and then, and writes nothing', () => {
    const day = simulateTuning(
      DAY_S,
      (load) => {
        Object.assign(load, busy, { live: 800, churn: 100, limit: 1000 });
      },
      { dryRun: true },
    );
    expect(day.writes).toBe(0);
    expect(day.settings).toEqual({ dirty_decay_ms: 10_000, muzzy_decay_ms: 0, background_thread: true });
    expect(day.steps[0]).toMatchObject({ key: 'dirty_decay_ms', from: 10_000, to: 5_000, applied: false });
    expect(day.steps.every(({ applied }) => !applied)).toBe(true);
    expect(day.steps.length).toBeLessThanOrEqual(10);
  });

  test('a jemalloc that takes nothing: said, and not asked again for a day', () => {
    const day = simulateTuning(DAY_S, (load) => {
      Object.assign(load, busy, { live: 800, churn: 100, limit: 1000, refuses: true });
    });
    expect(day.steps).toHaveLength(1);
    expect(day.steps[0]).toMatchObject({ applied: false, problem: 'jemalloc refuses' });
  });

  test('a listener that throws stops nothing', () => {
    const day = simulateTuning(
      HOUR_S,
      (load) => {
        Object.assign(load, busy, { live: 800, churn: 100, limit: 1000 });
      },
      {
        onStep() {
          throw new Error('broken');
        },
      },
    );
    expect(day.warnings).toEqual(['onStep of the auto tuner failed (told once): broken']);
    expect(day.steps.length).toBeGreaterThan(1);
    expect(day.settings.dirty_decay_ms).toBe(10_000);
  });

  test('decay that was switched off: it is given the bound, and gets its own back', () => {
    const day = simulateTuning(
      DAY_S,
      (load, second) => {
        Object.assign(load, busy, { live: 400, churn: second < 600 ? 100 : 0, limit: 600 });
      },
      { found: { dirty_decay_ms: -1 } },
    );
    expectOrderly(day);
    expect(day.of('dirty_decay_ms')[0]).toMatchObject({ from: -1, to: 30_000 });
    expect(day.settings.dirty_decay_ms).toBe(-1);
  });
});

test('any walk: bounds are kept, few steps go back, and what was found comes back', () => {
  const phase = fc.record({
    live: fc.integer({ min: 50, max: 1200 }),
    churn: fc.integer({ min: 0, max: 600 }),
    allocationsPerSecond: fc.integer({ min: 0, max: 100_000 }),
    userShare: fc.double({ min: 0, max: 1, noNaN: true }),
    systemShare: fc.double({ min: 0, max: 0.5, noNaN: true }),
    delayMs: fc.double({ min: 0, max: 100, noNaN: true }),
    limit: fc.option(fc.integer({ min: 500, max: 2000 }), { nil: undefined }),
    purgeCost: fc.double({ min: 0, max: 2, noNaN: true }),
    purgeDelay: fc.double({ min: 0, max: 50, noNaN: true }),
    refuses: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
    clockShiftMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: -1e7, max: 1e7 })),
    minutes: fc.integer({ min: 1, max: 30 }),
  });
  const found = fc.record({
    dirty_decay_ms: fc.constantFrom(-1, 0, 1000, 10_000, 60_000),
    muzzy_decay_ms: fc.constantFrom(-1, 0, 10_000),
    background_thread: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(phase, { minLength: 3, maxLength: 10 }), found, fc.boolean(), (phases, start, dryRun) => {
      const script = phases.flatMap((one) => Array<(typeof phases)[number]>(one.minutes * 60).fill(one));
      const run = simulateTuning(
        script.length - 1,
        (load: SimulatedLoad, second) => {
          const { minutes: _minutes, ...now } = script[second]!;
          if (script[second] !== script[second - 1]) Object.assign(load, now);
        },
        { found: start, dryRun },
      );
      expectOrderly(run);
      expect(run.settings).toEqual(start);
      if (dryRun) expect(run.writes).toBe(0);
      for (const { key, to, rule } of run.steps) {
        if (rule === 'undo' || rule === 'restore' || rule === 'return' || key === 'background_thread') continue;
        if (key !== 'purge') expect(Number(to)).toBeLessThanOrEqual(key === 'dirty_decay_ms' ? 30_000 : 10_000);
      }
    }),
    { numRuns: 40 },
  );
});
