import type { InsideFacts } from '../../model/resident-breakdown.js';
import type { AgedNodeFacts, AgentConnection } from './agent-connection.js';
import { readSizeClass } from './size-class.js';

/** JavaScript publishes each second: a little longer is waited for what it says now, and then taken what it said last. */
const FRESH_DEADLINE_MS = 1500;
/** Some hundred million objects, or an event loop that is busy. */
const COUNT_DEADLINE_MS = 60_000;
const POLL_MS = 50;

const pause = () => new Promise((resolve) => setTimeout(resolve, POLL_MS));

/** What JavaScript has published since we asked. In a program whose event loop is busy it is what was published last. */
async function readFreshNodeFacts(agent: AgentConnection): Promise<AgedNodeFacts | undefined> {
  const askedAt = Date.now();
  for (;;) {
    const told = await agent.nodeFacts();
    const waitedMs = Date.now() - askedAt;
    if (!told || told.ageMs <= waitedMs || waitedMs >= FRESH_DEADLINE_MS) return told;
    await pause();
  }
}

/** Whether jemalloc gives each large block one page more, to spread them over the processor's cache; undefined where it does not say. */
async function readLargePadding(agent: AgentConnection): Promise<boolean | undefined> {
  for (const key of ['opt.cache_oblivious', 'config.cache_oblivious'] as const) {
    const answer = await agent.read(key);
    if (answer.kind === 'value') return answer.value;
  }
  return undefined;
}

const NOBODY: InsideFacts = {
  jemalloc: undefined,
  node: undefined,
  nodeAgeMs: undefined,
  poolBlocks: undefined,
  largePadding: undefined,
};

/** What somebody inside a process says of its memory: jemalloc's counters, JavaScript's own figures. */
export async function readInsideFacts(agent: AgentConnection | undefined): Promise<InsideFacts> {
  if (!agent) return NOBODY;
  const told = await readFreshNodeFacts(agent);
  // Counters last: the mappings are read next, and what moves in between is a difference.
  const jemalloc = await agent.sample();
  if (!jemalloc) return { ...NOBODY, node: told?.facts, nodeAgeMs: told?.ageMs };
  return {
    jemalloc,
    node: told?.facts,
    nodeAgeMs: told?.ageMs,
    poolBlocks: told && (await readSizeClass((key) => agent.read(key), told.facts.bufferPoolBytes)),
    largePadding: await readLargePadding(agent),
  };
}

/** How asking JavaScript to count its Buffers went. */
export type BufferCount = 'counted' | 'nobody-there' | 'no-answer';

/** Has JavaScript in the process count its ArrayBuffers, and waits until its figures are there. The program stands still meanwhile. */
export async function countBuffers(agent: AgentConnection, deadlineMs = COUNT_DEADLINE_MS): Promise<BufferCount> {
  const askedAt = Date.now();
  const { status } = await agent.request('nodeCount');
  if (status !== 0) return 'nobody-there';
  while (Date.now() - askedAt < deadlineMs) {
    const told = await agent.nodeFacts();
    // Both clocks are this machine's.
    if (
      told &&
      told.facts.isolates.length > 0 &&
      told.facts.isolates.every(({ buffers }) => (buffers?.atMs ?? 0) >= askedAt)
    )
      return 'counted';
    await pause();
  }
  return 'no-answer';
}
