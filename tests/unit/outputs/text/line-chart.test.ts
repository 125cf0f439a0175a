import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChartSeries,
  type LineChartOptions,
  renderLineChart,
  roundStep,
} from '../../../../src/outputs/text/line-chart.js';

const OPTIONS: LineChartOptions = { width: 60, height: 8, xUnit: 's', yUnit: 'MiB', drawing: 'ascii' };
const RISING: ChartSeries = {
  label: 'glibc',
  mark: 'g',
  points: [
    [0, 0],
    [5, 50],
    [10, 100],
  ],
};
const FLAT: ChartSeries = {
  label: 'jemalloc',
  mark: 'j',
  points: [
    [0, 20],
    [10, 20],
  ],
};

/** Lines between the unit and the axis, without the y labels. */
function plotOf(chart: string): string[] {
  const lines = chart.split('\n');
  const top = lines.findIndex((line) => line.trim() === 'MiB') + 1;
  const bottom = lines.findIndex((line) => /[+└][-─]+$/.test(line));
  return lines.slice(top, bottom).map((line) => line.replace(/^ *[\d.]* ?[|+│┤]/, ''));
}

describe('renderLineChart', () => {
  it('draws every curve with its mark, units on both axes and a legend', () => {
    const chart = renderLineChart([RISING, FLAT], OPTIONS);
    expect(chart.split('\n')[0]).toBe('g glibc   j jemalloc');
    expect(chart).toContain('MiB\n');
    expect(chart).toMatch(/0 +.*10 s/);
    const plot = plotOf(chart);
    expect(plot).toHaveLength(8);
    expect(plot[0]).toMatch(/g$/);
    expect(plot.at(-1)).toMatch(/^g/);
    expect(plot.filter((line) => line.includes('j'))).toHaveLength(1);
  });

  it('begins the y axis at 0, whatever the smallest value is', () => {
    const chart = renderLineChart(
      [
        {
          ...FLAT,
          points: [
            [0, 990],
            [1, 1000],
          ],
        },
      ],
      OPTIONS,
    );
    expect(chart).toMatch(/^ +0 \+/m);
  });

  it('stays in ASCII where it is told to', () => {
    const chart = renderLineChart([RISING, FLAT], { ...OPTIONS, verticals: [{ x: 5, label: 'half' }] });
    expect(chart).toMatch(/^[\x20-\x7e\n]*$/);
    expect(chart).toContain('^ half');
  });

  it('marks a vertical in every free row', () => {
    const plot = plotOf(renderLineChart([FLAT], { ...OPTIONS, verticals: [{ x: 5, label: 'half' }] }));
    expect(plot.filter((line) => line.includes(':'))).toHaveLength(7);
  });

  it('paints whole stretches of one curve, legend included', () => {
    const painted: [number, string][] = [];
    const paint = (series: number, text: string) => {
      painted.push([series, text]);
      return text;
    };
    renderLineChart([RISING, FLAT], { ...OPTIONS, drawing: 'braille', paint });
    expect(painted.slice(0, 2)).toEqual([
      [0, '⣿ glibc'],
      [1, '⣿ jemalloc'],
    ]);
    expect(painted.slice(2).every(([, text]) => /^[\u2800-\u28ff]+$/.test(text))).toBe(true);
  });

  it('says so where there is no point', () => {
    expect(renderLineChart([{ ...RISING, points: [[Number.NaN, 1]] }], OPTIONS)).toContain('nothing was measured');
    expect(renderLineChart([], OPTIONS)).toBe('nothing was measured');
  });

  it('gives the legend alone where there is no room', () => {
    expect(renderLineChart([RISING], { ...OPTIONS, width: 9 })).toBe('g glibc');
  });

  it('never throws, and no line is wider than asked', () => {
    const anyNumber = fc.oneof(fc.double(), fc.double({ min: 0, max: 1000, noNaN: true }), fc.constant(0));
    const series = fc.record({
      label: fc.string({ maxLength: 20 }).map((text) => text.replace(/[^ -~]/g, '?')),
      mark: fc.string({ maxLength: 2 }).map((text) => text.replace(/[^!-~]/g, 'x')),
      points: fc.array(fc.tuple(anyNumber, anyNumber), { maxLength: 30 }),
    });
    fc.assert(
      fc.property(
        fc.array(series, { maxLength: 4 }),
        fc.integer({ min: -5, max: 200 }),
        fc.integer({ min: -5, max: 40 }),
        fc.constantFrom('braille', 'marks', 'ascii'),
        fc.array(fc.record({ x: anyNumber, label: fc.constant('here') }), { maxLength: 3 }),
        (all, width, height, drawing, verticals) => {
          const chart = renderLineChart(all, { width, height, xUnit: 's', yUnit: 'MiB', drawing, verticals });
          for (const line of chart.split('\n')) expect(line.length).toBeLessThanOrEqual(Math.max(1, width));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('roundStep', () => {
  it('is 1, 2 or 5 times a power of ten', () => {
    expect(roundStep(100, 5)).toBe(20);
    expect(roundStep(224, 5)).toBe(50);
    expect(roundStep(0.4, 4)).toBeCloseTo(0.1);
    expect(roundStep(0, 5)).toBe(1);
    expect(roundStep(Number.NaN, 5)).toBe(1);
  });
});
