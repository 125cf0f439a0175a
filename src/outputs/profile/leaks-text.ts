import { formatDuration } from '../../model/duration.js';
import type { ProfileLeak, ProfileLeaks, ProfileSubject, SnapshotFigures } from '../../model/profile-report.js';
import { formatBytes } from '../text/bytes.js';
import { printable } from '../text/table.js';
import { formatChange, formatCount, inObjects, type ReportStyle, shownName, shownPlace } from './report-style.js';
import { renderStack } from './stack-text.js';
import { formatMoment } from './summary-text.js';

const subjectText = ({ name, place }: ProfileSubject, style: ReportStyle) =>
  place === '' ? shownName(name) : `${shownName(name)} ${shownPlace(place, style)}`;

/** One line for each snapshot of a series. */
export function snapshotLines(snapshots: readonly SnapshotFigures[]): string[] {
  const width = Math.max(...snapshots.map(({ name }) => name.length));
  return snapshots.map(({ name, takenAtMs, liveBytes, liveObjects }) => {
    const when = takenAtMs === undefined ? 'time not known' : formatMoment(takenAtMs);
    return `  ${printable(name).padEnd(width)}  ${when}  ${formatBytes(Math.round(liveBytes)).padStart(9)} live${inObjects(liveObjects)}`;
  });
}

/** What a reader takes in of a series. */
const MOST_SHOWN = 9;

/** The first and the last of many. */
function ends(texts: readonly string[], between: (count: number) => string): readonly string[] {
  if (texts.length <= MOST_SHOWN) return texts;
  return [...texts.slice(0, 4), between(texts.length - 8), ...texts.slice(-4)];
}

const growsAlways = ({ bytes }: ProfileLeak) => bytes.every((value, at) => at === 0 || value > bytes[at - 1]!);

function rateText({ bytesPerHour, bytesPerSnapshot, grownBytes }: ProfileLeak, spanMs: number | undefined): string {
  if (bytesPerHour !== undefined) return `${formatChange(bytesPerHour)} an hour`;
  if (spanMs !== undefined) return `${formatChange(grownBytes)} in ${formatDuration(spanMs)}`;
  return `${formatChange(bytesPerSnapshot)} a snapshot`;
}

function leakLines(leak: ProfileLeak, number: number, spanMs: number | undefined, style: ReportStyle): string[] {
  const error = leak.errorBytes === undefined ? '' : ` ± ${formatBytes(Math.round(leak.errorBytes))}`;
  const objects = Number.isNaN(leak.grownObjects) ? '' : `, ${formatCount(leak.grownObjects)} objects more`;
  const course = ends(
    leak.bytes.map((bytes) => formatBytes(Math.round(bytes))),
    () => '…',
  );
  const through = leak.through ? [`   through ${subjectText(leak.through, style)}`] : [];
  const share = leak.grownBytes > 0 ? Math.min(100, Math.round((leak.stackGrownBytes / leak.grownBytes) * 100)) : 100;
  return [
    style.paint('bold', `${number}. ${rateText(leak, spanMs)}  ${subjectText(leak.culprit, style)}`),
    ...through,
    `   ${course.join(' → ')}: ${formatChange(leak.grownBytes)}${error}${objects}`,
    style.paint('dim', `   the stack with the most of it (${share}%), the allocating function first:`),
    ...renderStack(leak.stack, style),
  ];
}

/** What leaks, with growth, place and stack. */
export function renderProfileLeaks(report: ProfileLeaks, top: number, style: ReportStyle): string {
  const { snapshots, spanMs, leaks, withinNoise } = report;
  const span = spanMs === undefined ? '' : ` over ${formatDuration(spanMs)}`;
  const figures = ends(snapshotLines(snapshots), (count) => `  … ${formatCount(count)} more`);
  const lines = [`${snapshots.length} snapshots${span}:`, ...figures, ''];
  const noise =
    withinNoise > 0
      ? [
          `${formatCount(withinNoise)} more ${withinNoise === 1 ? 'place' : 'places'} grew in every snapshot, by less than sampling can tell or less than 64 KiB: more snapshots, further apart, tell more.`,
        ]
      : [];
  if (leaks.length === 0)
    return [...lines, 'Nothing grew in every snapshot beyond what sampling can do.', ...noise].join('\n');
  const places = leaks.length === 1 ? 'One place' : `${formatCount(leaks.length)} places`;
  lines.push(
    leaks.every(growsAlways) ? `${places} grew in every snapshot:` : `${places} grew, if not in every snapshot:`,
  );
  for (const [at, leak] of leaks.slice(0, top).entries()) lines.push('', ...leakLines(leak, at + 1, spanMs, style));
  if (leaks.length > top) lines.push('', `… and ${formatCount(leaks.length - top)} more (--top)`);
  if (snapshots.length === 2)
    lines.push('', 'Two snapshots show growth, and cannot tell a leak from a cache that fills: take more.');
  if (spanMs === undefined) lines.push('', 'Without the times of all snapshots the growth is a snapshot, not an hour.');
  return [...lines, ...(noise.length > 0 ? ['', ...noise] : [])].join('\n');
}
