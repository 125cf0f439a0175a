import { formatDuration } from '../../model/duration.js';
import type { SeriesTrend } from '../../model/memory-trend.js';
import type { Plot, PlotCurve, PlotRun } from '../../model/plot.js';
import { formatBytes } from '../text/bytes.js';
import { printable } from '../text/table.js';

/** The columns of the table of figures. */
export const FIGURE_HEADER = ['', 'start', 'median', 'peak', 'end', 'slope (95 % interval)'] as const;

const signed = (bytes: number) => `${bytes > 0 ? '+' : ''}${formatBytes(bytes)}`;

/** A slope for people, with the interval that holds the true one in 95 of 100 cases. */
export function slopeWords({ verdict, bytesPerHour, lowBytesPerHour, highBytesPerHour }: SeriesTrend): string {
  if (bytesPerHour === undefined) return 'too early to say';
  const bound = (bytes: number | undefined) => (bytes !== undefined && Number.isFinite(bytes) ? signed(bytes) : '?');
  const interval = `${bound(lowBytesPerHour)} … ${bound(highBytesPerHour)}`;
  return `${verdict}, ${signed(bytesPerHour)}/h (${interval})`;
}

/** A curve's name: with its recording's where there are several. */
export function curveName(plot: Plot, { label, run }: PlotCurve): string {
  return plot.runs.length > 1 ? `${label}, ${printable(plot.runs[run]?.label ?? '')}` : label;
}

/** A curve's row of the table of figures. */
export function figureRow(plot: Plot, curve: PlotCurve): string[] {
  const { startBytes, medianBytes, peakBytes, endBytes, trend } = curve.figures;
  return [
    curveName(plot, curve),
    ...[startBytes, medianBytes, peakBytes, endBytes].map((b) => formatBytes(b)),
    slopeWords(trend),
  ];
}

/** What was recorded, in a line: who, how long, how it ended. */
export function runLine({ label, recording, spanMs }: PlotRun): string {
  const { head, samples, completeness } = recording;
  const version = recording.events.findLast((event) => event.kind === 'agent')?.jemallocVersion;
  const end =
    completeness.kind === 'whole'
      ? { 'target-ended': 'until the process ended', duration: 'its full time', stopped: 'until it was stopped' }[
          completeness.reason
        ]
      : completeness.kind === 'open'
        ? 'without an end: its recorder was killed, or is still at work'
        : `cut after the last whole sample, ${completeness.lostBytes} bytes behind it are lost`;
  const started = new Date(head.startedAtMs);
  return printable(
    [
      `${label}: ${head.command || '?'} (pid ${head.pid})`,
      Number.isNaN(started.getTime()) ? '' : `${started.toISOString().slice(0, 19).replace('T', ' ')} UTC`,
      `${samples} samples in ${formatDuration(spanMs)}`,
      version ? `jemalloc ${version.split('-')[0]}` : '',
      end,
    ]
      .filter(Boolean)
      .join(', '),
  );
}
