import type { DecayChange } from '../../model/decay-change.js';
import { renderTable } from './table.js';

/** `0 to 7, 9`. */
export function formatIndices(indices: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const index of [...indices].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && run[1] === index - 1) run[1] = index;
    else runs.push([index, index]);
  }
  return runs
    .map(([first, last]) =>
      first === last ? `${first}` : last === first + 1 ? `${first}, ${last}` : `${first} to ${last}`,
    )
    .join(', ');
}

const formatMs = (ms: number) => (ms === -1 ? '-1 ms (for ever)' : `${ms} ms`);

/** Each group of arenas with the time it had, and the one it has now. */
export function renderDecayChanges(changes: readonly DecayChange[]): string {
  const rows = changes.flatMap(({ pages, toMs, groups }) =>
    groups.map(({ arenas, beforeMs }) => [
      `${pages}_decay_ms`,
      arenas === undefined
        ? 'arenas made from now on'
        : `arena${arenas.length === 1 ? '' : 's'} ${formatIndices(arenas)}`,
      beforeMs === toMs ? `${formatMs(toMs)} (as it was)` : `${formatMs(beforeMs)} → ${formatMs(toMs)}`,
    ]),
  );
  return renderTable(rows);
}
