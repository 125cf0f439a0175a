import { constants } from 'node:os';
import { WIRE_STATUSES, type WireOperation } from '../../model/agent-wire.js';
import { findMallctlKey } from '../../model/mallctl-keys.js';
import type { MallctlFailure, MallctlRead } from '../../model/mallctl-outcome.js';
import type { AgentAnswer, AgentConnection } from '../../sources/agent/agent-connection.js';
import { answerError, failureOf } from '../../sources/agent/agent-failures.js';
import { encodeArena, encodeWrite, parseValue } from '../../sources/agent/wire-messages.js';
import { parseMallctlValue } from '../../sources/mallctl/read-mallctl.js';
import { prepareWrite } from '../mallctl/write-mallctl.js';

/** What writing a key of another process's jemalloc gave; `before` is undefined for keys that do not tell. */
export type AgentWrite =
  | { readonly kind: 'done'; readonly before: MallctlRead<unknown> | undefined }
  | { readonly kind: 'wrong-value'; readonly expected: string }
  | MallctlFailure;

/** What an order gave. */
export type AgentOrder = { readonly kind: 'done' } | MallctlFailure;

const { EINVAL, EFAULT, ENOENT } = constants.errno;

/**
 * Writes a key of the jemalloc in another process; without a value, triggers it. By the same table, and with the same refusals, as
 * in this process.
 *
 * @throws JemkitError of the connection.
 */
export async function writeAgentKey(
  agent: AgentConnection,
  key: string,
  value?: boolean | number | bigint | string,
): Promise<AgentWrite> {
  const prepared = prepareWrite(key, value);
  if (prepared.kind !== 'ready') return prepared;
  const { row, type } = prepared;
  const tells = row.access === 'read-write' && row.type !== 'char []' && prepared.value !== undefined;
  const answer = await agent.request('write', encodeWrite(key, type, prepared.value, tells ? row.type : 'void'));
  if (answer.status === 0) {
    const old = tells ? parseValue(answer.payload) : undefined;
    return { kind: 'done', before: old === undefined ? undefined : parseMallctlValue(row.type, old, true) };
  }
  // Both are most often the value's fault; the key's only where reading it says so too.
  if ((answer.status === EINVAL || answer.status === EFAULT) && row.access === 'read-write') {
    const read = await agent.read(key);
    const readable = read.kind === 'value' || read.kind === 'unset' || read.kind === 'inexact';
    return readable ? { kind: 'failed', errno: answer.status } : read;
  }
  const failure = failureOf(row, answer, findMallctlKey(key)?.key.includes('<i>') === true);
  if (!failure) throw answerError(agent, 'write', answer.status);
  return failure;
}

function outcomeOf(agent: AgentConnection, operation: WireOperation, { status }: AgentAnswer): AgentOrder {
  if (status === 0) return { kind: 'done' };
  if (status === WIRE_STATUSES.noJemalloc) return { kind: 'no-jemalloc' };
  // An arena that was never used, or profiling that is not there.
  if (status === ENOENT || status === EFAULT) return { kind: 'absent' };
  if (status > 0) return { kind: 'failed', errno: status };
  if (status === WIRE_STATUSES.refused) return { kind: 'refused', reason: 'it could take the process down' };
  throw answerError(agent, operation, status);
}

async function order(agent: AgentConnection, operation: WireOperation, payload: Buffer): Promise<AgentOrder> {
  return outcomeOf(agent, operation, await agent.request(operation, payload));
}

/** Gives all unused pages of an arena, or of all, back to the system now. */
export function purgeAgent(agent: AgentConnection, arena?: number): Promise<AgentOrder> {
  return order(agent, 'purge', encodeArena(arena));
}

/** Gives those unused pages of an arena, or of all, back to the system that are past their decay time. */
export function decayAgent(agent: AgentConnection, arena?: number): Promise<AgentOrder> {
  return order(agent, 'decay', encodeArena(arena));
}

/** Writes a heap profile to a file as the process sees its files; without a path where jemalloc's own naming puts it. */
export function dumpProf(agent: AgentConnection, path?: string): Promise<AgentOrder> {
  return order(agent, 'profDump', Buffer.from(path ?? '', 'utf8'));
}
