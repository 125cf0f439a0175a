import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../../../src/outputs/png/encode-png.js';
import { glyphRows, spellInGlyphs } from '../../../../src/outputs/png/glyphs.js';
import { renderPlotPng } from '../../../../src/outputs/png/plot-png.js';
import { openRaster } from '../../../../src/outputs/png/raster.js';
import { plotOf } from '../../../support/plots.js';
import { decodePng } from '../../../support/png.js';

const decode = (bytes: Uint8Array) => decodePng(Buffer.from(bytes));

describe('renderPlotPng', () => {
  it('is a picture in the colours of its curves', () => {
    const { width, height, colours } = decode(
      renderPlotPng(plotOf([{ label: 'run.jemrec' }]), { width: 800, plotHeight: 240 }, deflateSync),
    );
    expect(width).toBe(1600);
    expect(height).toBeGreaterThan(480);
    // Ground, letters, and the curves of RSS and of what is allocated.
    expect(colours.get(0xffffff)).toBeGreaterThan((width * height) / 2);
    for (const colour of [0x1c1c1c, 0x0072b2, 0x008a65]) expect(colours.get(colour)).toBeGreaterThan(500);
  });
});

describe('encodePng', () => {
  it('gives back every point', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        (width, height, bytes) => {
          const raster = openRaster(width, height, 0);
          for (let at = 0; at < raster.points.length; at++) raster.points[at] = bytes.next().value ?? 0;
          const decoded = decode(encodePng(raster, deflateSync));
          expect([decoded.width, decoded.height]).toEqual([width, height]);
          expect(Buffer.from(decoded.points).equals(Buffer.from(raster.points))).toBe(true);
        },
      ),
    );
  });
});

describe('a raster', () => {
  it('draws nothing outside of itself, wherever lines and texts lie', () => {
    const place = fc.double({ min: -50, max: 70, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(place, place), { maxLength: 5 }), fc.string(), (stretch, text) => {
        const raster = openRaster(20, 10, 0xffffff);
        raster.lines([stretch], { width: 3, colour: 0xff0000, dashes: [3, 2] });
        raster.text(stretch[0]?.[0] ?? 0, stretch[0]?.[1] ?? 0, text, { scale: 1, colour: 0 });
        expect(raster.points).toHaveLength(600);
      }),
    );
  });

  it('paints a line where it is, once where segments meet, with gaps where it is dashed', () => {
    const raster = openRaster(21, 5, 0xffffff);
    raster.lines(
      [
        [
          [0, 2],
          [10, 2],
          [20, 2],
        ],
      ],
      { width: 1, colour: 0, opacity: 0.5 },
    );
    const row = (y: number) => Array.from({ length: 21 }, (_, x) => raster.points[(y * 21 + x) * 3]);
    expect(new Set(row(2))).toEqual(new Set([128]));
    expect(new Set(row(0))).toEqual(new Set([255]));
    const dashed = openRaster(40, 3, 0xffffff);
    dashed.lines(
      [
        [
          [0, 1],
          [39, 1],
        ],
      ],
      { width: 1, colour: 0, dashes: [4, 6] },
    );
    const middle = Array.from({ length: 40 }, (_, x) => (dashed.points[(40 + x) * 3] === 0 ? '#' : '.')).join('');
    expect(middle).toMatch(/^#{4,5}\.+#{4,5}\.+#{4,5}\.+#{4,5}\.+$/);
  });

  it('has a picture for each printable character of ASCII, each another', () => {
    const letters = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at));
    const pictures = letters.map((letter) => glyphRows(letter).join());
    expect(new Set(pictures).size).toBe(95);
    expect(glyphRows('T')).toEqual([31, 4, 4, 4, 4, 4, 4, 0, 0]);
    expect(spellInGlyphs('é… 5→')).toBe('?.. 5->');
  });
});
