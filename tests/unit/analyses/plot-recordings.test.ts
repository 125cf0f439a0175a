import { describe, expect, it } from 'vitest';
import { figuresOf } from '../../../src/analyses/plot-recordings.js';
import { unknownSeries } from '../../../src/analyses/unknown-series.js';
import { GROWING, plotOf } from '../../support/plots.js';
import { sampleAt } from '../../support/samples.js';

const MIB = 2 ** 20;

describe('curves of recordings', () => {
  it('have figures of what was measured, and no curve where nothing was', () => {
    const { curves, runs } = plotOf([{ label: 'run.jemrec' }]);
    expect(runs).toMatchObject([{ label: 'run.jemrec', spanMs: 89_000 }]);
    expect(curves.map(({ series }) => series)).not.toContain('heap');
    const rss = curves.find(({ series }) => series === 'rss');
    expect(rss?.figures).toMatchObject({
      samples: 90,
      startBytes: 100 * MIB,
      endBytes: 189 * MIB,
      lowestBytes: 100 * MIB,
      peakBytes: 189 * MIB,
      medianBytes: 144.5 * MIB,
      trend: { verdict: 'growing' },
    });
    expect(rss?.figures.trend.bytesPerHour).toBeCloseTo(3600 * MIB, -3);
    const allocated = curves.find(({ series }) => series === 'allocated');
    expect(allocated?.figures).toMatchObject({ samples: 85, startBytes: 75 * MIB });
    expect(allocated?.bytes[0]).toBeNaN();
  });

  it('of several stand beside one another, each from its own start', () => {
    const later = GROWING.slice(10, 20).map((sample) => ({ ...sample, monotonicMs: sample.monotonicMs + 1e6 }));
    const { curves } = plotOf([{ label: 'a' }, { label: 'b', samples: later }]);
    expect(curves.slice(0, 2).map(({ series, run }) => `${series} ${run}`)).toEqual(['rss 0', 'rss 1']);
    expect(curves[1]?.seconds[0]).toBe(0);
    expect(curves[1]?.figures.trend.verdict).toBe('too early');
  });

  it('of nothing measured are none', () => {
    expect(figuresOf(new Float64Array(3), new Float64Array(3).fill(Number.NaN))).toBeUndefined();
    expect(plotOf([{ label: 'a', samples: [sampleAt(0, undefined)] }]).curves).toEqual([]);
  });
});

it('an unknown figure is answered with the nearest', () => {
  expect(unknownSeries('alocated')).toMatch(
    /^'alocated' is no figure of a sample; did you mean allocated\? \(expected rss, /,
  );
});
