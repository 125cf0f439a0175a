import { formatDuration } from '../../model/duration.js';
import type { HeapProfile } from '../../model/heap-profile.js';
import type { ProfileTable } from '../../model/profile-report.js';
import { formatBytes } from '../text/bytes.js';
import { cutText, printable } from '../text/table.js';
import { formatError, formatPercent, inObjects, plural, type ReportStyle, shownName } from './report-style.js';
import { renderProfileTable, type TableTextOptions } from './table-text.js';

export interface SummaryOptions extends TableTextOptions {
  readonly nowMs: number;
  /** What the bytes are. */
  readonly amount: 'live' | 'allocated' | 'temporary';
  /** The files, as they were named. */
  readonly files: readonly string[];
}

export function formatMoment(ms: number): string {
  return Number.isFinite(ms) ? `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC` : '-';
}

/** Who was captured, when, with what: one fact a line. */
export function captureLines({ capture, samples }: HeapProfile, files: readonly string[], nowMs: number): string[] {
  const program = [
    capture.program && printable(capture.program),
    capture.pid && `pid ${capture.pid}`,
    capture.nodeVersion && `Node ${printable(capture.nodeVersion)}`,
    capture.jemallocVersion && `jemalloc ${printable(capture.jemallocVersion.split('-')[0] ?? '')}`,
  ].filter(Boolean);
  const taken = capture.takenAtMs;
  const sampling =
    capture.sampleBytes === undefined ? undefined : `one sample in ${formatBytes(capture.sampleBytes)} allocated`;
  const sampled = samples.sampledObjects.reduce((sum, count) => sum + count, 0);
  const unwinder = {
    jemkit: "stacks by jemkit's unwinder",
    jemalloc: "stacks by jemalloc's own unwinder, which sees no JavaScript",
  };
  const how = [
    sampling,
    Number.isNaN(sampled) ? undefined : `${plural(sampled, 'live object')} sampled`,
    capture.unwinder && unwinder[capture.unwinder],
  ].filter(Boolean);
  const rows: [string, string | undefined][] = [
    [files.length === 1 ? 'file' : 'files', `${files.map(printable).join(', ')} (${printable(capture.format)})`],
    ['process', program.join(', ')],
    ['taken', taken && `${formatMoment(taken)}, ${formatDuration(Math.max(0, nowMs - taken))} ago`],
    ['sampling', how.join('; ')],
  ].map(([label, text]) => [label as string, text ? String(text) : undefined]);
  return rows.filter(([, text]) => text !== undefined).map(([label, text]) => `${`${label}:`.padEnd(11)}${text}`);
}

function amountLine(table: ProfileTable, { capture }: HeapProfile, { wholeBytes, amount }: SummaryOptions): string {
  const error = formatError(table.totalErrorBytes, table.totalBytes);
  const counted = amount === 'live' ? capture.statistics?.['stats.allocated'] : undefined;
  const ofAll = counted === undefined ? '' : `; jemalloc counts ${formatBytes(counted)} in use, sampled or not`;
  const part = wholeBytes - table.totalBytes >= 1 ? `, ${formatPercent(table.totalBytes, wholeBytes)} of all` : '';
  const text = `${formatBytes(Math.round(table.totalBytes))}${error && ` (${error})`}${inObjects(table.totalObjects)}`;
  return `${`${amount}:`.padEnd(11)}${text}${part}${ofAll}`;
}

/** Whole sentences of the capture, each a line. */
export function noteLines({ capture }: HeapProfile, style: ReportStyle): string[] {
  return capture.notes.map((note) => style.paint('yellow', `note: ${shownName(note)}`));
}

function titleOf({ by, attribution, rows }: ProfileTable): string {
  const what = by === 'function' ? 'Held by' : `Held by ${by}`;
  if (by === 'thread') return what;
  if (attribution === 'leaf') return `${what}, counting the allocating function of each stack`;
  const hasJavascript = rows.some(({ kind }) => kind === 'javascript');
  const owner = hasJavascript ? 'the nearest JavaScript function' : 'the nearest function that is no runtime’s';
  return `${what}, counting ${owner} of each stack`;
}

/** What a person sees first: what was captured, how much, what to know of it, and who holds the most. */
export function renderProfileSummary(
  profile: HeapProfile,
  table: ProfileTable,
  packages: ProfileTable | undefined,
  options: SummaryOptions,
  style: ReportStyle,
): string {
  const head = [...captureLines(profile, options.files, options.nowMs), amountLine(table, profile, options)];
  const rendered = renderProfileTable(table, options, style).split('\n').slice(1);
  const title = style.paint('bold', `${titleOf(table)}:`);
  const body = table.rows.length === 0 ? [`Nothing that is ${options.amount} was sampled.`] : [title, ...rendered];
  const cut = (line: string) => (style.width === undefined ? line : cutText(line, style.width));
  const packageLine =
    packages && packages.rows.length > 1
      ? [
          '',
          cut(
            `packages: ${packages.rows
              .filter(({ flatBytes }) => flatBytes !== 0)
              .slice(0, 6)
              .map(({ name, flatBytes }) => `${shownName(name)} ${formatPercent(flatBytes, options.wholeBytes)}`)
              .join(', ')}`,
          ),
        ]
      : [];
  return [...head, ...noteLines(profile, style), '', ...body, ...packageLine].join('\n');
}
