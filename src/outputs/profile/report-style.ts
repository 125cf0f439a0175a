import { formatBytes } from '../text/bytes.js';
import { printable } from '../text/table.js';

/** How a report is laid out. */
export interface ReportStyle {
  /** Longer lines are cut; undefined: none is. */
  readonly width: number | undefined;
  readonly paint: (style: 'bold' | 'dim' | 'yellow' | 'red' | 'green', text: string) => string;
  /** Paths below it are shown without it. */
  readonly folder: string | undefined;
}

/** A name or path out of a profile, fit for a terminal: C++ templates can be longer than the rest of the report. */
export function shownName(name: string): string {
  const text = printable(name);
  return text.length <= 400 ? text : `${text.slice(0, 250)}…${text.slice(-149)}`;
}

/** A place as one reads it from the folder one is in. */
export function shownPlace(place: string, { folder }: Pick<ReportStyle, 'folder'>): string {
  const isBelow = folder !== undefined && folder !== '/' && place.startsWith(`${folder}/`);
  return shownName(isBelow ? place.slice(folder.length + 1) : place);
}

/** A change in bytes, with its sign. */
export function formatChange(bytes: number): string {
  const text = formatBytes(Math.round(bytes));
  return bytes > 0 && text !== '0 B' ? `+${text}` : text;
}

/** `12.3%`, `-` of nothing. */
export function formatPercent(part: number, whole: number): string {
  return whole === 0 || !Number.isFinite(whole) ? '-' : `${((part / whole) * 100).toFixed(1)}%`;
}

/** Below this sampling does not matter to a reader. */
const WORTH_SAYING = 0.1;

/** `±24%` where sampling leaves a figure that uncertain (one standard deviation), else nothing. */
export function formatError(errorBytes: number | undefined, bytes: number): string {
  if (errorBytes === undefined || bytes === 0) return '';
  const share = errorBytes / Math.abs(bytes);
  return share < WORTH_SAYING ? '' : `±${Math.round(share * 100)}%`;
}

/** A count with its thousands apart; `-` for what is not known. */
export function formatCount(count: number): string {
  if (Number.isNaN(count)) return '-';
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function plural(count: number, word: string): string {
  return `${formatCount(count)} ${word}${Math.round(count) === 1 ? '' : 's'}`;
}

/** ` in 12 objects`; nothing where their number is not known. */
export function inObjects(count: number): string {
  return Number.isNaN(count) ? '' : ` in ${plural(count, 'object')}`;
}
