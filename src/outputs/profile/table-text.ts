import { lastPart } from '../../model/frame-names.js';
import type { ProfileMeasure, ProfileRow, ProfileTable } from '../../model/profile-report.js';
import { formatBytes } from '../text/bytes.js';
import { cutText, textWidth } from '../text/table.js';
import {
  formatCount,
  formatError,
  formatPercent,
  inObjects,
  type ReportStyle,
  shownName,
  shownPlace,
} from './report-style.js';

export interface TableTextOptions {
  /** What 100 % is, where the table is of a part of a profile or of a difference. */
  readonly wholeBytes: number;
  readonly wholeObjects: number;
  readonly measure: ProfileMeasure;
  /** Whole bytes, in jeprof's own columns, for scripts that read those. */
  readonly plainBytes: boolean;
  /** Rows that are shown; undefined: all. */
  readonly top: number | undefined;
  /** Rows of functions that are not the user's are shown from this share on; undefined: all are. */
  readonly leastShare?: number | undefined;
}

/** In narrower terminals, sums and shares make room for names. */
const WIDE = 110;

const OF_USERS = new Set(['javascript', 'interpreted', 'wasm', 'native', 'marker']);

/** The rows that are shown. A program's start leaves dozens of places that hold next to nothing. */
function rowsToShow(table: ProfileTable, { top, leastShare, measure, wholeBytes, wholeObjects }: TableTextOptions) {
  const rows = table.rows.slice(0, top);
  if (leastShare === undefined) return rows;
  const least = leastShare * (measure === 'bytes' ? wholeBytes : wholeObjects);
  const worth = rows.filter((row) => OF_USERS.has(row.kind) || Math.abs(column(row, 'flat', measure)) >= least);
  // A line that says how many are left out is no shorter than one of them.
  return rows.length - worth.length > 1 ? worth : rows;
}

function nameOf({ name, place }: ProfileRow, { by }: ProfileTable, style: ReportStyle): string {
  const withPlace = (by === 'line' || by === 'function') && place !== '';
  return withPlace ? `${shownName(name)} ${shownPlace(place, style)}` : shownName(name);
}

/** Where there is no room for the name with its place, the place goes without its folders: the line is what one looks for. */
function nameWithin(row: ProfileRow, table: ProfileTable, style: ReportStyle, room: number): string {
  const whole = nameOf(row, table, style);
  if (textWidth(whole) <= room) return whole;
  return nameOf({ ...row, place: lastPart(row.place) }, table, style);
}

function column(row: ProfileRow, which: 'flat' | 'cumulative', measure: ProfileMeasure): number {
  if (measure === 'objects') return which === 'flat' ? row.flatObjects : row.cumulativeObjects;
  return which === 'flat' ? row.flatBytes : row.cumulativeBytes;
}

function renderPlain(table: ProfileTable, rows: readonly ProfileRow[], options: TableTextOptions): string {
  const { measure } = options;
  const whole = measure === 'bytes' ? options.wholeBytes : options.wholeObjects;
  const total = measure === 'bytes' ? table.totalBytes : table.totalObjects;
  let sum = 0;
  const lines = rows.map((row) => {
    const flat = column(row, 'flat', measure);
    const cumulative = column(row, 'cumulative', measure);
    sum += flat;
    return [
      String(Math.round(flat)).padStart(8),
      formatPercent(flat, whole).padStart(6),
      formatPercent(sum, whole).padStart(6),
      String(Math.round(cumulative)).padStart(8),
      formatPercent(cumulative, whole).padStart(6),
      table.by === 'line' && row.place !== '' ? `${shownName(row.name)} ${shownName(row.place)}` : shownName(row.name),
    ].join(' ');
  });
  return [`Total: ${Math.round(total)} ${measure === 'bytes' ? 'B' : 'objects'}`, ...lines].join('\n');
}

/** The table of `--text`: flat and cumulative figures, one row a function (file, line, …). */
export function renderProfileTable(table: ProfileTable, options: TableTextOptions, style: ReportStyle): string {
  const { measure, wholeBytes, wholeObjects } = options;
  const rows = rowsToShow(table, options);
  if (options.plainBytes) return renderPlain(table, rows, options);
  const whole = measure === 'bytes' ? wholeBytes : wholeObjects;
  const figure = (value: number) => (measure === 'bytes' ? formatBytes(Math.round(value)) : formatCount(value));
  const other = (row: ProfileRow) =>
    measure === 'bytes' ? formatCount(row.flatObjects) : formatBytes(Math.round(row.flatBytes));
  const errors = rows.map((row) => formatError(row.flatErrorBytes, row.flatBytes));
  const hasErrors = errors.some((text) => text !== '');
  const isNarrow = style.width !== undefined && style.width < WIDE;
  const line = (cells: readonly string[]) => {
    const [flat = '', share = '', sum = '', cum = '', cumShare = '', more = '', error = '', name = ''] = cells;
    const numbers = isNarrow
      ? [flat.padStart(9), share.padStart(6), cum.padStart(9)]
      : [flat.padStart(9), share.padStart(6), sum.padStart(6), cum.padStart(9), cumShare.padStart(6)];
    return [...numbers, more.padStart(9), ...(hasErrors ? [error.padStart(5)] : []), ` ${name}`].join(' ');
  };
  const head = line(['flat', 'flat%', 'sum%', 'cum', 'cum%', measure === 'bytes' ? 'objects' : 'bytes', '±', table.by]);
  const cut = (text: string) => (style.width === undefined ? text : cutText(text, style.width));
  let sum = 0;
  const lines = rows.map((row, at) => {
    const flat = column(row, 'flat', measure);
    const cumulative = column(row, 'cumulative', measure);
    sum += flat;
    const shares = [formatPercent(flat, whole), formatPercent(sum, whole)];
    const cells = [figure(flat), ...shares, figure(cumulative), formatPercent(cumulative, whole), other(row)];
    const start = line([...cells, errors[at]!, '']);
    return cut(`${start}${nameWithin(row, table, style, (style.width ?? Number.POSITIVE_INFINITY) - start.length)}`);
  });
  const error = formatError(table.totalErrorBytes, table.totalBytes);
  const part =
    Math.abs(table.totalBytes - wholeBytes) < 1
      ? ''
      : `, ${formatPercent(table.totalBytes, wholeBytes)} of ${formatBytes(Math.round(wholeBytes))}`;
  const total = `Total: ${formatBytes(Math.round(table.totalBytes))}${error && ` (${error})`}${inObjects(table.totalObjects)}${part}`;
  const more = table.rows.length - rows.length;
  const shown = new Set(rows);
  const rest = table.rows.reduce((left, row) => (shown.has(row) ? left : left + column(row, 'flat', measure)), 0);
  const together = rest === 0 ? '' : `, together ${figure(rest)} (${formatPercent(rest, whole)})`;
  return [
    total,
    style.paint('bold', cut(head)),
    ...lines,
    ...(more > 0 ? [style.paint('dim', `… and ${formatCount(more)} more${together}`)] : []),
  ].join('\n');
}
