import { spawn } from 'node:child_process';
import { JemkitError } from '../../errors.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { type AgentProfilerRefusal, captureAgentProfile } from '../agent/profile-agent.js';
import { type AgentOrder, decayAgent, dumpProf, purgeAgent } from '../agent/steer-agent.js';

/** What is done when a limit is crossed. */
export type WatchAction =
  | { readonly kind: 'say' }
  | { readonly kind: 'purge' }
  | { readonly kind: 'decay' }
  /** @param folder where to, as the process sees its files; undefined: where jemalloc's own naming puts it. */
  | { readonly kind: 'dump'; readonly folder: string | undefined }
  | { readonly kind: 'exec'; readonly command: readonly string[]; readonly quietStdout: boolean };

/** What the action is told of the moment. */
export interface WatchMoment {
  readonly pid: number;
  readonly bytes: number;
  readonly limitBytes: number;
  readonly series: string;
  readonly atMs: number;
}

/** How it went: `detail` in words. */
export interface ActionOutcome {
  readonly done: boolean;
  readonly detail: string;
}

const asked = (order: AgentOrder | AgentProfilerRefusal, detail: string): ActionOutcome =>
  order.kind === 'done' ? { done: true, detail } : { done: false, detail: refusalWords(order) };

function refusalWords(order: Exclude<AgentOrder | AgentProfilerRefusal, { kind: 'done' }>): string {
  if (order.kind === 'busy') return 'somebody else’s capture is under way';
  return order.kind === 'failed' ? `jemalloc refused (error ${order.errno})` : `it has none (${order.kind})`;
}

const timeForName = (atMs: number) => new Date(atMs).toISOString().slice(0, 19).replace(/[-:]/g, '');

async function dump(
  agent: AgentConnection,
  folder: string | undefined,
  { pid, atMs }: WatchMoment,
): Promise<ActionOutcome> {
  if (folder === undefined) return asked(await dumpProf(agent), 'a heap profile, named as opt.prof_prefix says');
  const path = `${folder.replace(/\/+$/, '')}/jem-${pid}-${timeForName(atMs)}.heap`;
  return asked(await captureAgentProfile(agent, path), path);
}

function execute(
  command: readonly string[],
  quietStdout: boolean,
  moment: WatchMoment,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: ['ignore', quietStdout ? 2 : 'inherit', 'inherit'],
    signal,
    env: {
      ...process.env,
      JEMKIT_WATCH_PID: String(moment.pid),
      JEMKIT_WATCH_BYTES: String(Math.round(moment.bytes)),
      JEMKIT_WATCH_LIMIT_BYTES: String(Math.round(moment.limitBytes)),
      JEMKIT_WATCH_SERIES: moment.series,
    },
  });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ done: false, detail: `${program}: ${error.message}` }));
    child.on('exit', (code, by) =>
      resolve({ done: true, detail: `${program} ended ${by ? `by ${by}` : `with exit code ${code}`}` }),
    );
  });
}

/** Does it. What fails is said, not thrown: the watch goes on. */
export async function performAction(
  action: WatchAction,
  agent: AgentConnection | undefined,
  moment: WatchMoment,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  if (action.kind === 'say') return { done: true, detail: '' };
  if (action.kind === 'exec') return execute(action.command, action.quietStdout, moment, signal);
  if (!agent) return { done: false, detail: 'nobody inside the process answers at this moment' };
  try {
    if (action.kind === 'purge') return asked(await purgeAgent(agent), 'purged all arenas');
    if (action.kind === 'decay') return asked(await decayAgent(agent), 'what was due is given back');
    return await dump(agent, action.folder, moment);
  } catch (error) {
    if (error instanceof JemkitError) return { done: false, detail: error.message };
    throw error;
  }
}
