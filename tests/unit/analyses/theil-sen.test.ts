import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { theilSen } from '../../../src/analyses/theil-sen.js';
import { randomNumbers } from '../../support/random-numbers.js';

const steps = (count: number) => Array.from({ length: count }, (_, at) => at);

describe('theilSen', () => {
  test('a line without noise is that line', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 300 }),
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: -1e6, max: 1e6 }),
        (count, slope, level) => {
          const found = theilSen(
            steps(count),
            steps(count).map((time) => level + slope * time),
          )!;
          expect(found.slope).toBeCloseTo(slope, 6);
          expect(found.low).toBeLessThanOrEqual(found.slope + 1e-9);
          expect(found.high).toBeGreaterThanOrEqual(found.slope - 1e-9);
        },
      ),
    );
  });

  test('moves and turns with its points', () => {
    const points = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 10, maxLength: 60 });
    fc.assert(
      fc.property(points, fc.integer({ min: -500, max: 500 }), (values, turn) => {
        const times = steps(values.length);
        const plain = theilSen(times, values)!;
        const turned = theilSen(
          times,
          values.map((value, at) => value + turn * at),
        )!;
        const mirrored = theilSen(
          times,
          values.map((value) => -value),
        )!;
        expect(turned.slope - turn).toBeCloseTo(plain.slope, 3);
        expect(mirrored.slope).toBeCloseTo(-plain.slope, 3);
        expect(mirrored.deviations).toBeCloseTo(-plain.deviations, 6);
        expect(plain.low).toBeLessThanOrEqual(plain.slope);
        expect(plain.high).toBeGreaterThanOrEqual(plain.slope);
        expect(plain.varianceFactor).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test('the interval holds the true slope in about 95 of 100 noisy series, whatever their length', () => {
    for (const count of [20, 119, 121, 1440]) {
      const random = randomNumbers(count);
      const runs = count > 1000 ? 100 : 300;
      let held = 0;
      for (let run = 0; run < runs; run++) {
        const found = theilSen(
          steps(count),
          steps(count).map((time) => 5 * time + 40 * (random() - 0.5)),
        )!;
        if (found.low <= 5 && found.high >= 5) held++;
      }
      expect(held / runs, `${count} points`).toBeGreaterThan(0.9);
    }
  });

  test('a fifth of wild points does not move it far', () => {
    const random = randomNumbers(7);
    const values = steps(200).map((time) => 3 * time + random());
    for (let at = 0; at < 200; at += 5) values[at] = 1e12 * (random() - 0.3);
    expect(theilSen(steps(200), values)!.slope).toBeCloseTo(3, 0);
  });

  test('a sawtooth that rises on average not at all has zero inside its interval', () => {
    const { low, high } = theilSen(
      steps(600),
      steps(600).map((time) => (time % 37) * 1000),
    )!;
    expect(low).toBeLessThanOrEqual(0);
    expect(high).toBeGreaterThanOrEqual(0);
  });

  test('values that resemble the ones before are trusted less', () => {
    const random = randomNumbers(3);
    let state = 0;
    const wandering = steps(120).map(() => {
      state = 0.95 * state + random() - 0.5;
      return state;
    });
    const noise = steps(120).map(() => random());
    expect(theilSen(steps(120), wandering)!.varianceFactor).toBeGreaterThan(3);
    expect(theilSen(steps(120), noise)!.varianceFactor).toBeLessThan(1.6);
  });

  test('equal values are flat for certain', () => {
    expect(
      theilSen(
        steps(50),
        steps(50).map(() => 42),
      ),
    ).toMatchObject({ slope: 0, low: 0, high: 0, deviations: 0, varianceFactor: 1 });
  });

  test('ties are reckoned with: values in few steps still have their slope', () => {
    const found = theilSen(
      steps(100),
      steps(100).map((time) => Math.floor(time / 10)),
    )!;
    expect(found.slope).toBeCloseTo(0.1, 2);
    expect(found.low).toBeGreaterThan(0);
  });

  test('what was not measured is passed over', () => {
    const values = steps(40).map((time) => (time % 3 === 0 ? Number.NaN : 2 * time));
    expect(theilSen(steps(40), values)).toMatchObject({ slope: 2, points: 26 });
  });

  test('says nothing of too little', () => {
    expect(theilSen([], [])).toBeUndefined();
    expect(theilSen([1, 2], [1, 2])).toBeUndefined();
    expect(theilSen([5, 5, 5], [1, 2, 3])).toBeUndefined();
    expect(theilSen([1, 2, 3], [Number.NaN, Number.NaN, 1])).toBeUndefined();
    expect(theilSen([1, 2, 3], [1, 2, 3])).toMatchObject({
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
    });
  });

  test('many points are thinned, and no more than that', () => {
    expect(theilSen(steps(120), steps(120))!.points).toBe(120);
    expect(theilSen(steps(1440), steps(1440))).toMatchObject({ points: 120, slope: 1 });
  });
});
