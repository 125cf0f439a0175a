import type { MallctlFailure } from '../../model/mallctl-outcome.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { writeAgentKey } from './steer-agent.js';

/** The two kinds of unused pages that wait for their decay. */
export type PageKind = 'dirty' | 'muzzy';

/** The decay times of a process, in milliseconds: -1 is for ever, 0 at once. */
export interface DecayTimes {
  /** Of arenas that are made from now on; undefined where it cannot be read. */
  readonly ofNewArenasMs: number | undefined;
  /** Of those that there are, by index. */
  readonly ofArenasMs: ReadonlyMap<number, number>;
}

async function readNumber(agent: AgentConnection, key: string): Promise<number | undefined> {
  const read = await agent.read(key);
  return read.kind === 'value' && typeof read.value === 'number' ? read.value : undefined;
}

/** How many arenas there may be: every index is below it. */
export async function readArenaCount(agent: AgentConnection): Promise<number> {
  return (await readNumber(agent, 'arenas.narenas')) ?? 0;
}

/** The arenas that are in use. */
async function readArenas(agent: AgentConnection): Promise<number[]> {
  const count = await readArenaCount(agent);
  const indices = Array.from({ length: count }, (_, index) => index);
  const initialized = await Promise.all(indices.map((index) => agent.read(`arena.${index}.initialized`)));
  return indices.filter((index) => {
    const read = initialized[index];
    return read?.kind === 'value' && read.value === true;
  });
}

/** The decay times that a process has now. */
export async function readDecayTimes(agent: AgentConnection, kind: PageKind): Promise<DecayTimes> {
  const arenas = await readArenas(agent);
  const [ofNewArenasMs, ...times] = await Promise.all([
    readNumber(agent, `arenas.${kind}_decay_ms`),
    ...arenas.map((index) => readNumber(agent, `arena.${index}.${kind}_decay_ms`)),
  ]);
  const known = arenas.flatMap((index, at): [number, number][] => {
    const ms = times[at];
    return ms === undefined ? [] : [[index, ms]];
  });
  return { ofNewArenasMs, ofArenasMs: new Map(known) };
}

/** What stopped the setting of a key. */
export interface DecayTimeFailure {
  readonly key: string;
  readonly failure: MallctlFailure | { readonly kind: 'wrong-value'; readonly expected: string };
}

/**
 * Sets a decay time for the arenas that there are (or one of them) and, where all are meant, for new ones. jemalloc gives back what is
 * past it at once.
 *
 * @returns the first key that was not taken; those before it are set.
 */
export async function writeDecayTimes(
  agent: AgentConnection,
  kind: PageKind,
  ms: number,
  arenas: readonly number[],
  newArenas: boolean,
): Promise<DecayTimeFailure | undefined> {
  const keys = [
    // First: an arena that is made meanwhile has it too.
    ...(newArenas ? [`arenas.${kind}_decay_ms`] : []),
    ...arenas.map((index) => `arena.${index}.${kind}_decay_ms`),
  ];
  for (const key of keys) {
    const written = await writeAgentKey(agent, key, ms);
    if (written.kind !== 'done') return { key, failure: written };
  }
  return undefined;
}
