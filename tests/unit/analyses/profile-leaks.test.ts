import { describe, expect, test } from 'vitest';
import { analyseProfileLeaks } from '../../../src/analyses/profile-leaks.js';
import { highWater, orderSnapshots } from '../../../src/analyses/profile-series.js';
import { type HeldStack, native, profileOf, script } from '../../support/heap-profiles.js';
import { randomNumbers } from '../../support/random-numbers.js';

const HOUR = 3_600_000;
const RATE = 2 ** 19;
const MIB = 2 ** 20;

const seriesOf = (looks: readonly (readonly HeldStack[])[], stepMs: number = HOUR / 4) =>
  looks.map((stacks, at) => ({
    name: `${at}.heap`,
    profile: profileOf(stacks, {
      sampleBytes: RATE,
      takenAtMs: stepMs === 0 ? undefined : 1e12 + at * stepMs,
    }),
  }));

/** Small objects, of which so many were sampled. */
const small = (frames: HeldStack['frames'], sampled: number): HeldStack => ({
  frames,
  bytes: sampled * RATE,
  objects: (sampled * RATE) / 1024,
  sampled,
});

const MALLOC = native('libc.so malloc', 'libc');
const LEAK = [MALLOC, script('push /app/node_modules/lru/index.js:9'), script('handle /app/server.js:42')];
const CACHE = [MALLOC, script('cache /app/server.js:7')];

describe('analyseProfileLeaks', () => {
  test('names the line of the application, the package between, the stack and the growth per hour', () => {
    const { leaks, spanMs } = analyseProfileLeaks(
      seriesOf([10, 30, 50, 70].map((count) => [small(LEAK, count), small(CACHE, 40)])),
    );
    expect(spanMs).toBe((HOUR / 4) * 3);
    expect(leaks).toHaveLength(1);
    expect(leaks[0]).toMatchObject({
      culprit: { name: 'handle', place: '/app/server.js:42' },
      through: { name: 'push', place: '/app/node_modules/lru/index.js:9' },
      grownBytes: 30 * MIB,
    });
    expect(leaks[0]?.bytesPerHour).toBeCloseTo(40 * MIB);
    expect(leaks[0]?.bytesPerSnapshot).toBeCloseTo(10 * MIB);
    expect(leaks[0]?.stack.map(({ name }) => name)).toEqual(['malloc', 'push', 'handle']);
  });

  test('without times it is growth a snapshot', () => {
    const { leaks, spanMs } = analyseProfileLeaks(
      seriesOf(
        [10, 30, 50].map((n) => [small(LEAK, n)]),
        0,
      ),
    );
    expect(spanMs).toBeUndefined();
    expect(leaks[0]).toMatchObject({ bytesPerHour: undefined, bytesPerSnapshot: 10 * MIB });
  });

  test('seconds say nothing of an hour', () => {
    const rate = (stepMs: number) =>
      analyseProfileLeaks(
        seriesOf(
          [10, 30, 50].map((n) => [small(LEAK, n)]),
          stepMs,
        ),
      ).leaks[0]?.bytesPerHour;
    expect(rate(29_999)).toBeUndefined();
    expect(rate(30_000)).toBeCloseTo(10 * MIB * 120);
  });

  test('the interpreted and the optimized stack of one line are one leak', () => {
    const builtin = native('node Builtins_InterpreterEntryTrampoline', 'v8');
    const looks = [
      [small([MALLOC, builtin, ...LEAK.slice(1)], 20)],
      [small([MALLOC, builtin, ...LEAK.slice(1)], 10), small(LEAK, 30)],
      [small(LEAK, 80)],
    ];
    const { leaks } = analyseProfileLeaks(seriesOf(looks));
    expect(leaks.map(({ grownBytes }) => grownBytes)).toEqual([30 * MIB]);
  });

  test('calls whose line is not known belong to their function, and the line is told', () => {
    const { line: _, ...unknown } = script('handle /app/server.js:42');
    const looks = [
      [small([MALLOC, unknown], 30)],
      [small([MALLOC, unknown], 20), small([MALLOC, script('handle /app/server.js:42')], 40)],
      [small([MALLOC, script('handle /app/server.js:42')], 90)],
    ];
    const { leaks } = analyseProfileLeaks(seriesOf(looks));
    expect(leaks).toMatchObject([{ culprit: { place: '/app/server.js:42' }, grownBytes: 30 * MIB }]);
  });

  test('one fall is no leak, and neither is growth within the sampling error or of a trifle', () => {
    const fell = analyseProfileLeaks(seriesOf([10, 90, 80].map((n) => [small(LEAK, n)])));
    expect(fell).toMatchObject({ leaks: [], withinNoise: 0 });
    const chance = analyseProfileLeaks(seriesOf([1, 2, 3].map((n) => [small(LEAK, n)])));
    expect(chance).toMatchObject({ leaks: [], withinNoise: 1 });
    const trifle = analyseProfileLeaks(seriesOf([1, 2, 3].map((n) => [{ frames: LEAK, bytes: n * 1000, sampled: n }])));
    expect(trifle).toMatchObject({ leaks: [], withinNoise: 1 });
  });

  test('large objects are always sampled: few of them are certain', () => {
    const looks = [1, 2, 3].map((n) => [{ frames: LEAK, bytes: n * 16 * MIB, objects: n, sampled: n }]);
    expect(analyseProfileLeaks(seriesOf(looks)).leaks).toHaveLength(1);
  });

  test('of many snapshots the order tells a slow leak beside much that stays', () => {
    const looks = Array.from({ length: 10 }, (_, at) => [small(LEAK, 2000 + at * 3)]);
    expect(analyseProfileLeaks(seriesOf(looks.slice(0, 3))).leaks).toEqual([]);
    expect(analyseProfileLeaks(seriesOf(looks)).leaks).toHaveLength(1);
  });

  test('of a thousand steady places, sampled anew each time, none is called a leak', () => {
    const random = randomNumbers(4);
    // Knuth's multiplication gives Poisson's numbers.
    const poisson = (mean: number) => {
      let count = 0;
      for (let product = random(); product > Math.exp(-mean); product *= random()) count++;
      return count;
    };
    const places = Array.from({ length: 1000 }, (_, at) => [MALLOC, script(`f${at} /app/server.js:${at + 1}`)]);
    const looks = Array.from({ length: 3 }, () =>
      places.map((frames, at) => small(frames, poisson(1 + (at % 50)))).filter(({ bytes }) => bytes > 0),
    );
    expect(analyseProfileLeaks(seriesOf(looks)).leaks).toEqual([]);
  });

  test('one snapshot says nothing', () => {
    expect(analyseProfileLeaks(seriesOf([[small(LEAK, 90)]]))).toMatchObject({ leaks: [], withinNoise: 0 });
  });
});

describe('a series', () => {
  test('is put in the order of its times, where all have one', () => {
    const series = seriesOf([1, 2, 3].map((n) => [small(LEAK, n)]));
    const mixed = [series[2]!, series[0]!, series[1]!];
    expect(orderSnapshots(mixed).map(({ name }) => name)).toEqual(['0.heap', '1.heap', '2.heap']);
    const untimed = seriesOf([[], []], 0);
    expect(orderSnapshots([untimed[1]!, untimed[0]!]).map(({ name }) => name)).toEqual(['1.heap', '0.heap']);
  });

  test('has a highest snapshot', () => {
    expect(highWater(seriesOf([3, 9, 4].map((n) => [small(LEAK, n)])))?.name).toBe('1.heap');
    expect(highWater([])).toBeUndefined();
  });
});
