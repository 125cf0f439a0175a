import type { MemorySeriesName } from '../../model/memory-series.js';
import type { Plot } from '../../model/plot.js';
import { curveName, FIGURE_HEADER, figureRow, runLine } from '../chart/plot-words.js';
import type { ChartDrawing } from './chart-canvas.js';
import { type ChartSeries, renderLineChart } from './line-chart.js';
import { renderTable } from './table.js';

/** How a plot is drawn in a terminal. */
export interface PlotPageOptions {
  readonly width: number;
  readonly height: number;
  readonly drawing: ChartDrawing;
  /** Colours the text of the curve with this index. */
  readonly paint?: ((series: number, text: string) => string) | undefined;
  readonly heading?: ((text: string) => string) | undefined;
}

const MARKS: Readonly<Partial<Record<MemorySeriesName, string>>> = {
  rss: 'R',
  active: 'A',
  allocated: 'a',
  dirty: 'd',
  heap: 'H',
  'heap-used': 'h',
  external: 'x',
  'array-buffers': 'b',
};

const FREE_MARKS = 'opqstuvwyz*+%@#';

/** Points in a cell of the plot are more than can be seen. */
const POINTS_PER_COLUMN = 4;

/** Draws recordings over one another in a terminal: who, the curves, and their figures. */
export function renderPlotText(plot: Plot, { width, height, drawing, paint, heading }: PlotPageOptions): string {
  const span = Math.max(0, ...plot.runs.map(({ spanMs }) => spanMs / 1000));
  const [xUnit, perUnit] = span < 300 ? ['s', 1] : span < 18_000 ? ['min', 60] : ['h', 3600];
  const peak = Math.max(0, ...plot.curves.map(({ figures }) => figures.peakBytes));
  const [yUnit, unitBytes] = peak >= 8 * 2 ** 30 ? ['GiB', 2 ** 30] : ['MiB', 2 ** 20];
  const series = plot.curves.map((curve, at): ChartSeries => {
    const step = Math.max(1, Math.floor(curve.seconds.length / (width * POINTS_PER_COLUMN)));
    const points: [number, number][] = [];
    for (let index = 0; index < curve.seconds.length; index += step) {
      // The highest of those that share a place: what a person looks for is the peak.
      const bytes = Math.max(...curve.bytes.subarray(index, index + step).filter((value) => !Number.isNaN(value)));
      points.push([(curve.seconds[index] ?? 0) / perUnit, bytes / unitBytes]);
    }
    const mark = (plot.runs.length === 1 && MARKS[curve.series]) || FREE_MARKS[at % FREE_MARKS.length] || '?';
    return { label: curveName(plot, curve), mark, points };
  });
  const chart = renderLineChart(series, { width, height, xUnit, yUnit, drawing, ...(paint ? { paint } : {}) });
  const table = renderTable(
    plot.curves.map((curve) => figureRow(plot, curve)),
    {
      header: FIGURE_HEADER,
      align: ['left', 'right', 'right', 'right', 'right', 'left'],
      styleHeader: heading ?? ((line) => line),
    },
  );
  return [...plot.runs.map(runLine), '', chart, '', table].join('\n');
}
