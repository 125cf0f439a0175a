import { optional } from '../../errors.js';
import { listAgents } from '../../sources/agent/list-agents.js';
import { readProcessIds } from '../../sources/procfs/process-list.js';
import { readProcessStat } from '../../sources/procfs/process-stat.js';

/** The processes below one, children of children included, that have an agent. */
export function agentsBelow(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const id of readProcessIds()) {
    const stat = optional(() => readProcessStat(id));
    if (stat) parents.set(id, stat.parentPid);
  }
  const isBelow = (id: number) => {
    // A pid can have been given anew in between: no chain is longer than there are processes.
    let at = parents.get(id);
    for (let steps = 0; at !== undefined && steps <= parents.size; steps++, at = parents.get(at)) {
      if (at === pid) return true;
    }
    return false;
  };
  return listAgents([...parents.keys()].filter(isBelow)).map((socket) => socket.pid);
}
