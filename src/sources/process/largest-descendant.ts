import { isSystemError } from '../../errors.js';
import { readProcessIds } from '../procfs/process-list.js';
import { readProcessStat } from '../procfs/process-stat.js';
import { readResidentBytes } from '../procfs/resident-memory.js';

/** Which of the processes below one holds most memory, children of children included; undefined where there is none. */
export function readLargestDescendant(
  pid: number,
): { readonly pid: number; readonly residentBytes: number } | undefined {
  const parents = new Map<number, number>();
  for (const id of readProcessIds()) {
    try {
      const stat = readProcessStat(id);
      if (stat) parents.set(id, stat.parentPid);
    } catch (error) {
      // It ended between the listing and the look.
      if (!isSystemError(error)) throw error;
    }
  }
  const isBelow = (id: number) => {
    // A pid can have been given anew in between: no chain is longer than there are processes.
    for (
      let at = parents.get(id), steps = 0;
      at !== undefined && steps <= parents.size;
      at = parents.get(at), steps++
    ) {
      if (at === pid) return true;
    }
    return false;
  };
  let largest: { pid: number; residentBytes: number } | undefined;
  for (const id of parents.keys()) {
    if (!isBelow(id)) continue;
    const residentBytes = readResidentBytes(id);
    if (residentBytes !== undefined && residentBytes > (largest?.residentBytes ?? 0))
      largest = { pid: id, residentBytes };
  }
  return largest;
}
