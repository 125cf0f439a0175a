import { MEMORY_SERIES_NAMES, type MemorySeriesName } from '../../model/memory-series.js';
import type { Plot } from '../../model/plot.js';
import { colourOf, dashesOf } from '../chart/curve-colours.js';
import { LINE_HEIGHT, layOutPlot, type PlotSize } from '../chart/plot-layout.js';
import type { Point } from '../chart/thin-points.js';
import { cutText } from '../text/table.js';
import { encodePng } from './encode-png.js';
import { openRaster } from './raster.js';

/** Points of the picture for a pixel of the layout: sharp on the screens of today. */
const SCALE = 2;
const INK = { text: 0x1c1c1c, soft: 0x5a5a5a, grid: 0xdedede, ground: 0xffffff } as const;
const LETTERS = { scale: 2, colour: INK.text } as const;
const SOFT = { scale: 2, colour: INK.soft } as const;
const NUMBER_COLUMNS = [380, 470, 560, 650] as const;
const SLOPE_COLUMN = 670;
const LONGEST_NAME = 44;
const LONGEST_LABEL = 19;

const times = (value: number) => value * SCALE;
const scaled = (stretch: readonly Point[]) => stretch.map(([x, y]): Point => [times(x), times(y)]);

/**
 * Draws recordings over one another as a PNG file, on light ground. It needs no fonts, which servers and containers do not have.
 *
 * @param compress zlib's deflate.
 */
export function renderPlotPng(plot: Plot, size: PlotSize, compress: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const layout = layOutPlot(plot, size);
  const { left, right, top, bottom } = layout.plot;
  const raster = openRaster(times(layout.width), times(layout.height), INK.ground);
  const edge = left - 68;
  const write = (x: number, y: number, text: string, pen: Parameters<typeof raster.text>[3]) =>
    raster.text(times(x), times(y), text, pen);
  const line = (from: Point, to: Point, colour: number) => raster.lines([scaled([from, to])], { width: SCALE, colour });
  const colour = (series: MemorySeriesName) =>
    Number.parseInt(colourOf(series, MEMORY_SERIES_NAMES.indexOf(series)).light.slice(1), 16);
  const dashes = (run: number) => dashesOf(run).map(times);

  write(edge, 30, layout.title, { scale: 3, colour: INK.text });
  for (const [at, text] of layout.lines.entries()) {
    write(edge, 34 + LINE_HEIGHT * (at + 1), cutText(text, 150), SOFT);
  }
  for (const { at, text } of layout.y.ticks) {
    raster.fill(times(left), times(layout.placeY(at)), times(right - left), 1, INK.grid);
    write(left - 8, layout.placeY(at) + 4, text, { ...SOFT, align: 'right' });
  }
  line([left, top], [left, bottom], INK.soft);
  line([left, bottom], [right, bottom], INK.soft);
  for (const { at, text } of layout.x.ticks) {
    const x = layout.placeX(at);
    line([x, bottom], [x, bottom + 5], INK.soft);
    write(x, bottom + 19, text, { ...SOFT, align: 'middle' });
  }
  write((left + right) / 2, bottom + 38, layout.xTitle, { ...SOFT, align: 'middle' });
  if (layout.curves.length === 0) {
    write((left + right) / 2, (top + bottom) / 2, 'nothing was measured', { ...SOFT, align: 'middle' });
  }
  for (const { curve, stretches, name, end, labelY } of layout.curves) {
    const own = colour(curve.series);
    raster.lines(stretches.map(scaled), { width: 3.6, colour: own, dashes: dashes(curve.run) });
    if (labelY === undefined) continue;
    raster.lines([scaled([end, [right + 8, labelY]])], { width: 2, colour: own, opacity: 0.45 });
    write(right + 12, labelY + 4, cutText(name, LONGEST_LABEL), { scale: 2, colour: own });
  }
  const row = (cells: readonly string[], y: number, pen: typeof LETTERS | typeof SOFT) => {
    for (const [at, x] of NUMBER_COLUMNS.entries()) write(x, y, cells[at + 1] ?? '', { ...pen, align: 'right' });
    write(SLOPE_COLUMN, y, cells[5] ?? '', pen);
  };
  row(layout.header, layout.tableTop, SOFT);
  for (const [at, cells] of layout.rows.entries()) {
    const y = layout.tableTop + LINE_HEIGHT * (at + 1);
    const curve = layout.curves[at]?.curve;
    if (curve) {
      const swatch: readonly Point[] = [
        [edge, y - 4],
        [edge + 26, y - 4],
      ];
      raster.lines([scaled(swatch)], { width: 3.6, colour: colour(curve.series), dashes: dashes(curve.run) });
    }
    write(edge + 36, y, cutText(cells[0] ?? '', LONGEST_NAME), LETTERS);
    row(cells, y, LETTERS);
  }
  return encodePng(raster, compress);
}
