import { readlinkSync } from 'node:fs';
import { shortCommand } from '../../analyses/short-command.js';
import { isSystemError, JemkitError } from '../../errors.js';
import type { AgentAbsence } from '../../model/agent.js';
import type { MemorySample } from '../../model/memory-sample.js';
import type { RecordingEnd } from '../../model/recording.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { openAgentFolder } from '../../sources/agent/agent-folder.js';
import { openAgent } from '../../sources/agent/open-agent.js';
import { readProcessSample } from '../../sources/agent/read-sample.js';
import { readProcessStat } from '../../sources/procfs/process-stat.js';
import { readCommandLine } from '../../sources/procfs/process-strings.js';

/** What is seen while a process is sampled. */
export interface SamplingHandlers {
  /** @param agent who inside the process answered; undefined where there is nobody to ask. */
  readonly onSample: (sample: MemorySample, agent: AgentConnection | undefined) => void | Promise<void>;
  readonly onAgent?: (agent: AgentConnection) => void;
  /** The agent is gone and the process is not: it became another program, or stands still. */
  readonly onAgentLost?: () => void;
  /** There is nobody to ask at this moment; said again at each try. */
  readonly onAbsence?: (absence: AgentAbsence, sinceStartMs: number) => void;
  readonly onExec?: (command: string) => void;
}

/** Which process, how often and how long. */
export interface SamplingRequest extends SamplingHandlers {
  readonly pid: number;
  readonly intervalMs: number;
  readonly durationMs?: number | undefined;
  /** Ends it in order. */
  readonly signal: AbortSignal;
}

/** The agent opens its socket 100 ms after a program's start; later a look every two seconds finds one that came with an exec. */
const YOUNG_MS = 2000;
const RETRY_MS = { young: 100, old: 2000 } as const;
const AGENT_TIMEOUT_MS = 1000;
/** How often it is looked whether JavaScript in the process can be asked too: it comes up later than what was preloaded. */
const BETTER_MS = 2000;
/** How long the end of a process may go unnoticed between two samples. */
const GLANCE_MS = 500;

/** Tells this process from a later one with the same pid. Undefined where it has ended: a zombie has no memory any more. */
function startTicksOf(pid: number): number | undefined {
  try {
    const stat = readProcessStat(pid);
    return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : stat.startTicks;
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** The file a process runs; undefined where it may not be known. */
function executableOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** The short form of a process's command line; empty where it is gone. */
export function readShortCommand(pid: number): string {
  try {
    const argv = readCommandLine(pid).map((argument) => argument.toString('utf8'));
    return shortCommand(argv) || (readProcessStat(pid)?.commandName ?? '');
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}

const isAgentFailure = (error: unknown) => error instanceof JemkitError && error.code.startsWith('ERR_JEM_AGENT_');

/** True where the addon has its socket, which is asked before the preloaded agent's. */
function hasAddonAgent(pid: number): boolean {
  const opening = openAgentFolder(pid);
  if (opening.kind !== 'open') return false;
  const found = opening.folder.sockets.some(({ place }) => place === 'addon');
  opening.folder.close();
  return found;
}

/** Keeps a connection to whoever answers inside the process, also over an exec. */
function openAgentKeeper({ pid, onAgent, onAgentLost, onAbsence }: SamplingRequest, startedMs: number) {
  let agent: AgentConnection | undefined;
  let nextTryMs = 0;
  return {
    async current(): Promise<AgentConnection | undefined> {
      const nowMs = performance.now();
      if (agent?.hello.place === 'preloaded' && nowMs >= nextTryMs) {
        nextTryMs = nowMs + BETTER_MS;
        if (hasAddonAgent(pid)) {
          agent.close();
          agent = undefined;
          nextTryMs = nowMs;
        }
      }
      if (agent || nowMs < nextTryMs) return agent;
      const opening = await openAgent(pid, { timeoutMs: AGENT_TIMEOUT_MS });
      if (opening.kind === 'open') {
        agent = opening.agent;
        onAgent?.(agent);
      } else {
        nextTryMs = nowMs + (nowMs - startedMs < YOUNG_MS ? RETRY_MS.young : RETRY_MS.old);
        if (opening.kind !== 'gone') onAbsence?.(opening, nowMs - startedMs);
      }
      return agent;
    },
    lose(): void {
      agent?.close();
      agent = undefined;
      nextTryMs = performance.now() + RETRY_MS.young;
      onAgentLost?.();
    },
    close: () => agent?.close(),
  };
}

/**
 * Takes samples of a process at fixed moments until it ends, the time is over or the signal says so. A moment that was missed because
 * the machine was busy is passed over, not made up for.
 */
export async function sampleProcess(request: SamplingRequest): Promise<RecordingEnd> {
  const { pid, intervalMs, durationMs = Number.POSITIVE_INFINITY, signal, onSample, onExec } = request;
  const startedMs = performance.now();
  const ticks = startTicksOf(pid);
  if (ticks === undefined) return 'target-ended';
  const isThere = () => startTicksOf(pid) === ticks;
  const keeper = openAgentKeeper(request, startedMs);
  let executable = executableOf(pid);

  const takeSample = async (): Promise<boolean> => {
    const agent = await keeper.current();
    let sample: MemorySample | undefined;
    let asked = agent;
    try {
      sample = await readProcessSample(pid, agent);
    } catch (error) {
      if (!isAgentFailure(error)) throw error;
      asked = undefined;
      if (!isThere()) return false;
      keeper.lose();
      sample = await readProcessSample(pid, undefined);
    }
    if (!sample || !isThere()) return false;
    const now = executableOf(pid);
    if (now !== undefined && now !== executable) {
      if (executable !== undefined) onExec?.(readShortCommand(pid));
      executable = now;
    }
    await onSample(sample, asked);
    return true;
  };

  try {
    for (let turn = 0; ; ) {
      if (signal.aborted) return 'stopped';
      if (!(await takeSample())) return 'target-ended';
      turn = Math.max(turn + 1, Math.ceil((performance.now() - startedMs) / intervalMs));
      const nextMs = startedMs + Math.min(turn * intervalMs, durationMs);
      for (let left = nextMs - performance.now(); left > 0; left = nextMs - performance.now()) {
        await waitFor(Math.min(left, GLANCE_MS), signal);
        if (signal.aborted) return 'stopped';
        if (left > GLANCE_MS && !isThere()) return 'target-ended';
      }
      // A sample at the very end belongs to it.
      if (turn * intervalMs > durationMs) return 'duration';
    }
  } finally {
    keeper.close();
  }
}
