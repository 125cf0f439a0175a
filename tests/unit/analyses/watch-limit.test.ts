import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WATCH_START, type WatchRules, type WatchStep, watchLimit } from '../../../src/analyses/watch-limit.js';

const RULES: WatchRules = { limitBytes: 100, rearmBytes: 90, cooldownMs: 10_000, everyMs: undefined };

/** Steps through values a second apart. */
function run(values: readonly number[], rules: WatchRules = RULES): WatchStep[] {
  let state = WATCH_START;
  return values.map((bytes, second) => {
    const step = watchLimit(state, bytes, second * 1000, rules);
    state = step.state;
    return step;
  });
}

const actsAt = (steps: readonly WatchStep[]) => steps.flatMap(({ act }, second) => (act ? [second] : []));
const crossings = (steps: readonly WatchStep[]) => steps.map(({ crossing }) => crossing ?? '-').join(' ');

describe('watchLimit', () => {
  it('acts once when the limit is crossed, and not at it', () => {
    expect(actsAt(run([50, 100, 101, 120, 150]))).toEqual([2]);
  });

  it('does not flap between the marks', () => {
    const steps = run([101, 99, 101, 95, 102, 91, 101]);
    expect(actsAt(steps)).toEqual([0]);
    expect(crossings(steps)).toBe('over - - - - - -');
  });

  it('counts the next crossing after the lower mark', () => {
    const steps = run([101, 90, ...Array<number>(10).fill(50), 101]);
    expect(crossings(steps)).toMatch(/^over under( -){10} over$/);
    expect(actsAt(steps)).toEqual([0, 12]);
  });

  it('keeps a crossing in the cooldown until that is over, and forgets it when the value comes back', () => {
    expect(actsAt(run([101, 80, ...Array<number>(12).fill(101)]))).toEqual([0, 10]);
    expect(actsAt(run([101, 80, 101, 80, ...Array<number>(12).fill(80)]))).toEqual([0]);
  });

  it('waits with what is due while the value is between the marks', () => {
    expect(actsAt(run([101, 80, 101, ...Array<number>(9).fill(95), 101]))).toEqual([0, 12]);
  });

  it('acts again in its own time while the value stays above', () => {
    expect(actsAt(run(Array<number>(31).fill(200), { ...RULES, everyMs: 15_000 }))).toEqual([0, 15, 30]);
  });

  it('never acts at or below the limit, nor twice within the cooldown, and misses no crossing for ever', () => {
    const rules = fc.record({
      limitBytes: fc.constant(100),
      rearmBytes: fc.integer({ min: 0, max: 100 }),
      cooldownMs: fc.integer({ min: 0, max: 5000 }),
      everyMs: fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(rules, fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 60 }), (chosen, values) => {
        const steps = run(values, chosen);
        const moments = actsAt(steps);
        for (const second of moments) expect(values[second]).toBeGreaterThan(100);
        for (const [at, second] of moments.entries()) {
          if (at > 0) expect((second - (moments[at - 1] ?? 0)) * 1000).toBeGreaterThanOrEqual(chosen.cooldownMs);
        }
        const order = steps.flatMap(({ crossing }) => crossing ?? []);
        expect(order.every((crossing, at) => crossing === (at % 2 === 0 ? 'over' : 'under'))).toBe(true);
        if (values.some((value) => value > 100)) expect(moments.length).toBeGreaterThan(0);
      }),
    );
  });
});
