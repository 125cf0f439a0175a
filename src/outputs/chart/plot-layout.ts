import type { Plot, PlotCurve } from '../../model/plot.js';
import { type Axis, byteAxis, momentUnit, timeAxis } from './axis-ticks.js';
import { curveName, FIGURE_HEADER, figureRow, runLine } from './plot-words.js';
import { type Point, thinPoints } from './thin-points.js';

/** A stretch of a curve in units of the picture. */
export interface DrawnCurve {
  readonly curve: PlotCurve;
  readonly name: string;
  readonly stretches: readonly Point[][];
  /** Where its last point is. */
  readonly end: Point;
  /** The height of its label at the right; undefined where there is no room for it. */
  readonly labelY: number | undefined;
}

/** Where everything stands, in pixels from the top left. */
export interface PlotLayout {
  readonly width: number;
  readonly height: number;
  readonly plot: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };
  readonly title: string;
  readonly lines: readonly string[];
  readonly x: Axis;
  readonly y: Axis;
  readonly xTitle: string;
  readonly curves: readonly DrawnCurve[];
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly tableTop: number;
  readonly placeX: (seconds: number) => number;
  readonly placeY: (bytes: number) => number;
}

/** How large a picture is, and how large its letters. */
export interface PlotSize {
  readonly width: number;
  /** Of the plot itself, without title and table. */
  readonly plotHeight: number;
  readonly title?: string | undefined;
}

export const LINE_HEIGHT = 18;
const MARGIN = 16;
const AXIS_WIDTH = 68;
const LABEL_WIDTH = 128;
const LABEL_GAP = 14;

/** Labels beside the ends of the curves, none nearer to another than can be read; what does not fit has none. */
function placeLabels(ends: readonly number[], top: number, bottom: number): (number | undefined)[] {
  const most = Math.floor((bottom - top) / LABEL_GAP) + 1;
  const order = ends.map((y, at) => ({ y, at })).sort((a, b) => a.y - b.y);
  const placed: (number | undefined)[] = ends.map(() => undefined);
  const kept = order.slice(0, most);
  let last = Number.NEGATIVE_INFINITY;
  const heights = kept.map(({ y }) => {
    last = Math.max(y, last + LABEL_GAP);
    return last;
  });
  // Pushed out at the bottom: back up, each above the one below it.
  let below = bottom;
  for (let at = heights.length - 1; at >= 0; at--) {
    heights[at] = Math.min(heights[at] as number, below);
    below = (heights[at] as number) - LABEL_GAP;
  }
  for (const [at, { at: curve }] of kept.entries()) placed[curve] = heights[at];
  return placed;
}

/** Lays a plot out: pure arithmetic that the drawings as SVG and PNG share. */
export function layOutPlot(plot: Plot, { width, plotHeight, title }: PlotSize): PlotLayout {
  const lines = plot.runs.map(runLine);
  const top = MARGIN + LINE_HEIGHT * (1 + lines.length) + 14;
  const area = { left: MARGIN + AXIS_WIDTH, top, right: width - MARGIN - LABEL_WIDTH, bottom: top + plotHeight };
  let largest = 0;
  for (const { figures } of plot.curves) largest = Math.max(largest, figures.peakBytes);
  let span = 0;
  for (const { spanMs } of plot.runs) span = Math.max(span, spanMs / 1000);
  const x = timeAxis(span, Math.max(2, Math.floor((area.right - area.left) / 90)));
  const y = byteAxis(largest, Math.max(2, Math.floor(plotHeight / 48)));
  const placeX = (seconds: number) => area.left + (seconds / x.to) * (area.right - area.left);
  const placeY = (bytes: number) => area.bottom - (bytes / y.to) * (area.bottom - area.top);
  const columns = area.right - area.left;
  const drawn = plot.curves.map((curve) => {
    const stretches = thinPoints(curve.seconds, curve.bytes, columns, x.to).map((stretch) =>
      stretch.map(([px, py]): Point => [placeX(px), placeY(py)]),
    );
    return {
      curve,
      name: curveName(plot, curve),
      stretches,
      end: stretches.at(-1)?.at(-1) ?? ([area.left, area.bottom] as Point),
    };
  });
  const heights = placeLabels(
    drawn.map(({ end }) => end[1]),
    area.top,
    area.bottom,
  );
  const tableTop = area.bottom + 62;
  return {
    width,
    height: tableTop + LINE_HEIGHT * (1 + plot.curves.length) + MARGIN,
    plot: area,
    title: title ?? 'Memory over time',
    lines,
    x,
    y,
    xTitle: `time since the start, ${momentUnit(x.to)}`,
    curves: drawn.map((curve, at) => ({ ...curve, labelY: heights[at] })),
    header: FIGURE_HEADER,
    rows: plot.curves.map((curve) => figureRow(plot, curve)),
    tableTop,
    placeX,
    placeY,
  };
}
