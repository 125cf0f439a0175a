import { constants } from 'node:os';
import { JemkitError } from '../../errors.js';
import { WIRE_STATUSES, type WireOperation } from '../../model/agent-wire.js';
import type { ProfilerState } from '../../model/profiler-state.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { answerError } from '../../sources/agent/agent-failures.js';
import { parseProfilerState } from '../../sources/agent/parse-profiler-state.js';

/** How a process is to be profiled. */
export interface AgentProfilerWish {
  /** The mean distance between two samples is 2^n bytes; left out, as it is. */
  readonly lgSample?: number | undefined;
  /** Work of libuv's thread pool is put down to the JavaScript that asked for it. */
  readonly threadPool?: boolean;
  /** Forget what was sampled before. */
  readonly reset?: boolean;
}

/** Why an order to a profiler was not carried out. */
export type AgentProfilerRefusal =
  /** Somebody else's capture, or profile, is under way. */
  | { readonly kind: 'busy' }
  /** Not compiled in, or not enabled at the start. */
  | { readonly kind: 'no-profiling' }
  | { readonly kind: 'no-jemalloc' }
  | { readonly kind: 'failed'; readonly errno: number };

/** What an order to a profiler gave. */
export type AgentProfilerOrder = { readonly kind: 'done' } | AgentProfilerRefusal;

const { EALREADY, EBUSY, ENOENT } = constants.errno;
const THREAD_POOL = 1;
const RESET = 2;

function refusalOf(agent: AgentConnection, operation: WireOperation, status: number): AgentProfilerRefusal {
  if (status === EALREADY || status === EBUSY) return { kind: 'busy' };
  if (status === WIRE_STATUSES.noJemalloc) return { kind: 'no-jemalloc' };
  if (status > 0) return { kind: 'failed', errno: status };
  throw answerError(agent, operation, status);
}

/**
 * Has allocations in another process sampled, with JavaScript in their stacks where there is any.
 *
 * @throws JemkitError of the connection.
 */
export async function startAgentProfiler(
  agent: AgentConnection,
  { lgSample = -1, threadPool = false, reset = false }: AgentProfilerWish = {},
): Promise<AgentProfilerOrder> {
  const payload = Buffer.alloc(9);
  payload.writeBigInt64LE(BigInt(lgSample));
  payload[8] = (threadPool ? THREAD_POOL : 0) | (reset ? RESET : 0);
  const { status } = await agent.request('profStart', payload);
  if (status === 0) return { kind: 'done' };
  return status === ENOENT ? { kind: 'no-profiling' } : refusalOf(agent, 'profStart', status);
}

/** Ends what {@link startAgentProfiler} began: sampling is as it was before. What was sampled stays until a reset. */
export async function stopAgentProfiler(agent: AgentConnection): Promise<AgentProfilerOrder> {
  const { status } = await agent.request('profStop');
  if (status === 0) return { kind: 'done' };
  return status === ENOENT ? { kind: 'no-profiling' } : refusalOf(agent, 'profStop', status);
}

/**
 * Has the process write a capture.
 *
 * @param path absolute, as the process sees its files; nothing may be there.
 */
export async function captureAgentProfile(
  agent: AgentConnection,
  path: string,
): Promise<{ readonly kind: 'done'; readonly bytes: number } | AgentProfilerRefusal> {
  const { status, payload } = await agent.request('profCapture', Buffer.from(path, 'utf8'));
  // ENOENT is also what a folder that the process does not see gives.
  if (status !== 0) return refusalOf(agent, 'profCapture', status);
  return { kind: 'done', bytes: payload.length >= 8 ? Number(payload.readBigUInt64LE()) : 0 };
}

/**
 * The profiler of another process as it is now.
 *
 * @throws JemkitError of the connection; ERR_JEM_AGENT_UNRESPONSIVE for an answer that is none.
 */
export async function readAgentProfiler(agent: AgentConnection): Promise<ProfilerState> {
  const { status, payload } = await agent.request('profState');
  if (status !== 0) throw answerError(agent, 'profState', status);
  const state = parseProfilerState(payload.toString('utf8'));
  if (state) return state;
  throw new JemkitError(
    'ERR_JEM_AGENT_UNRESPONSIVE',
    `the agent of process ${agent.pid}: its answer to 'profState' cannot be read`,
  );
}
