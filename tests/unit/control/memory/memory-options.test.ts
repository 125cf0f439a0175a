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
    [{ useJemalloc: 'yes' }, /useJemalloc is string \(expected boolean\)/, /default/],
    [{ memoryStatsInterval: 5 }, /memoryStatsInterval is 5 \(expected 0 or a whole number from 10/, /default/],
    [{ memoryStatsInterval: 2 ** 31 }, /memoryStatsInterval is 2147483648/, /default/],
    [{ memoryStatsInterval: Number.NaN }, /memoryStatsInterval is NaN/, /default/],
    [{ memoryStatsInterval: '1m' }, /memoryStatsInterval is string \(expected number\)/, /default/],
    [{ historySize: 3 }, /historySize is 3/, /default/],
    [
      { historySize: 15, trend: { minimumSamples: 16 } },
      /minimumSamples is 16 \(expected a whole number from 10 to 15/,
      /default/,
    ],
    [{ pressure: 3 }, /pressure is number \(expected boolean or object\)/, /default/],
    [{ tuning: null }, /tuning is null/, /default/],
  ])('%j is refused, with what was expected', (options, message, hint) => {
    const error = errorOf(options);
    expect(error.code).toBe('ERR_JEM_USAGE');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test('of a small history a trend is told all the same', () => {
    expect(checkMemoryOptions({ historySize: 12 }).trend.minimumSamples).toBe(12);
  });

  test('what is no object is refused', () => {
    expect(() => checkMemoryOptions(null as never)).toThrow(/received null/);
  });
});
