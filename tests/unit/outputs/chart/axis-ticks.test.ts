import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteAxis, formatMoment, momentUnit, timeAxis } from '../../../../src/outputs/chart/axis-ticks.js';
import { slopeWords } from '../../../../src/outputs/chart/plot-words.js';
import { thinPoints } from '../../../../src/outputs/chart/thin-points.js';

describe('byteAxis', () => {
  it('counts in powers of two, in one unit', () => {
    expect(byteAxis(140 * 2 ** 20, 6).ticks.map(({ text }) => text)).toEqual([
      '0 MiB',
      '32 MiB',
      '64 MiB',
      '96 MiB',
      '128 MiB',
      '160 MiB',
    ]);
    expect(byteAxis(1.4 * 2 ** 30, 4).ticks.map(({ text }) => text)).toEqual(['0 GiB', '0.5 GiB', '1 GiB', '1.5 GiB']);
    expect(byteAxis(5, 5).ticks.at(-1)).toEqual({ at: 5, text: '5 B' });
  });

  it('holds every value, from 0, with few ticks that rise', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 2 ** 52, noNaN: true }),
        fc.integer({ min: 2, max: 12 }),
        (largest, count) => {
          const { to, ticks } = byteAxis(largest, count);
          expect(to).toBeGreaterThanOrEqual(largest * (1 - 1e-8));
          expect(ticks[0]?.at).toBe(0);
          expect(ticks.at(-1)?.at).toBe(to);
          expect(ticks.length).toBeLessThanOrEqual(count + 1);
          expect(new Set(ticks.map(({ text }) => text)).size).toBe(ticks.length);
        },
      ),
    );
  });
});

describe('timeAxis', () => {
  it.each([
    [10, '10 s'],
    [600, '10:00'],
    [7200, '2:00'],
    [86_400 * 3, '3 d'],
  ])('of %i s ends at %s', (span, last) => {
    const { ticks } = timeAxis(span, 6);
    expect(formatMoment(ticks.at(-1)?.at ?? 0, 86_400, span)).toBe(last);
    expect(momentUnit(span)).toMatch(/^(seconds|minutes:seconds|hours:minutes|days)$/);
  });

  it('has few ticks for any span, none beyond it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e8, noNaN: true }), fc.integer({ min: 2, max: 12 }), (span, count) => {
        const { ticks, to } = timeAxis(span, count);
        expect(to).toBe(span);
        expect(ticks.length).toBeLessThanOrEqual(count + 1);
        expect(ticks.at(-1)?.at).toBeLessThanOrEqual(span * (1 + 1e-6));
        expect(new Set(ticks.map(({ text }) => text)).size).toBe(ticks.length);
      }),
    );
  });
});

describe('thinPoints', () => {
  it('keeps every peak, the ends and the order, and cuts at gaps', () => {
    const value = fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: 1000 }) },
      { weight: 1, arbitrary: fc.constant(Number.NaN) },
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (ys, columns) => {
        const xs = ys.map((_, at) => at);
        const stretches = thinPoints(xs, ys, columns, Math.max(1, ys.length - 1));
        const points = stretches.flat();
        const measured = ys.filter((y) => !Number.isNaN(y));
        expect(Math.max(...points.map(([, y]) => y))).toBe(Math.max(...measured));
        expect(Math.min(...points.map(([, y]) => y))).toBe(Math.min(...measured));
        for (const [x, y] of points) expect(ys[x]).toBe(y);
        const order = points.map(([x]) => x);
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
        for (const stretch of stretches) {
          const [from, to] = [stretch[0]?.[0] ?? 0, stretch.at(-1)?.[0] ?? 0];
          expect(ys.slice(from, to + 1).some(Number.isNaN)).toBe(false);
        }
        expect(points.length).toBeLessThanOrEqual(4 * (columns + 1) + 4 * ys.filter(Number.isNaN).length + 4);
      }),
    );
  });
});

it('a slope has its interval, and what cannot be told is not told', () => {
  const trend = {
    verdict: 'growing',
    samples: 90,
    spanMs: 1e6,
    bytesPerHour: 2 ** 21,
    lowBytesPerHour: 2 ** 20,
    highBytesPerHour: Infinity,
  } as const;
  expect(slopeWords(trend)).toBe('growing, +2.00 MiB/h (+1.00 MiB … ?)');
  expect(slopeWords({ ...trend, bytesPerHour: undefined })).toBe('too early to say');
});
