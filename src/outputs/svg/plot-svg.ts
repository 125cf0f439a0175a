import { MEMORY_SERIES_NAMES } from '../../model/memory-series.js';
import type { Plot } from '../../model/plot.js';
import { colourOf, dashesOf } from '../chart/curve-colours.js';
import { type DrawnCurve, LINE_HEIGHT, layOutPlot, type PlotLayout, type PlotSize } from '../chart/plot-layout.js';
import { cutText } from '../text/table.js';
import { escapeMarkup, pixels } from './markup.js';

/** The right edges of the table's columns of numbers, and the left edge of the last one. */
const NUMBER_COLUMNS = [370, 462, 554, 646] as const;
const SLOPE_COLUMN = 670;
const LONGEST_NAME = 36;
const LONGEST_LABEL = 19;

/** The rules that colour a plot, on light ground and on dark; `scope` stands in front of each. */
export function plotStyles(plot: Plot): string {
  const colours = plot.curves.map(({ series }) => colourOf(series, MEMORY_SERIES_NAMES.indexOf(series)));
  const rules = (ground: 'light' | 'dark') => colours.map((colour, at) => `.c${at}{--c:${colour[ground]}}`).join('');
  return [
    ':root{color-scheme:light dark}',
    'svg{--ink:#1c1c1c;--soft:#5a5a5a;--grid:#dedede;--ground:#fff;font:12px system-ui,-apple-system,"Segoe UI",sans-serif}',
    `.ground{fill:var(--ground)}text{fill:var(--ink)}.soft{fill:var(--soft)}.title{font-size:15px;font-weight:600}`,
    `.grid,.axis{fill:none;stroke:var(--grid);stroke-width:1}.axis{stroke:var(--soft)}.num{text-anchor:end;font-variant-numeric:tabular-nums}`,
    '.mid{text-anchor:middle}.curve{fill:none;stroke:var(--c);stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}',
    '.dot{fill:var(--c);stroke:none}.label{fill:var(--c)}',
    rules('light'),
    `@media (prefers-color-scheme:dark){svg{--ink:#ececec;--soft:#a8a8a8;--grid:#363636;--ground:#161616}${rules('dark')}}`,
  ].join('');
}

/** A line with a curve's colour and dashes, as the legend shows it. */
export function swatch(run: number, at: number, x: number, y: number): string {
  const dashes = dashesOf(run);
  const dash = dashes.length > 0 ? ` stroke-dasharray="${dashes.join(' ')}"` : '';
  return `<path class="curve c${at}"${dash} d="M${pixels(x)} ${pixels(y)}h26"/>`;
}

function drawCurve({ curve, stretches, name, end, labelY }: DrawnCurve, at: number, layout: PlotLayout): string {
  const lines = stretches
    .filter((stretch) => stretch.length > 1)
    .map((stretch) => stretch.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${pixels(x)} ${pixels(y)}`).join(''))
    .join('');
  const dots = stretches
    .filter((stretch) => stretch.length === 1)
    .map(
      ([point]) =>
        `<circle class="dot c${at}" cx="${pixels(point?.[0] ?? 0)}" cy="${pixels(point?.[1] ?? 0)}" r="2.2"/>`,
    );
  const dashes = dashesOf(curve.run);
  const dash = dashes.length > 0 ? ` stroke-dasharray="${dashes.join(' ')}"` : '';
  const path = lines === '' ? '' : `<path class="curve c${at}"${dash} d="${lines}"/>`;
  const { right } = layout.plot;
  const label =
    labelY === undefined
      ? ''
      : `<path class="curve c${at}" stroke-opacity=".45" d="M${pixels(end[0])} ${pixels(end[1])}L${right + 8} ${pixels(labelY)}"/>` +
        `<text class="label c${at}" x="${right + 12}" y="${pixels(labelY + 4)}">${escapeMarkup(cutText(name, LONGEST_LABEL))}</text>`;
  return `<g data-curve="${at}"><title>${escapeMarkup(name)}</title>${path}${dots.join('')}${label}</g>`;
}

function drawAxes({ plot, x, y, xTitle, placeX, placeY }: PlotLayout): string {
  const { left, right, top, bottom } = plot;
  const horizontal = y.ticks.map(({ at, text }) => {
    const height = pixels(placeY(at));
    return `<path class="grid" d="M${left} ${height}H${right}"/><text class="num soft" x="${left - 8}" y="${pixels(placeY(at) + 4)}">${text}</text>`;
  });
  const vertical = x.ticks.map(({ at, text }) => {
    const across = pixels(placeX(at));
    return `<path class="axis" d="M${across} ${bottom}v5"/><text class="mid soft" x="${across}" y="${bottom + 19}">${text}</text>`;
  });
  const titles = `<text class="mid soft" x="${pixels((left + right) / 2)}" y="${bottom + 38}">${xTitle}</text>`;
  return `${horizontal.join('')}<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>${vertical.join('')}${titles}`;
}

function drawTable({ plot, header, rows, tableTop, curves }: PlotLayout): string {
  const left = plot.left - 68;
  const line = (cells: readonly string[], y: number, style: string) => {
    const numbers = NUMBER_COLUMNS.map(
      (x, at) => `<text class="num${style}" x="${x}" y="${y}">${escapeMarkup(cells[at + 1] ?? '')}</text>`,
    );
    const slope = `<text class="${style.trim()}" x="${SLOPE_COLUMN}" y="${y}">${escapeMarkup(cells[5] ?? '')}</text>`;
    return numbers.join('') + slope;
  };
  const body = rows.map((cells, at) => {
    const y = tableTop + LINE_HEIGHT * (at + 1);
    const name = `<text x="${left + 36}" y="${y}">${escapeMarkup(cutText(cells[0] ?? '', LONGEST_NAME))}</text>`;
    return swatch(curves[at]?.curve.run ?? 0, at, left, y - 4) + name + line(cells, y, '');
  });
  return line(header, tableTop, ' soft') + body.join('');
}

/** What belongs into an `<svg>`: title, axes, curves, and the table of figures where it is wanted. */
function drawPlot(layout: PlotLayout, withTable: boolean): string {
  const { title, lines, plot, curves } = layout;
  const left = plot.left - 68;
  const head = lines.map(
    (text, at) =>
      `<text class="soft" x="${left}" y="${34 + LINE_HEIGHT * (at + 1)}">${escapeMarkup(cutText(text, 150))}</text>`,
  );
  const empty =
    curves.length === 0
      ? `<text class="mid soft" x="${pixels((plot.left + plot.right) / 2)}" y="${pixels((plot.top + plot.bottom) / 2)}">nothing was measured</text>`
      : '';
  return [
    `<rect class="ground" width="100%" height="100%"/>`,
    `<text class="title" x="${left}" y="30">${escapeMarkup(title)}</text>`,
    ...head,
    drawAxes(layout),
    ...curves.map((curve, at) => drawCurve(curve, at, layout)),
    empty,
    withTable ? drawTable(layout) : '',
  ].join('\n');
}

/** The `<svg>` element of a plot, without its styles where a page has them. */
export function renderPlotElement(
  layout: PlotLayout,
  plot: Plot,
  parts: { readonly table: boolean; readonly styles: boolean },
): string {
  const height = parts.table ? layout.height : layout.plot.bottom + 50;
  const described = escapeMarkup(
    [layout.title, ...layout.lines, ...layout.rows.map((row) => row.join(' '))].join('; '),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${layout.width} ${height}" width="${layout.width}" height="${height}" role="img" aria-labelledby="plot-title plot-text">`,
    `<title id="plot-title">${escapeMarkup(layout.title)}</title><desc id="plot-text">${described}</desc>`,
    parts.styles ? `<style>${plotStyles(plot)}</style>` : '',
    drawPlot(layout, parts.table),
    '</svg>',
  ]
    .filter(Boolean)
    .join('\n');
}

/** Draws recordings over one another as one SVG file, for light and dark ground. */
export function renderPlotSvg(plot: Plot, size: PlotSize): string {
  return `${renderPlotElement(layOutPlot(plot, size), plot, { table: true, styles: true })}\n`;
}
