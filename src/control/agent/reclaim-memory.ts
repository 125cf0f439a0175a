import { JemkitError } from '../../errors.js';
import type { Reclaimed, ReclaimFigures } from '../../model/reclaim.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { readProcessSample } from '../../sources/agent/read-sample.js';

async function readNumber(agent: AgentConnection, key: string): Promise<number | undefined> {
  const read = await agent.read(key);
  return read.kind === 'value' && typeof read.value === 'number' ? read.value : undefined;
}

/** What there is now; of one arena its own unused pages. */
export async function readReclaimFigures(agent: AgentConnection, arena: number | undefined): Promise<ReclaimFigures> {
  const sample = await readProcessSample(agent.pid, agent);
  if (!sample) throw new JemkitError('ERR_JEM_AGENT_LOST', `process ${agent.pid} ended before it answered`);
  const { jemalloc } = sample;
  const figures = {
    residentBytes: sample.process.residentBytes,
    allocatedBytes: jemalloc?.allocatedBytes,
    activeBytes: jemalloc?.activeBytes,
  };
  if (arena === undefined) return { ...figures, dirtyBytes: jemalloc?.dirtyBytes, muzzyBytes: jemalloc?.muzzyBytes };
  const [dirtyPages, muzzyPages] = await Promise.all([
    readNumber(agent, `stats.arenas.${arena}.pdirty`),
    readNumber(agent, `stats.arenas.${arena}.pmuzzy`),
  ]);
  const pageBytes = jemalloc?.pageBytes;
  const bytes = (pages: number | undefined) =>
    pages === undefined || pageBytes === undefined ? undefined : pages * pageBytes;
  return { ...figures, dirtyBytes: bytes(dirtyPages), muzzyBytes: bytes(muzzyPages) };
}

/** Does something to a process's memory, and measures it before and after. */
export async function reclaimMemory(
  agent: AgentConnection,
  arena: number | undefined,
  act: () => Promise<void>,
): Promise<Reclaimed> {
  const before = await readReclaimFigures(agent, arena);
  const startMs = performance.now();
  await act();
  const tookMs = performance.now() - startMs;
  const after = await readReclaimFigures(agent, arena);
  return { pid: agent.pid, arena, before, after, tookMs };
}
