import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/model/duration.js';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['1s', 1000],
    ['2.5', 2500],
    ['10m', 600_000],
    ['10min', 600_000],
    ['1h30m', 5_400_000],
    ['1d 2h', 93_600_000],
  ])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', 's', '-1s', '5x', '1h30', '1..5s', 'm5', '1e400', '5 minutes'])("'%s' is none", (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  it('gives a finite number from 0 on or nothing, for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(\d{1,3}(ms|s|m|h|d) ?){1,4}$/)), (text) => {
        const ms = parseDuration(text);
        expect(ms === undefined || (Number.isFinite(ms) && ms >= 0)).toBe(true);
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [1500, '1.5 s'],
    [12_400, '12 s'],
    [65_000, '1 min 5 s'],
    [3_600_000, '1 h'],
    [12_000_000, '3 h 20 min'],
    [187_200_000, '2 d 4 h'],
    [undefined, '-'],
  ])('%s ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('is read again as nearly the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 86_400_000 }), (ms) => {
        const again = parseDuration(formatDuration(ms).replaceAll(/(?<=\d) (?=[a-z])/g, ''));
        expect(Math.abs((again ?? 0) - ms) / ms).toBeLessThan(0.1);
      }),
    );
  });
});
