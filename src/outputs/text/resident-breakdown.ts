import type { OwnedMapping } from '../../model/mapping-memory.js';
import type { ResidentBreakdown, ResidentRow, ResidentVerdict } from '../../model/resident-breakdown.js';
import { formatBytes } from './bytes.js';
import { cutText, printable, renderTable, textWidth } from './table.js';

/** How a breakdown is laid out. */
export interface BreakdownTextOptions {
  /** Columns of the terminal; without it nothing is cut. */
  readonly maxWidth?: number;
  readonly bold?: (text: string) => string;
  readonly dim?: (text: string) => string;
}

/** Rows of less than this share of RSS are summed up, and parts of rows left out. */
const SMALL_SHARE = 0.005;
const BAR_COLUMNS = 24;
/** Columns that a line needs for a name and its figures; what a terminal has beyond is for the bar. */
const COLUMNS_WITHOUT_BAR = 54;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

const mebibytes = (bytes: number) => {
  const text = (bytes / 2 ** 20).toFixed(1);
  return text === '-0.0' ? '0.0' : text;
};

function percent(bytes: number, all: number): string {
  const text = ((bytes / all) * 100).toFixed(1);
  return text === '-0.0' ? '0.0' : text;
}

/** How wide bars are: on a narrow terminal the names matter more. */
const barColumns = (maxWidth = Number.POSITIVE_INFINITY) =>
  Math.max(0, Math.min(BAR_COLUMNS, maxWidth - COLUMNS_WITHOUT_BAR));

function bar(bytes: number, all: number, columns: number): string {
  const eighths = Math.round((Math.max(0, bytes) / all) * columns * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

/** Small files as one row: a Node process maps a dozen, a Java process a hundred. */
function gatherSmallFiles(rows: readonly ResidentRow[], all: number): ResidentRow[] {
  const small = rows.filter(({ part, bytes }) => part === 'file' && bytes < all * SMALL_SHARE);
  if (small.length < 2) return [...rows];
  const gathered: ResidentRow = {
    part: 'file',
    label: `${small.length} smaller files`,
    bytes: small.reduce((total, { bytes }) => total + bytes, 0),
    source: 'kernel',
  };
  const last = rows.findLastIndex(({ part }) => part === 'file');
  return rows.flatMap((row, index) => {
    if (index === last) return small.includes(row) ? [gathered] : [row, gathered];
    return small.includes(row) ? [] : [row];
  });
}

const line = (bytes: number, all: number, picture: string, text: string) =>
  `${mebibytes(bytes).padStart(9)}  ${percent(bytes, all).padStart(5)}  ${picture}${picture && '  '}${text}`;

function rowLines(row: ResidentRow, all: number, columns: number, dim: (text: string) => string): string[] {
  const detail = row.detail === undefined ? '' : `   ${row.detail}`;
  const parts = (row.parts ?? []).filter(({ bytes }) => Math.abs(bytes) >= all * SMALL_SHARE);
  const many = parts.length > 1 || parts.some(({ bytes }) => bytes < 0);
  return [
    line(row.bytes, all, bar(row.bytes, all, columns).padEnd(columns), printable(row.label + detail)),
    ...(many ? parts : []).map((part) =>
      dim(
        `${' '.repeat(columns > 0 ? 18 + columns : 16)}  ${mebibytes(part.bytes).padStart(9)}  ${printable(part.label)}`,
      ),
    ),
  ];
}

function untouchedWords({ untouchedBytes, residentBytes }: ResidentBreakdown): string {
  if (untouchedBytes < residentBytes * SMALL_SHARE) return '';
  return `; jemalloc's rows count ${percent(untouchedBytes, residentBytes)} % more than is in memory, which the row below them takes off`;
}

/** The account of RSS: a line for each part, its share and a bar, and below them the sum. */
export function renderResidentBreakdown(breakdown: ResidentBreakdown, options: BreakdownTextOptions = {}): string {
  const { residentBytes: all, driftBytes } = breakdown;
  const { bold = (text) => text, dim = (text) => text, maxWidth } = options;
  const rows = gatherSmallFiles(breakdown.rows, all);
  const columns = barColumns(maxWidth);
  const cutLine = (text: string) =>
    maxWidth === undefined || textWidth(text) <= maxWidth ? text : cutText(text, maxWidth);
  const lines = [
    bold(cutLine(`${'MiB'.padStart(9)}      %  ${columns > 0 ? ' '.repeat(columns + 2) : ''}what`)),
    ...rows
      .flatMap((row) => rowLines(row, all, columns, (text) => dim(cutLine(text))))
      .map((text) => (text.includes('\u001b') ? text : cutLine(text))),
    bold(cutLine(line(all, all, ' '.repeat(columns), 'RSS, as the kernel counts it'))),
    '',
    `not explained: ${percent(breakdown.unexplainedBytes, all)} %${untouchedWords(breakdown)}`,
  ];
  if (Math.abs(driftBytes) >= all * 0.01)
    lines.push(`RSS moved by ${formatBytes(driftBytes)} while it was read: look again in a quieter moment`);
  const besides = [
    ['in swap, beside RSS', breakdown.swapBytes],
    ['of RSS in huge pages (THP)', breakdown.hugePageBytes],
    ['in reserved huge pages (hugetlbfs), which RSS does not count', breakdown.hugetlbBytes],
  ] as const;
  for (const [words, bytes] of besides) if (bytes > 0) lines.push(`${formatBytes(bytes)} ${words}`);
  for (const note of breakdown.notes) lines.push(`note: ${printable(note)}`);
  return lines.join('\n');
}

/** The verdicts in words: what, why, and what to type next. */
export function renderResidentVerdicts(
  verdicts: readonly ResidentVerdict[],
  options: BreakdownTextOptions = {},
): string {
  const { bold = (text) => text } = options;
  return verdicts
    .map(({ title, certainty, evidence, remedies }) =>
      [
        bold(printable(`${certainty === 'suspected' ? 'suspected: ' : ''}${title}`)),
        ...evidence.map((text) => `  - ${printable(text)}`),
        ...remedies.map((text) => `  > ${printable(text)}`),
      ].join('\n'),
    )
    .join('\n\n');
}

/** The largest mappings, each with whose it is. */
export function renderMappings(mappings: readonly OwnedMapping[], options: BreakdownTextOptions = {}): string {
  const rows = mappings.map(({ mapping, owner }) => [
    `${mapping.start.toString(16)}-${mapping.end.toString(16)}`,
    mapping.permissions,
    mebibytes(mapping.end - mapping.start),
    mebibytes(mapping.residentBytes),
    mebibytes(mapping.proportionalBytes),
    mebibytes(mapping.swapBytes),
    owner,
    mapping.path === undefined ? '-' : `${mapping.path}${mapping.deleted ? ' (deleted)' : ''}`,
  ]);
  return renderTable(rows, {
    header: ['ADDRESS', 'PERM', 'SIZE MiB', 'RSS MiB', 'PSS MiB', 'SWAP MiB', 'WHOSE', 'FILE OR NAME'],
    align: ['left', 'left', 'right', 'right', 'right', 'right'],
    ...(options.maxWidth === undefined ? {} : { maxWidth: options.maxWidth }),
    ...(options.bold ? { styleHeader: options.bold } : {}),
  });
}
