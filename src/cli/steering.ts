import { InvalidArgumentError } from 'commander';
import { explainMallctl } from '../analyses/explain-mallctl.js';
import { readArenaCount } from '../control/agent/decay-times.js';
import type { AgentOrder, AgentWrite } from '../control/agent/steer-agent.js';
import { JemkitError } from '../errors.js';
import type { AgentConnection } from '../sources/agent/agent-connection.js';

/** Reads an arena's index of an option. */
export function parseArena(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) > 4095)
    throw new InvalidArgumentError('expected an index from 0 to 4095.');
  return Number(text);
}

/** The error for a key that the jemalloc of another process did not take. */
export function refusedKey(key: string, failure: Exclude<AgentWrite, { readonly kind: 'done' }>): JemkitError {
  if (failure.kind === 'absent' || failure.kind === 'no-jemalloc') {
    return new JemkitError('ERR_JEM_MALLCTL', `the process's jemalloc does not have '${key}', or not at this index`, {
      details: { key, ...failure },
    });
  }
  const { message, hint } = explainMallctl(key, failure);
  return new JemkitError('ERR_JEM_MALLCTL', message, { ...(hint && { hint }), details: { key, ...failure } });
}

/** Throws where an order was not carried out. */
export function expectDone(order: AgentOrder, what: 'purge' | 'decay'): void {
  if (order.kind !== 'done') throw refusedKey(`arena.<i>.${what}`, order);
}

/** Throws for an arena that the process does not have. */
export async function checkArena(agent: AgentConnection, arena: number | undefined): Promise<void> {
  if (arena === undefined) return;
  const count = await readArenaCount(agent);
  const read = arena < count ? await agent.read(`arena.${arena}.initialized`) : undefined;
  if (read?.kind === 'value' && read.value === true) return;
  throw new JemkitError(
    'ERR_JEM_MALLCTL',
    read
      ? `arena ${arena} of process ${agent.pid} is not in use`
      : `process ${agent.pid} has no arena ${arena}: there are ${count}, from 0 to ${count - 1}`,
    { hint: `jem stats ${agent.pid} --arenas lists them` },
  );
}
