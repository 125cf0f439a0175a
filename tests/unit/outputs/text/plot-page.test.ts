import { describe, expect, it } from 'vitest';
import { renderPlotText } from '../../../../src/outputs/text/plot-page.js';
import { plotOf } from '../../../support/plots.js';

describe('renderPlotText', () => {
  it('says who, draws the curves, and has their figures', () => {
    const text = renderPlotText(plotOf([{ label: 'run.jemrec' }]), { width: 80, height: 10, drawing: 'ascii' });
    expect(text).toMatch(
      /^run\.jemrec: node server\.js \(pid 4711\), 2023-11-14 .* UTC, 90 samples in 1 min 29 s, until it was stopped\n/,
    );
    expect(text).toMatch(/\nMiB\n/m);
    expect(text).toMatch(/RSS +100 MiB +145 MiB +189 MiB +189 MiB +growing, \+3\.5\d GiB\/h/);
    expect(text).toContain('a allocated');
  });

  it('keeps peaks that are narrower than a column', () => {
    const base = plotOf([{ label: 'a' }]);
    const [rss] = base.curves;
    if (!rss) throw new Error('no curve');
    const bytes = new Float64Array(10_000).fill(2 ** 20);
    bytes[5001] = 64 * 2 ** 20;
    const seconds = Float64Array.from({ length: 10_000 }, (_, at) => at / 200);
    const plot = {
      runs: base.runs,
      curves: [{ ...rss, bytes, seconds, figures: { ...rss.figures, peakBytes: 64 * 2 ** 20 } }],
    };
    const text = renderPlotText(plot, { width: 60, height: 8, drawing: 'ascii' });
    expect(text.split('\n').some((line) => /^ *60 \+.*R|^ *80 \+|^ +\|.*R/.test(line))).toBe(true);
    expect(text).toContain('R RSS');
    expect(text).not.toContain('NaN');
  });

  it('shows control characters of a program’s name as ?', () => {
    expect(
      renderPlotText(plotOf([{ label: 'a\u001b[2J', command: 'x\u0007' }]), { width: 80, height: 8, drawing: 'ascii' }),
    ).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
