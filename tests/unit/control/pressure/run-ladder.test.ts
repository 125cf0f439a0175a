import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PRESSURE_LEVELS } from '../../../../src/model/memory-pressure.js';
import {
  DAY_S,
  HOUR_S,
  mostPerHour,
  type SimulatedDay,
  type SimulatedProcess,
  simulatePressure,
} from '../../../support/simulated-pressure.js';

/** What holds whatever happened: no level without its end, no handler left in the dark, no profile too many. */
function expectWhole(day: SimulatedDay, dumpEveryS = HOUR_S): void {
  const { levels, signals } = day;
  levels.forEach(({ from, level }, at) => {
    expect(from).toBe(at === 0 ? 'none' : levels[at - 1]!.level);
    expect(level).not.toBe(from);
  });
  expect(levels.at(-1)?.level ?? 'none').toBe('none');
  let told = false;
  for (const { kind, level } of signals) {
    expect(told).toBe(kind !== 'begin');
    told = kind !== 'end';
    expect(level === 'none').toBe(kind === 'end');
  }
  expect(told).toBe(false);
  expect(signals.map(({ second }) => second)).toEqual(signals.map(({ second }) => second).sort((a, b) => a - b));
  const dumps = day.rungs('dump').filter(({ outcome }) => outcome.kind !== 'unavailable');
  for (const [at, { second }] of dumps.slice(1).entries())
    expect(second - dumps[at]!.second).toBeGreaterThanOrEqual(dumpEveryS);
  expect(dumps.length).toBeLessThanOrEqual(10);
  // The most that coming and going can make of it: see 'How it does not flap' in the guide.
  expect(mostPerHour(levels)).toBeLessThanOrEqual(40);
}

const noise = (second: number) =>
  Math.sin(second * 12.9898) * 43758.5453 - Math.floor(Math.sin(second * 12.9898) * 43758.5453);

describe('up to a day of', () => {
  test('calm: nothing happens', () => {
    const day = simulatePressure(DAY_S, (process, second) => {
      process.live = 500 + 200 * Math.sin(second / 1000);
      process.dirty = 50 * noise(second);
    });
    expect(day.events).toEqual([]);
    expect(day.signals).toEqual([]);
  });

  test('a slow leak into the limit: each level once, in order, and the handler told', () => {
    const day = simulatePressure(DAY_S, (process, second) => {
      process.live = 400 + (600 * second) / DAY_S;
    });
    expectWhole(day);
    expect(day.levels.map(({ level }) => level)).toEqual(['elevated', 'high', 'critical', 'none']);
    expect(day.levels.at(-1)).toMatchObject({ reason: 'the ladder was closed', second: DAY_S + 1 });
    expect(day.signals.map(({ kind, level }) => `${kind} ${level}`)).toEqual(['begin critical', 'end none']);
    expect(day.rungs('dump').length).toBeGreaterThanOrEqual(1);
    // Nothing was dirty: a purge has nothing to take.
    expect(day.rungs('purge')).toEqual([]);
    // A collection that gave nothing back is not repeated, since the heap has not grown; once the handler was told, ever more seldom.
    const told = day.signals[0]!.second;
    expect(day.rungs('collect').filter(({ second }) => second < told)).toHaveLength(1);
    expect(day.rungs('collect').length).toBeLessThanOrEqual(12);
  });

  test('a leak that the service sheds load for, and is restarted from: the handler hears of each', () => {
    const day = simulatePressure(DAY_S, (process, second) => {
      process.live += process.shedding ? -2 : 0.05;
      if (second % (6 * HOUR_S) === 0) process.live = 100;
    });
    expectWhole(day);
    const count = (kind: string) => day.signals.filter((signal) => signal.kind === kind).length;
    expect(count('begin')).toBeGreaterThan(1);
    expect(count('end')).toBe(count('begin'));
    expect(day.signals.filter(({ kind }) => kind === 'end').every(({ second }) => second <= DAY_S)).toBe(true);
  });

  test('requests that are turned away leave garbage that nobody would collect: it ends all the same', () => {
    const day = simulatePressure(12 * HOUR_S, (process) => {
      process.v8 = 500;
      if (!process.shedding) process.live += 0.1;
      else if (process.live > 200) {
        process.live -= 5;
        process.garbage += 5;
      }
    });
    expectWhole(day);
    const ends = day.signals.filter(({ kind, second }) => kind === 'end' && second <= 12 * HOUR_S);
    expect(ends.length).toBeGreaterThanOrEqual(2);
    const [begin] = day.signals;
    expect(ends[0]!.second - begin!.second).toBeLessThan(10 * 60);
  });

  test('undecayed pages: a purge gives them back, and the level is left', () => {
    const day = simulatePressure(DAY_S, (process, second) => {
      process.live = 600;
      process.dirty += second % HOUR_S < 300 ? 1.2 : 0;
    });
    expectWhole(day);
    const given = [...day.rungs('decay'), ...day.rungs('purge')];
    expect(given.length).toBeGreaterThan(20);
    for (const { beforeBytes, afterBytes } of given) expect(afterBytes!).toBeLessThan(beforeBytes!);
    expect(day.levels.some(({ level }) => level === 'critical')).toBe(false);
    expect(day.signals).toEqual([]);
  });

  test('spikes around a threshold', () => {
    const day = simulatePressure(DAY_S, (process, second) => {
      process.live = 800 + (second % 2 === 0 ? 30 : -80);
    });
    // None holds for two seconds.
    expect(day.levels).toEqual([]);
    const slower = simulatePressure(12 * HOUR_S, (process, second) => {
      process.live = 800 + (Math.floor(second / 40) % 2 === 0 ? 30 : -80);
    });
    expectWhole(slower);
    expect(slower.levels.length).toBeGreaterThan(0);
    expect(mostPerHour(slower.levels)).toBeLessThanOrEqual(12);
  });

  test('a sawtooth of garbage up to the limit', () => {
    const day = simulatePressure(DAY_S, (process, second) => {
      process.live = 700;
      process.garbage = (second % 120) * 2.4;
    });
    expectWhole(day);
    expect(mostPerHour(day.levels)).toBeLessThanOrEqual(20);
    expect(mostPerHour(day.rungs('collect'))).toBeLessThanOrEqual(60);
  });

  test('PSI that flaps', () => {
    const day = simulatePressure(6 * HOUR_S, (process, second) => {
      const on = Math.floor(second / 15) % 2 === 0;
      process.stall = { some: on ? 60 : 0, full: on ? 30 : 0, of: 'group' };
    });
    expectWhole(day);
    expect(day.levels.map(({ level }) => level)).toEqual(['high', 'none']);
    expect(day.levels[0]?.reason).toContain('all tasks of the group waited for memory 30 %');
    // Waiting alone never turns requests away.
    expect(day.signals).toEqual([]);
  });

  test('PSI of the machine, which others cause: it decays and no more', () => {
    const day = simulatePressure(HOUR_S, (process) => {
      process.stall = { some: 90, full: 80, of: 'machine' };
      process.dirty = 100;
    });
    expectWhole(day);
    expect(day.levels.map(({ level }) => level)).toEqual(['elevated', 'none']);
    expect(new Set(day.events.map((event) => (event.kind === 'rung' ? event.rung : 'level')))).toEqual(
      new Set(['level', 'decay']),
    );
  });

  test('a limit that is changed, and removed', () => {
    const day = simulatePressure(
      DAY_S,
      (process, second) => {
        process.live = 600;
        process.limit =
          second < 6 * HOUR_S ? 1000 : second < 12 * HOUR_S ? 610 : second < 18 * HOUR_S ? undefined : 2000;
      },
      { rungs: { collect: false } },
    );
    expectWhole(day);
    expect(day.levels.map(({ level, reason }) => [level, reason.slice(0, 15)])).toEqual([
      ['critical', '600 MiB of 610 '],
      ['none', 'there is no lim'],
    ]);
    expect(day.levels[0]?.second).toBe(6 * HOUR_S);
    expect(day.levels[1]?.second).toBe(12 * HOUR_S + 2);
    expect(day.signals.map(({ kind }) => kind)).toEqual(['begin', 'end']);
    expect(day.lastLevel).toBe('none');
  });

  test('no limit: no pressure, which is not none', () => {
    const day = simulatePressure(HOUR_S, (process) => {
      process.limit = undefined;
      process.live = 1e6;
      process.stall = { some: 90, full: 90, of: 'group' };
    });
    expect(day.events).toEqual([]);
    expect(day.lastLevel).toBeUndefined();
  });

  test('a limit that cannot be read for a second: nothing changes', () => {
    const day = simulatePressure(HOUR_S, (process, second) => {
      process.live = 970;
      process.limit = second % 60 === 0 && second > 0 ? undefined : 1000;
    });
    expectWhole(day);
    expect(day.levels).toHaveLength(2);
  });

  test('rungs that give nothing back: seldom tried, and all other rungs in their turn', () => {
    const day = simulatePressure(DAY_S, (process) => {
      process.live = 800;
      process.dirty = 100;
      process.garbage = 80;
      process.climb = () => ({ kind: 'done' });
    });
    expectWhole(day);
    const critical = day.events.filter((event) => event.kind === 'rung').map(({ rung }) => rung);
    expect(critical.slice(0, 4)).toEqual(['purge', 'collect', 'dump', 'handler']);
    expect(day.rungs('purge')).toHaveLength(1);
    expect(day.rungs('collect').length).toBeLessThanOrEqual(32);
    expect(day.rungs('dump')).toHaveLength(10);
    expect(day.signals.map(({ kind }) => kind)).toEqual(['begin', 'end']);
  });

  test('rungs that fail, and one that throws', () => {
    const day = simulatePressure(6 * HOUR_S, (process) => {
      process.live = 800;
      process.dirty = 100;
      process.garbage = 80;
      process.climb = (rung) => {
        if (rung === 'purge') throw new Error('no purge today');
        return { kind: 'failed', reason: 'disk full' };
      };
    });
    expectWhole(day);
    expect(day.rungs('purge')[0]?.outcome).toEqual({ kind: 'failed', reason: 'no purge today' });
    expect(day.rungs('dump').length).toBeLessThanOrEqual(10);
    expect(day.signals.map(({ kind }) => kind)).toEqual(['begin', 'end']);
  });

  test('unavailable rungs: said once each, and the next one does not wait', () => {
    const day = simulatePressure(6 * HOUR_S, (process) => {
      process.live = 800;
      process.dirty = 100;
      process.garbage = 80;
      process.climb = (rung) =>
        rung === 'collect' ? { kind: 'done' } : { kind: 'unavailable', reason: 'this process has no jemalloc' };
    });
    expectWhole(day);
    expect(day.rungs('purge')).toHaveLength(1);
    expect(day.rungs('dump')).toHaveLength(1);
    expect(day.rungs('handler')).toHaveLength(1);
    expect(day.rungs('handler')[0]!.second).toBeLessThanOrEqual(4);
  });

  test('a rung that never ends is given up, and its late end changes nothing', () => {
    let end = (): void => {};
    const day = simulatePressure(HOUR_S, (process, second) => {
      process.live = 800;
      process.garbage = 180;
      process.climb = (rung) =>
        rung === 'collect'
          ? new Promise((resolve) => {
              end = () => resolve({ kind: 'done' });
            })
          : { kind: 'done' };
      if (second === 200) end();
    });
    expectWhole(day);
    expect(day.rungs('collect')[0]?.outcome).toEqual({ kind: 'failed', reason: 'it did not end within 60 s' });
    expect(day.signals.map(({ kind }) => kind)).toEqual(['begin', 'end']);
  });

  test('a handler that throws is told again, and its failure is an event', () => {
    let calls = 0;
    const day = simulatePressure(
      6 * HOUR_S,
      (process, second) => {
        process.live = Math.floor(second / (2 * HOUR_S)) % 2 === 0 ? 970 : 300;
      },
      {
        onPressure() {
          calls++;
          throw new Error('the handler is broken');
        },
      },
    );
    expectWhole(day);
    const failures = day.rungs('handler').filter(({ outcome }) => outcome.kind === 'failed');
    expect(failures.length).toBe(calls);
    // Two times two hours, each with its beginning and its end.
    expect(calls).toBe(4);
    expect(failures[0]?.outcome).toEqual({ kind: 'failed', reason: 'the handler is broken' });
  });

  test('a listener that throws stops nothing, and is reported once', () => {
    const day = simulatePressure(
      6 * HOUR_S,
      (process, second) => {
        process.live = Math.floor(second / (2 * HOUR_S)) % 2 === 0 ? 970 : 300;
      },
      {
        onEvent() {
          throw new Error('the listener is broken');
        },
      },
    );
    expectWhole(day);
    expect(day.warnings).toHaveLength(1);
    expect(day.signals.filter(({ kind }) => kind === 'end')).toHaveLength(2);
  });

  test('clock jumps: neither a level nor a profile comes of them', () => {
    const day = simulatePressure(DAY_S, (process, second) => {
      // Five seconds above, and at once a jump of three hours or back.
      process.live = 970;
      if (second % 600 === 0) process.clockShiftMs += second % 1200 === 0 ? 3 * HOUR_S * 1000 : -HOUR_S * 1000;
    });
    expectWhole(day, HOUR_S - 200);
    expect(day.levels).toHaveLength(2);
    const above = simulatePressure(3 * HOUR_S, (process, second) => {
      process.live = second % 600 === 1 ? 850 : 300;
      if (second % 600 === 2) process.clockShiftMs += 5 * 60_000;
    });
    expect(above.levels).toEqual([]);
  });
});

describe('each rung can be switched off', () => {
  test.each(['decay', 'purge', 'collect', 'dump', 'handler'] as const)('%s', (rung) => {
    const day = simulatePressure(
      2 * HOUR_S,
      (process, second) => {
        process.live = 700;
        process.dirty += 0.1;
        process.garbage = 60 + second / 40;
        process.climb = () => ({ kind: 'done' });
      },
      { rungs: { [rung]: false } },
    );
    expectWhole(day);
    expect(day.rungs(rung)).toEqual([]);
    expect(day.rungs(rung === 'purge' ? 'collect' : 'purge').length).toBeGreaterThan(0);
  });
});

test('any walk: the events are whole, few, and nothing is done without pressure', () => {
  const minute = fc.record({
    live: fc.integer({ min: 100, max: 1100 }),
    dirty: fc.integer({ min: 0, max: 300 }),
    garbage: fc.integer({ min: 0, max: 300 }),
    limit: fc.option(fc.integer({ min: 500, max: 1500 }), { nil: undefined, freq: 10 }),
    some: fc.integer({ min: 0, max: 100 }),
    full: fc.integer({ min: 0, max: 100 }),
    jumpMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: -1e7, max: 1e7 })),
    seconds: fc.integer({ min: 1, max: 90 }),
    helps: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(minute, { minLength: 20, maxLength: 120 }), (minutes) => {
      const script = minutes.flatMap((one) => Array<(typeof minutes)[number]>(one.seconds).fill(one));
      const day = simulatePressure(script.length - 1, (process: SimulatedProcess, second) => {
        const now = script[second]!;
        if (now === script[second - 1]) return;
        const real = process.climb;
        Object.assign(process, {
          limit: now.limit,
          live: now.live,
          dirty: now.dirty,
          garbage: now.garbage,
          stall: { some: now.some, full: now.full, of: now.helps ? 'group' : 'machine' },
          climb: now.helps ? real : () => ({ kind: 'done' }),
        });
        process.clockShiftMs += now.jumpMs;
      });
      expectWhole(day, 0);
      for (const event of day.events)
        if (event.kind === 'rung') expect(PRESSURE_LEVELS.indexOf(event.level)).toBeGreaterThan(0);
      expect(day.warnings).toEqual([]);
    }),
    { numRuns: 30 },
  );
});
