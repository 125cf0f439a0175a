import { describe, expect, test } from 'vitest';
import { checkMemoryOptions } from '../../../../src/control/memory/memory-options.js';
import { JemkitError } from '../../../../src/errors.js';

function errorOf(options: object): JemkitError {
  try {
    checkMemoryOptions(options);
  } catch (error) {
    if (error instanceof JemkitError) return error;
  }
  throw new Error('it was taken');
}

describe('the options of createMemory', () => {
  test('have defaults that change nothing', () => {
    expect(checkMemoryOptions({})).toMatchObject({
      memoryProfiling: false,
      autoMemoryTuning: false,
      memoryStatsInterval: 60_000,
      historySize: 1440,
      observable: true,
    });
  });

  test('tuning options switch the tuner on, unless it is switched off', () => {
    expect(checkMemoryOptions({ tuning: {} }).autoMemoryTuning).toBe(true);
    expect(checkMemoryOptions({ tuning: {}, autoMemoryTuning: false }).autoMemoryTuning).toBe(false);
  });

  test.each([
    [{ memoryStatInterval: 1000 }, /no option 'memoryStatInterval'/, /memoryStatsInterval/],
    [{ trend: { warmup: 1 } }, /no option 'trend.warmup'/, /warmUpMs/],
    [{ useJemalloc: 'yes' }, /useJemalloc is 'yes' \(expected boolean\)/, /default/],
    [{ memoryStatsInterval: 5 }, /memoryStatsInterval is 5 \(expected 0 or a whole number from 10/, /default/],
    [{ memoryStatsInterval: 2 ** 31 }, /memoryStatsInterval is 2147483648/, /default/],
    [{ memoryStatsInterval: Number.NaN }, /memoryStatsInterval is NaN/, /default/],
    [{ memoryStatsInterval: '1m' }, /memoryStatsInterval is '1m' \(expected number\)/, /default/],
    [{ historySize: 3 }, /historySize is 3/, /default/],
    [
      { historySize: 15, trend: { minimumSamples: 16 } },
      /minimumSamples is 16 \(expected a whole number from 10 to 15/,
      /default/,
    ],
    [{ pressure: 3 }, /pressure is 3 \(expected boolean or object\)/, /default/],
    [{ tuning: null }, /tuning is null/, /default/],
    [{ trend: [] }, /trend is \[\] \(expected object\)/, /default/],
    [{ trend: { warmUpMs: '5' } }, /trend.warmUpMs is '5' \(expected number\)/, /default/],
    [{ tuning: { dryrun: true } }, /auto tuner: no option 'dryrun'/, /did you mean 'dryRun'/],
    [{ tuning: { dryRun: 'no' } }, /dryRun is 'no' \(expected boolean\)/, /default/],
    [{ tuning: { dirtyDecayMs: [5] } }, /dirtyDecayMs is \[ 5 \] \(expected \[least, most\]/, /default/],
    [{ tuning: { dirtyDecayMs: 5 } }, /dirtyDecayMs is 5 \(expected array\)/, /default/],
    [
      { autoMemoryTuning: false, tuning: { intervalMs: -3 } },
      /intervalMs is -3 \(expected a number from 10/,
      /default/,
    ],
    [{ tuning: { onStep: 'x' } }, /onStep is 'x' \(expected function\)/, /default/],
    [{ pressure: [] }, /pressure is \[\] \(expected boolean or object\)/, /default/],
    [{ pressure: { limitByte: 1 } }, /pressure ladder: no option 'limitByte'/, /did you mean 'limitBytes'/],
    [{ pressure: { limitBytes: '512MB' } }, /limitBytes is '512MB' \(expected number\)/, /default/],
    [{ pressure: { rungs: { purg: false } } }, /no option 'rungs.purg'/, /did you mean 'purge'/],
    [{ pressure: { rungs: { purge: 'no' } } }, /rungs.purge is 'no' \(expected boolean\)/, /default/],
    [{ pressure: { rungs: ['purge'] } }, /rungs is \[ 'purge' \] \(expected object\)/, /default/],
    [{ pressure: { thresholds: { crit: {} } } }, /no option 'thresholds.crit'/, /critical/],
    [{ pressure: { thresholds: { high: 0.5 } } }, /thresholds.high is 0.5 \(expected object\)/, /default/],
    [
      { pressure: { thresholds: { high: { enter: '0.9' } } } },
      /thresholds.high is \{ enter: '0.9' \} \(expected/,
      /default/,
    ],
    [
      { pressure: { thresholds: { high: { enter: 0.5, leave: 0.4 } } } },
      /more than those of the level below/,
      /default/,
    ],
    [{ pressure: { onPressure: 5 } }, /onPressure is 5 \(expected function\)/, /default/],
  ])('%j is refused, with what was expected', (options, message, hint) => {
    const error = errorOf(options);
    expect(error.code).toBe('ERR_JEM_USAGE');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test('of a small history a trend is told all the same', () => {
    expect(checkMemoryOptions({ historySize: 12 }).trend.minimumSamples).toBe(12);
  });

  test('a number of the wrong kind is shown as it was written', () => {
    expect(errorOf({ memoryStatsInterval: 60_000n }).message).toContain(
      'memoryStatsInterval is 60000n (expected number)',
    );
  });

  test('an option that is given as undefined is left out', () => {
    expect(
      checkMemoryOptions({
        tuning: undefined,
        memoryStatsInterval: undefined,
        pressure: { thresholds: { critical: undefined }, rungs: { purge: undefined } },
        trend: { warmUpMs: undefined },
      }),
    ).toMatchObject({ memoryStatsInterval: 60_000, autoMemoryTuning: false, trend: { warmUpMs: 600_000 } });
  });

  test('what is no object is refused', () => {
    expect(() => checkMemoryOptions(null as never)).toThrow(/received null/);
    expect(() => checkMemoryOptions([] as never)).toThrow(/received \[\] \(expected an object\)/);
    expect(() => checkMemoryOptions('x' as never)).toThrow(/received 'x'/);
  });
});
