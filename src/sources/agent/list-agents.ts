import { readProcessIds } from '../procfs/process-list.js';
import { type AgentSocket, openAgentFolder } from './agent-folder.js';

export type { AgentSocket } from './agent-folder.js';

/**
 * The processes that have an agent's socket, with the one to talk to, by pid. Whether anybody listens there, opening it tells: a
 * socket may have been left behind by a process that had the same number.
 *
 * @param pids those to look at: each costs about 0.2 ms.
 */
export function listAgents(pids: readonly number[] = readProcessIds()): AgentSocket[] {
  return pids.flatMap((pid) => {
    const opening = openAgentFolder(pid);
    if (opening.kind !== 'open') return [];
    opening.folder.close();
    return opening.folder.sockets.slice(0, 1);
  });
}
