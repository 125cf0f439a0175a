import type { SnapshotFigures } from '../../model/profile-report.js';
import { snapshotLines } from './leaks-text.js';
import { type ReportStyle, shownName } from './report-style.js';

/** The snapshots of a series, and which of them is the highest. What that one holds follows. */
export function renderHighWater(snapshots: readonly SnapshotFigures[], highest: string, style: ReportStyle): string {
  const lines = snapshotLines(snapshots).map((line, at) =>
    snapshots[at]!.name === highest ? style.paint('bold', `${line}  ← the most`) : line,
  );
  return [`Of ${snapshots.length} snapshots ${shownName(highest)} holds the most:`, ...lines].join('\n');
}
