import { formatDuration } from '../../model/duration.js';
import type { ProfileLifetimes } from '../../model/profile-report.js';
import { formatBytes } from '../text/bytes.js';
import { renderTable } from '../text/table.js';
import { formatCount, plural, type ReportStyle, shownName, shownPlace } from './report-style.js';

/** Finer than jemalloc's clock is by default. */
const CLOCK_MS = 10;

const life = (ms: number | undefined) => (ms !== undefined && ms < CLOCK_MS ? `< ${CLOCK_MS} ms` : formatDuration(ms));

/** How long allocations live, by who asked for them. */
export function renderProfileLifetimes(report: ProfileLifetimes, top: number, style: ReportStyle): string {
  const { rows, samples, freed, by } = report;
  const head = `The latest ${plural(samples, 'sampled allocation')}, ${formatCount(freed)} of them freed.`;
  if (samples === 0) return `${head} Was the program started with prof_recent_alloc_max?`;
  const shown = rows.slice(0, top);
  const table = renderTable(
    shown.map((row) => [
      formatCount(row.samples),
      formatBytes(row.bytes),
      formatCount(row.freed),
      life(row.medianMs),
      life(row.longestMs),
      `${shownName(row.name)}${row.place === '' ? '' : ` ${shownPlace(row.place, style)}`}`,
    ]),
    {
      header: ['samples', 'bytes', 'freed', 'median life', 'longest', by],
      align: ['right', 'right', 'right', 'right', 'right', 'left'],
      ...(style.width === undefined ? {} : { maxWidth: style.width }),
      styleHeader: (line) => style.paint('bold', line),
    },
  );
  const rest = rows.length - shown.length;
  return [
    head,
    'Lives are of those that were freed. By default jemalloc’s clock for them ticks every few milliseconds (prof_time_resolution:high is exact).',
    '',
    table,
    ...(rest > 0 ? [style.paint('dim', `… and ${formatCount(rest)} more`)] : []),
  ].join('\n');
}
