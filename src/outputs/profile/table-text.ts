import type { ProfileMeasure, ProfileRow, ProfileTable } from '../../model/profile-report.js';
import { formatBytes } from '../text/bytes.js';
import { cutText } from '../text/table.js';
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
}

function nameOf({ name, place }: ProfileRow, { by }: ProfileTable, style: ReportStyle): string {
  const withPlace = (by === 'line' || by === 'function') && place !== '';
  return withPlace ? `${shownName(name)} ${shownPlace(place, style)}` : shownName(name);
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
  const { measure, wholeBytes, wholeObjects, top } = options;
  const rows = table.rows.slice(0, top);
  if (options.plainBytes) return renderPlain(table, rows, options);
  const whole = measure === 'bytes' ? wholeBytes : wholeObjects;
  const figure = (value: number) => (measure === 'bytes' ? formatBytes(Math.round(value)) : formatCount(value));
  const other = (row: ProfileRow) =>
    measure === 'bytes' ? formatCount(row.flatObjects) : formatBytes(Math.round(row.flatBytes));
  const errors = rows.map((row) => formatError(row.flatErrorBytes, row.flatBytes));
  const hasErrors = errors.some((text) => text !== '');
  const line = (cells: readonly string[]) => {
    const [flat = '', share = '', sum = '', cum = '', cumShare = '', more = '', error = '', name = ''] = cells;
    const numbers = [flat.padStart(9), share.padStart(6), sum.padStart(6), cum.padStart(9), cumShare.padStart(6)];
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
    return cut(line([...cells, errors[at]!, nameOf(row, table, style)]));
  });
  const error = formatError(table.totalErrorBytes, table.totalBytes);
  const part =
    Math.abs(table.totalBytes - wholeBytes) < 1
      ? ''
      : `, ${formatPercent(table.totalBytes, wholeBytes)} of ${formatBytes(Math.round(wholeBytes))}`;
  const total = `Total: ${formatBytes(Math.round(table.totalBytes))}${error && ` (${error})`}${inObjects(table.totalObjects)}${part}`;
  const more = table.rows.length - rows.length;
  return [
    total,
    style.paint('bold', cut(head)),
    ...lines,
    ...(more > 0 ? [style.paint('dim', `… and ${formatCount(more)} more`)] : []),
  ].join('\n');
}
