import type { ProfileDifference, ProfileDifferenceRow } from '../../model/profile-report.js';
import { formatBytes } from '../text/bytes.js';
import { renderTable } from '../text/table.js';
import { formatChange, formatCount, formatError, type ReportStyle, shownName, shownPlace } from './report-style.js';

const WORDS = { new: 'new', gone: 'gone', grown: 'grown', shrunk: 'shrunk', same: 'same' } as const;

const isChance = ({ errorBytes, changeBytes }: ProfileDifferenceRow) =>
  errorBytes !== undefined && Math.abs(changeBytes) < 2 * errorBytes;

/** What grew, shrank, came and went between two profiles. */
export function renderProfileDifference(
  { rows, by, beforeBytes, afterBytes, attribution }: ProfileDifference,
  top: number,
  style: ReportStyle,
): string {
  const change = afterBytes - beforeBytes;
  const head = `live: ${formatBytes(Math.round(beforeBytes))} before, ${formatBytes(Math.round(afterBytes))} after: ${formatChange(change)}`;
  if (rows.length === 0) return `${head}\n\nNothing changed.`;
  const shown = rows.slice(0, top);
  const cells = shown.map((row) => [
    formatChange(row.changeBytes),
    formatError(row.errorBytes, row.changeBytes),
    formatBytes(Math.round(row.beforeBytes)),
    formatBytes(Math.round(row.afterBytes)),
    formatCount(row.changeObjects),
    isChance(row) ? `${WORDS[row.change]}?` : WORDS[row.change],
    `${shownName(row.name)}${row.place === '' ? '' : ` ${shownPlace(row.place, style)}`}`,
  ]);
  const table = renderTable(cells, {
    header: ['change', '±', 'before', 'after', 'objects', '', by],
    align: ['right', 'right', 'right', 'right', 'right', 'left', 'left'],
    ...(style.width === undefined ? {} : { maxWidth: style.width }),
    styleHeader: (line) => style.paint('bold', line),
  });
  const rest = rows.length - shown.length;
  const foot = [
    rest > 0 ? `… and ${formatCount(rest)} more` : '',
    shown.some(isChance) ? '?: within two standard deviations of the sampling, so it may be chance' : '',
  ].filter((line) => line !== '');
  const title =
    attribution === 'owner' && by !== 'thread'
      ? `By the nearest function that is not of a runtime, by ${by}`
      : `By ${by}`;
  return [head, '', style.paint('bold', title), table, ...foot.map((line) => style.paint('dim', line))].join('\n');
}
