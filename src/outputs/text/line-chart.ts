import { type ChartDrawing, openCanvas, paintRow } from './chart-canvas.js';

/** One curve of a chart. */
export interface ChartSeries {
  readonly label: string;
  /** The character that draws it where curves cannot be told apart by colour. */
  readonly mark: string;
  readonly points: ReadonlyArray<readonly [x: number, y: number]>;
}

/** How a chart is drawn. */
export interface LineChartOptions {
  /** Columns in all; no line is longer. */
  readonly width: number;
  /** Rows of the plot itself, without axis and legend. */
  readonly height: number;
  readonly xUnit: string;
  readonly yUnit: string;
  /** Vertical lines at moments that matter. */
  readonly verticals?: ReadonlyArray<{ readonly x: number; readonly label: string }>;
  readonly drawing: ChartDrawing;
  /** Colours the text of the curve with this index. */
  readonly paint?: (series: number, text: string) => string;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** A round step (1, 2 or 5 times a power of ten) of which about `count` fit into a span. */
export function roundStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  if (!(raw > 0) || !Number.isFinite(raw)) return 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  if (!(power > 0)) return raw;
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= raw * 0.999) ?? 10;
  return factor * power;
}

/** Beyond this the differences on an axis are lost in a double. */
const LARGEST = 1e15;
const canBeDrawn = (value: number) => Math.abs(value) <= LARGEST;
const isFinitePoint = ([x, y]: readonly [number, number]) => canBeDrawn(x) && canBeDrawn(y);

function formatTick(value: number, step: number): string {
  const digits = step >= 1 || step === 0 ? 0 : Math.min(6, Math.ceil(-Math.log10(step)));
  const text = Math.abs(value) >= 1e9 ? value.toExponential(1) : value.toFixed(digits);
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

function drawSeries(
  canvas: ReturnType<typeof openCanvas>,
  points: ReadonlyArray<readonly [number, number]>,
  x: Range,
  y: Range,
  series: number,
  mark: string,
): void {
  const column = (value: number) => Math.round(((value - x.from) / (x.to - x.from)) * (canvas.across - 1));
  // A negative value is one row below the plot, however far: the way there is walked dot by dot.
  const row = (value: number) =>
    value < 0 ? canvas.down : canvas.down - 1 - Math.round(((value - y.from) / (y.to - y.from)) * (canvas.down - 1));
  let last: readonly [number, number] | undefined;
  for (const [px, py] of points) {
    const here = [column(px), row(py)] as const;
    if (last === undefined) canvas.dot(here[0], here[1], series, mark);
    else {
      const steps = Math.max(1, Math.abs(here[0] - last[0]), Math.abs(here[1] - last[1]));
      for (let i = 0; i <= steps; i++) {
        const share = i / steps;
        canvas.dot(
          Math.round(last[0] + (here[0] - last[0]) * share),
          Math.round(last[1] + (here[1] - last[1]) * share),
          series,
          mark,
        );
      }
    }
    last = here;
  }
}

/** Texts on a line of given width, each centred at its column; what does not fit or would touch another is left out. */
function placeTexts(width: number, texts: ReadonlyArray<readonly [column: number, text: string]>): string {
  let line = '';
  for (const [column, text] of texts) {
    const start = Math.min(Math.max(0, column - Math.floor(text.length / 2)), width - text.length);
    if (start < 0 || (line !== '' && start < line.length + 1)) continue;
    line = line.padEnd(start) + text;
  }
  return line;
}

function rangesOf(
  series: readonly ChartSeries[],
  verticals: NonNullable<LineChartOptions['verticals']>,
): { x: Range; y: Range } | undefined {
  let [left, right, top] = [Infinity, -Infinity, 0];
  for (const { points } of series) {
    for (const point of points) {
      if (!isFinitePoint(point)) continue;
      left = Math.min(left, point[0]);
      right = Math.max(right, point[0]);
      top = Math.max(top, point[1]);
    }
  }
  if (left > right) return undefined;
  for (const { x } of verticals) {
    if (!canBeDrawn(x)) continue;
    left = Math.min(left, x);
    right = Math.max(right, x);
  }
  return { x: { from: left, to: right > left ? right : left + 1 }, y: { from: 0, to: top > 0 ? top : 1 } };
}

/**
 * Draws curves over one another on axes that begin at 0, with a legend above. Points without a finite place
 * are passed over, negative ones fall below the axis and are not drawn. A width too small for a plot gives the legend alone.
 */
export function renderLineChart(series: readonly ChartSeries[], options: LineChartOptions): string {
  const { drawing, verticals = [], xUnit, yUnit } = options;
  const width = Math.max(1, Math.floor(options.width) || 1);
  const height = Math.min(200, Math.max(2, Math.floor(options.height) || 2));
  const paint = options.paint ?? ((_: number, text: string) => text);
  const marks = series.map(({ mark }, index) => [...mark][0] ?? String(index % 10));
  const sign = (index: number) => (drawing === 'braille' ? '⣿' : (marks[index] ?? '?'));
  const legend = series.map(({ label }, index) => {
    const text = `${sign(index)} ${label}`.slice(0, width);
    return { text, painted: paint(index, text) };
  });
  const legendLines: string[] = [];
  let used = 0;
  for (const { text, painted } of legend) {
    if (used > 0 && used + 3 + text.length <= width) legendLines[legendLines.length - 1] += `   ${painted}`;
    else {
      legendLines.push(painted);
      used = -3;
    }
    used += 3 + text.length;
  }

  const ranges = rangesOf(series, verticals);
  if (!ranges) return [...legendLines, 'nothing was measured'.slice(0, width)].join('\n');
  const { x, y } = ranges;
  const yStep = roundStep(y.to, height / 2.5);
  const yTop: Range = { from: 0, to: Math.ceil((y.to / yStep) * 0.9999) * yStep };
  const yTicks: number[] = [];
  for (let value = 0; value <= yTop.to * 1.0001 && yTicks.length <= height; value += yStep) yTicks.push(value);
  const gutter = Math.max(...yTicks.map((value) => formatTick(value, yStep).length), yUnit.length) + 1;
  const columns = width - gutter - 1;
  if (columns < 10) return legendLines.join('\n');

  const [bar, tick, base, corner, dotted] = drawing === 'ascii' ? ['|', '+', '-', '+', ':'] : ['│', '┤', '─', '└', '┊'];
  const canvas = openCanvas(columns, height, drawing);
  for (const [index, { points }] of series.entries()) {
    drawSeries(canvas, points.filter(isFinitePoint), x, yTop, index, marks[index] ?? '?');
  }
  const columnOf = (value: number) => Math.round(((value - x.from) / (x.to - x.from)) * (columns - 1));
  const drawn = verticals.filter((vertical) => canBeDrawn(vertical.x));
  for (const vertical of drawn)
    for (let row = 0; row < height; row++) canvas.put(columnOf(vertical.x), row, dotted as string);

  const tickRows = new Map(yTicks.map((value) => [height - 1 - Math.round((value / yTop.to) * (height - 1)), value]));
  const lines: string[] = [];
  lines.push(...legendLines, yUnit.padStart(gutter - 1));
  for (let row = 0; row < height; row++) {
    const value = tickRows.get(row);
    const label = value === undefined ? '' : formatTick(value, yStep);
    lines.push(`${label.padStart(gutter - 1)} ${value === undefined ? bar : tick}${paintRow(canvas.row(row), paint)}`);
  }
  lines.push(`${' '.repeat(gutter)}${corner}${(base as string).repeat(columns)}`);
  const indent = ' '.repeat(gutter + 1);
  const xStep = roundStep(x.to - x.from, columns / 12);
  const xTicks: (readonly [number, string])[] = [];
  for (let i = 0; i <= columns; i++) {
    const value = (Math.ceil(x.from / xStep - 1e-9) + i) * xStep;
    if (value > x.to * (1 + Math.sign(x.to) * 1e-9)) break;
    xTicks.push([columnOf(value), formatTick(value, xStep)]);
  }
  const last = xTicks.at(-1);
  if (last) xTicks[xTicks.length - 1] = [last[0], `${last[1]} ${xUnit}`];
  lines.push(indent + placeTexts(columns, xTicks));
  if (drawn.length > 0) {
    const labels = drawn.map(({ x: at, label }) => [columnOf(at), label] as const);
    lines.push(indent + placeLabels(columns, drawing === 'ascii' ? '^' : '▲', labels));
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}

/** A pointer at each column with its text to the right, or to the left where the right has no room. */
function placeLabels(
  width: number,
  pointer: string,
  labels: ReadonlyArray<readonly [column: number, text: string]>,
): string {
  let line = '';
  for (const [column, text] of [...labels].sort((a, b) => a[0] - b[0])) {
    const toTheRight = `${pointer} ${text}`;
    const toTheLeft = `${text} ${pointer}`;
    const [start, placed] =
      column + toTheRight.length <= width ? [column, toTheRight] : [column + 1 - toTheLeft.length, toTheLeft];
    if (start < 0 || (line !== '' && start < line.length + 1)) continue;
    line = line.padEnd(start) + placed;
  }
  return line;
}
