import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeMarkup } from '../../../../src/outputs/svg/markup.js';
import { renderPlotSvg } from '../../../../src/outputs/svg/plot-svg.js';
import { parseMarkup } from '../../../support/markup.js';
import { GROWING, plotOf } from '../../../support/plots.js';
import { sampleAt } from '../../../support/samples.js';

/** Any 16-bit units, halves of surrogate pairs among them. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 127 }), fc.integer({ min: 0, max: 0xffff })), { maxLength: 40 })
  .map((units) => String.fromCharCode(...units));

const SIZE = { width: 1000, plotHeight: 400 };

describe('renderPlotSvg', () => {
  it('is well-formed, within its box, for light and dark, and loads nothing', () => {
    const svg = renderPlotSvg(plotOf([{ label: 'a.jemrec' }, { label: 'b.jemrec' }]), SIZE);
    const elements = parseMarkup(svg);
    const [root] = elements;
    const [, , width, height] = (root?.attributes['viewBox'] ?? '').split(' ').map(Number);
    expect(root).toMatchObject({
      name: 'svg',
      attributes: { role: 'img', width: String(width), height: String(height) },
    });
    for (const { attributes } of elements) {
      for (const [x, y] of [...(attributes['d'] ?? '').matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map((m) => [
        Number(m[1]),
        Number(m[2]),
      ])) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(width ?? 0);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(y).toBeLessThanOrEqual(height ?? 0);
      }
    }
    expect(svg).toContain('prefers-color-scheme:dark');
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|@import|<script|href/);
  });

  it('shows units, names, dashes for the second recording, and a table of figures', () => {
    const svg = renderPlotSvg(plotOf([{ label: 'before.jemrec' }, { label: 'after.jemrec' }]), SIZE);
    expect(svg).toMatch(/>\d+ MiB</);
    expect(svg).toContain('time since the start, seconds');
    expect(svg).toContain('>RSS, before.jemrec<');
    expect(svg).toContain('stroke-dasharray="7 4"');
    expect(svg).toMatch(/growing, \+3\.\d+ GiB\/h/);
    expect(svg).not.toContain('NaN');
  });

  it('stays well-formed whatever a program calls itself', () => {
    fc.assert(
      fc.property(anyText, anyText, (label, command) => {
        const svg = renderPlotSvg(plotOf([{ label, command, samples: GROWING.slice(0, 3) }]), {
          ...SIZE,
          title: label,
        });
        parseMarkup(svg);
        expect(svg).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u);
      }),
      { numRuns: 60 },
    );
    const hostile = renderPlotSvg(
      plotOf([{ label: '</text><script>alert(1)</script>', command: '"><img onerror=x>' }]),
      SIZE,
    );
    expect(parseMarkup(hostile).map(({ name }) => name)).not.toContain('script');
  });

  it('draws one sample as a point, and says so where there is none', () => {
    expect(renderPlotSvg(plotOf([{ label: 'a', samples: [sampleAt(0, 4096)] }]), SIZE)).toContain('<circle');
    const empty = renderPlotSvg(plotOf([{ label: 'a', samples: [sampleAt(0, undefined)] }]), SIZE);
    expect(empty).toContain('nothing was measured');
    parseMarkup(empty);
  });
});

it('escapeMarkup leaves nothing that markup reads', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const escaped = escapeMarkup(text);
      expect(escaped).not.toMatch(/[<>"']/);
      expect(escaped.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
    }),
  );
});
