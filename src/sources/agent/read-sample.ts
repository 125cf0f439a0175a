import { JemkitError } from '../../errors.js';
import type { MemorySample, V8Figures } from '../../model/memory-sample.js';
import type { NodeFacts } from '../../model/node-facts.js';
import { readProcessMemory } from '../procfs/process-memory.js';
import type { AgentConnection } from './agent-connection.js';

/** The figures of all isolates that told theirs, added up. */
export function sumIsolates({ isolates }: NodeFacts): V8Figures {
  const sum = (field: 'heapTotalBytes' | 'heapUsedBytes' | 'externalBytes' | 'arrayBuffersBytes') =>
    isolates.reduce((total, isolate) => total + isolate[field], 0);
  return {
    isolates: isolates.length,
    heapTotalBytes: sum('heapTotalBytes'),
    heapUsedBytes: sum('heapUsedBytes'),
    externalBytes: sum('externalBytes'),
    arrayBuffersBytes: sum('arrayBuffersBytes'),
  };
}

/**
 * One look at the memory of a process, from outside and, where there is somebody inside to ask, from inside; undefined where the
 * process has ended.
 *
 * @throws JemkitError of the agent where it fails and the process is still there.
 */
export async function readProcessSample(
  pid: number,
  agent: AgentConnection | undefined,
): Promise<MemorySample | undefined> {
  try {
    // An agent that was preloaded knows nothing of JavaScript.
    const node = agent?.hello.place === 'addon' ? agent.nodeFacts() : undefined;
    const [jemalloc, facts] = await Promise.all([agent?.sample(), node]);
    const memory = readProcessMemory(pid);
    return (
      memory && {
        atMs: Date.now(),
        monotonicMs: Number(process.hrtime.bigint()) / 1e6,
        process: memory,
        jemalloc,
        v8: facts && facts.facts.isolates.length > 0 ? sumIsolates(facts.facts) : undefined,
      }
    );
  } catch (error) {
    if (error instanceof JemkitError && error.details['ended'] === true) return undefined;
    throw error;
  }
}
