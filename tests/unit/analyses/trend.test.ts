import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyseSeries, timeToLimit } from '../../../src/analyses/trend.js';
import type { SeriesTrend } from '../../../src/model/memory-trend.js';
import { randomNumbers } from '../../support/random-numbers.js';

const MINUTE = 60_000;
const MIB = 2 ** 20;
const NOW = { minimumSamples: 10, minimumSpanMs: 0 };

/** One sample a minute. */
function series(count: number, value: (minute: number) => number): SeriesTrend {
  const times = Array.from({ length: count }, (_, at) => at * MINUTE);
  return analyseSeries(
    times,
    times.map((_, at) => value(at)),
    NOW,
  );
}

describe('analyseSeries', () => {
  test('a leak under noise is found, with its slope', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 500 }),
        fc.integer({ min: 60, max: 1440 }),
        fc.nat(),
        (mibPerHour, count, seed) => {
          const random = randomNumbers(seed);
          const found = series(count, (minute) => 200 * MIB + (minute * mibPerHour * MIB) / 60 + random() * 2 * MIB);
          expect(found.verdict).toBe('growing');
          expect(found.bytesPerHour! / MIB / mibPerHour).toBeGreaterThan(0.8);
          expect(found.bytesPerHour! / MIB / mibPerHour).toBeLessThan(1.2);
          expect(found.lowBytesPerHour).toBeLessThanOrEqual(found.bytesPerHour!);
          expect(found.highBytesPerHour).toBeGreaterThanOrEqual(found.bytesPerHour!);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('noise alone is flat, though it is looked at a thousand times', () => {
    const verdicts = Array.from({ length: 1000 }, (_, seed) => {
      const random = randomNumbers(seed);
      return series(100, () => 300 * MIB + random() * 40 * MIB).verdict;
    });
    expect(verdicts.filter((verdict) => verdict !== 'flat').length).toBeLessThan(5);
  });

  test('of walks without aim no more are called growing than the guide says', () => {
    const verdicts = Array.from({ length: 200 }, (_, run) => {
      const random = randomNumbers(run * 7919);
      let level = 300;
      const walk = Array.from({ length: 240 }, () => (level += (random() + random() + random() - 1.5) * 3));
      return series(240, (minute) => walk[minute]! * MIB).verdict;
    });
    const share = (wanted: string) => verdicts.filter((verdict) => verdict === wanted).length / verdicts.length;
    expect(share('growing')).toBeLessThan(0.17);
    expect(share('shrinking')).toBeLessThan(0.12);
  });

  test("V8's sawtooth is flat, and growing where its floor rises", () => {
    const tooth = (minute: number) => (minute % 17) * 4 * MIB;
    expect(series(400, (minute) => 80 * MIB + tooth(minute)).verdict).toBe('flat');
    expect(series(400, (minute) => 80 * MIB + tooth(minute) + minute * MIB).verdict).toBe('growing');
  });

  test('one step is no growth, wherever it lies', () => {
    const random = randomNumbers(11);
    for (let share = 0.05; share < 1; share += 0.05) {
      const found = series(240, (minute) => 200 * MIB + (minute > 240 * share ? 100 * MIB : 0) + random() * 3 * MIB);
      expect(found.verdict, `a step after ${share}`).toBe('flat');
    }
  });

  test('a leak that begins after a quiet day is seen within two hours', () => {
    const random = randomNumbers(23);
    const level = (minute: number) => (200 + Math.max(0, minute - 1320)) * MIB + random() * 4 * MIB;
    expect(series(1320, level).verdict).toBe('flat');
    const found = series(1440, level);
    expect(found.verdict).toBe('growing');
    expect(found.bytesPerHour! / MIB).toBeGreaterThan(45);
    expect(found.samples).toBeLessThan(1440);
  });

  test('the rise of each morning is no growth, when the day before had it too', () => {
    const random = randomNumbers(29);
    const day = (minute: number) => Math.max(0, Math.sin((2 * Math.PI * minute) / 1440));
    const level = (minute: number) => (300 + 200 * day(minute)) * MIB + random() * 10 * MIB;
    // The window is the last day of two, and ends in the middle of each hour's load.
    for (let end = 1440; end < 2880; end += 60)
      expect(series(1440, (minute) => level(minute + end - 1440)).verdict, `at minute ${end}`).toBe('flat');
  });

  test('growth that has ended is flat', () => {
    const random = randomNumbers(5);
    expect(series(300, (minute) => (100 + Math.min(minute, 100)) * MIB + random() * MIB).verdict).toBe('flat');
  });

  test('less than 1 % or 1 MiB over all the time is flat, however certain', () => {
    expect(series(100, (minute) => 1000 * MIB + minute * 0.05 * MIB)).toMatchObject({ verdict: 'flat' });
    expect(series(100, (minute) => 10 * MIB + minute * 0.005 * MIB)).toMatchObject({ verdict: 'flat' });
    expect(series(100, (minute) => 10 * MIB + minute * 0.02 * MIB)).toMatchObject({ verdict: 'growing' });
  });

  test('the mirror of growing is shrinking', () => {
    expect(series(100, (minute) => 500 * MIB - minute * MIB).verdict).toBe('shrinking');
  });

  test('is too early with few samples, a short time, or nothing measured', () => {
    const times = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((minute) => minute * MINUTE);
    const values = times.map((time) => time * 1000);
    const early = { verdict: 'too early', bytesPerHour: undefined };
    expect(analyseSeries(times, values, { minimumSamples: 13, minimumSpanMs: 0 })).toMatchObject({
      ...early,
      samples: 12,
    });
    expect(analyseSeries(times, values, { minimumSamples: 10, minimumSpanMs: 11 * MINUTE + 1 })).toMatchObject({
      ...early,
      spanMs: 11 * MINUTE,
    });
    expect(analyseSeries(times, values, { minimumSamples: 12, minimumSpanMs: 11 * MINUTE }).verdict).toBe('growing');
    expect(analyseSeries([], [], NOW)).toMatchObject({ ...early, samples: 0, spanMs: 0 });
    expect(
      analyseSeries(
        times,
        times.map(() => Number.NaN),
        NOW,
      ),
    ).toMatchObject({ ...early, samples: 0 });
  });
});

describe('timeToLimit', () => {
  const growing: SeriesTrend = {
    verdict: 'growing',
    samples: 100,
    spanMs: 100 * MINUTE,
    bytesPerHour: 20 * MIB,
    lowBytesPerHour: 10 * MIB,
    highBytesPerHour: 40 * MIB,
  };
  const limit = { limitBytes: 300 * MIB, usedBytes: 200 * MIB, source: 'group', measured: 'the group /web' } as const;
  const HOUR = 60 * MINUTE;

  test('is the room by the slope, and by the bounds of its interval', () => {
    expect(timeToLimit(growing, limit)).toEqual({
      limitBytes: 300 * MIB,
      usedBytes: 200 * MIB,
      measured: 'the group /web',
      reachedInMs: 5 * HOUR,
      earliestMs: 2.5 * HOUR,
      latestMs: 10 * HOUR,
    });
  });

  test('without growth, and for a bound that is not above zero, there is none', () => {
    const none = { reachedInMs: undefined, earliestMs: undefined, latestMs: undefined };
    expect(timeToLimit({ ...growing, verdict: 'flat' }, limit)).toMatchObject(none);
    expect(timeToLimit({ ...growing, highBytesPerHour: Number.POSITIVE_INFINITY }, limit)?.earliestMs).toBeUndefined();
    expect(timeToLimit(growing, undefined)).toBeUndefined();
  });

  test('a limit that is passed is reached now', () => {
    expect(timeToLimit(growing, { ...limit, usedBytes: 400 * MIB })?.reachedInMs).toBe(0);
  });
});
