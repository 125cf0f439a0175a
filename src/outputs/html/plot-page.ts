import type { Plot, PlotCurve } from '../../model/plot.js';
import { layOutPlot, type PlotLayout, type PlotSize } from '../chart/plot-layout.js';
import { thinPoints } from '../chart/thin-points.js';
import { escapeMarkup } from '../svg/markup.js';
import { plotStyles, renderPlotElement, swatch } from '../svg/plot-svg.js';
import { PLOT_SCRIPT } from './plot-script.js';

/** Moments that the pointer can read; a screen has no more columns. */
const READABLE_COLUMNS = 2000;

const PAGE_STYLES = [
  'body{margin:0;padding:16px;background:#fff;color:#1c1c1c;font:13px system-ui,-apple-system,"Segoe UI",sans-serif}',
  'svg{max-width:100%;height:auto;display:block;touch-action:pan-y}.off{display:none}.cursor{stroke:var(--soft);stroke-width:1}',
  'table{border-collapse:collapse;margin:4px 16px}td,th{padding:3px 10px;text-align:right;font-weight:400;font-variant-numeric:tabular-nums}',
  'th{color:#5a5a5a}td:first-child,th:first-child,td:last-child,th:last-child{text-align:left}label{display:flex;gap:8px;align-items:center}',
  'td svg{width:26px;height:12px}@media (prefers-color-scheme:dark){body{background:#161616;color:#ececec}th{color:#a8a8a8}}',
].join('');

/** Data inside a script element: nothing in it may end the element or begin a comment. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

function readable({ seconds, bytes }: PlotCurve, layout: PlotLayout, reach: number) {
  const points = thinPoints(seconds, bytes, READABLE_COLUMNS, layout.x.to).flat();
  return {
    seconds: points.map(([x]) => Math.round(x * 1000) / 1000),
    bytes: points.map(([, y]) => y),
    reach,
  };
}

/** How far from a sample the pointer may be to read it: beyond, nothing was measured. */
function reachOf(plot: Plot, curve: PlotCurve, layout: PlotLayout): number {
  const interval = (plot.runs[curve.run]?.recording.head.intervalMs ?? 0) / 1000;
  return Math.max(interval * 1.5, (layout.x.to / READABLE_COLUMNS) * 2);
}

function renderTable(layout: PlotLayout): string {
  const head = ['', ...layout.header.slice(1)].map((text) => `<th>${escapeMarkup(text)}</th>`);
  head.splice(1, 0, '<th id="moment"></th>');
  const rows = layout.rows.map((cells, at) => {
    const run = layout.curves[at]?.curve.run ?? 0;
    const box = `<label><input type="checkbox" checked data-curve="${at}"><svg viewBox="0 0 26 12" aria-hidden="true">${swatch(run, at, 0, 6)}</svg>${escapeMarkup(cells[0] ?? '')}</label>`;
    const numbers = cells.slice(1).map((text) => `<td>${escapeMarkup(text)}</td>`);
    return `<tr><td>${box}</td><td id="now${at}"></td>${numbers.join('')}</tr>`;
  });
  return `<table><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

/**
 * Draws recordings over one another as one page that loads nothing and may run nothing but its own script: it carries a content security
 * policy with the hashes of both.
 *
 * @param hash SHA-256 of a text's UTF-8 bytes, in base64.
 */
export function renderPlotPage(plot: Plot, size: PlotSize, hash: (text: string) => string): string {
  const layout = layOutPlot(plot, size);
  const styles = plotStyles(plot) + PAGE_STYLES;
  const policy = `default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-${hash(styles)}'; script-src 'sha256-${hash(PLOT_SCRIPT)}'`;
  const { left, right, top, bottom } = layout.plot;
  const data = {
    x: { left, right, top, bottom, to: layout.x.to },
    curves: plot.curves.map((curve) => readable(curve, layout, reachOf(plot, curve, layout))),
  };
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escapeMarkup(layout.title)}</title>`,
    `<style>${styles}</style>`,
    '</head>',
    '<body>',
    renderPlotElement(layout, plot, { table: false, styles: false }),
    renderTable(layout),
    `<script type="application/json" id="data">${scriptJson(data)}</script>`,
    `<script>${PLOT_SCRIPT}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
