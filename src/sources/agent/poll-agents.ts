import { JemkitError } from '../../errors.js';
import type { AgentAbsence } from '../../model/agent.js';
import type { MemorySample, ProcessMemory } from '../../model/memory-sample.js';
import { readProcessIds } from '../procfs/process-list.js';
import { readProcessMemory } from '../procfs/process-memory.js';
import { readProcessStat } from '../procfs/process-stat.js';
import type { AgentConnection } from './agent-connection.js';
import { openFinder } from './agent-finder.js';
import { listAgents } from './list-agents.js';
import { openAgent } from './open-agent.js';
import { readProcessSample } from './read-sample.js';

/** What a process answered at a look. */
export interface PolledProcess {
  readonly pid: number;
  readonly answer:
    | { readonly kind: 'sample'; readonly sample: MemorySample }
    | {
        readonly kind: 'silent';
        readonly forMs: number;
        readonly stopped: boolean;
        readonly process: ProcessMemory | undefined;
      }
    | { readonly kind: 'failed'; readonly detail: string; readonly process: ProcessMemory | undefined };
}

/** Asks all processes that have an agent, again and again. */
export interface AgentPoll {
  /**
   * Asks every process at once, and gives what had come when the time was up: one that does not answer does not hold up the others.
   */
  look(timeoutMs: number): Promise<PolledProcess[]>;
  close(): void;
}

/** After this time one that could not be asked is tried again. */
const RETRY_MS = 5000;

interface Entry {
  readonly pid: number;
  agent: AgentConnection | undefined;
  asking: Promise<void> | undefined;
  askedAtMs: number;
  /** A look has given the sample in `result`: only a newer one counts from then on. */
  given: boolean;
  result:
    | { readonly kind: 'sample'; readonly sample: MemorySample }
    | { readonly kind: 'failed'; readonly detail: string; readonly atMs: number }
    | { readonly kind: 'gone' }
    | undefined;
}

function detailOf(absence: Exclude<AgentAbsence, { kind: 'gone' | 'no-agent' }>): string {
  switch (absence.kind) {
    case 'not-permitted':
      return 'not permitted';
    case 'foreign':
      return 'its socket is not trusted';
    case 'version-mismatch':
      return `agent of version ${absence.theirs}, not ${absence.ours}`;
    case 'unresponsive':
      return absence.detail;
  }
}

function isStopped(pid: number): boolean {
  try {
    return 'Tt'.includes(readProcessStat(pid)?.state ?? '-');
  } catch {
    return false;
  }
}

async function ask(entry: Entry, now: () => number): Promise<void> {
  try {
    if (!entry.agent) {
      const opening = await openAgent(entry.pid);
      if (opening.kind === 'gone' || opening.kind === 'no-agent') {
        entry.result = { kind: 'gone' };
        return;
      }
      if (opening.kind !== 'open') {
        entry.result = { kind: 'failed', detail: detailOf(opening), atMs: now() };
        return;
      }
      entry.agent = opening.agent;
    }
    const sample = await readProcessSample(entry.pid, entry.agent);
    entry.result = sample ? { kind: 'sample', sample } : { kind: 'gone' };
    entry.given = false;
  } catch (error) {
    if (!(error instanceof JemkitError)) throw error;
    entry.agent?.close();
    entry.agent = undefined;
    // The connection ended and the process did not: it became another program, whose agent is asked at the next look, if it has one.
    const lost = error.code === 'ERR_JEM_AGENT_LOST';
    const detail = error.message.replace(/^(the agent of )?process \d+:? /, '');
    entry.result = lost ? undefined : { kind: 'failed', detail, atMs: now() };
  }
}

/** Opens conversations as processes come, and keeps them; close it. */
export function openAgentPoll(now: () => number = () => performance.now()): AgentPoll {
  const entries = new Map<number, Entry>();
  const finder = openFinder(now);
  let failure: unknown;

  /** What to wait for: nobody waits for one that has kept us waiting before. */
  const start = (entry: Entry): Promise<void> | undefined => {
    const { result } = entry;
    if (entry.asking || (result?.kind === 'failed' && now() - result.atMs < RETRY_MS)) return undefined;
    // A failure stays to be seen until there is something newer; a sample that came too late for the look before is of use now.
    if (result?.kind === 'sample' && entry.given) entry.result = undefined;
    entry.askedAtMs = now();
    entry.asking = ask(entry, now)
      .catch((error) => {
        failure ??= error;
      })
      .finally(() => {
        entry.asking = undefined;
      });
    return result?.kind === 'failed' ? undefined : entry.asking;
  };
  const seen = (entry: Entry): PolledProcess => {
    const { pid, result, askedAtMs } = entry;
    if (result?.kind === 'sample') {
      entry.given = true;
      return { pid, answer: result };
    }
    const process = readProcessMemory(pid);
    if (result?.kind === 'failed') return { pid, answer: { kind: 'failed', detail: result.detail, process } };
    return { pid, answer: { kind: 'silent', forMs: now() - askedAtMs, stopped: isStopped(pid), process } };
  };

  return {
    async look(timeoutMs) {
      for (const { pid } of listAgents(finder.due(readProcessIds()).filter((pid) => !entries.has(pid)))) {
        entries.set(pid, {
          pid,
          agent: undefined,
          asking: undefined,
          askedAtMs: now(),
          given: false,
          result: undefined,
        });
      }
      const asked = [...entries.values()].map(start);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([Promise.all(asked), late]);
      clearTimeout(timer);
      if (failure !== undefined) throw failure;
      for (const [pid, entry] of entries) {
        if (entry.result?.kind !== 'gone') continue;
        entry.agent?.close();
        entries.delete(pid);
      }
      return [...entries.values()].map(seen).filter(({ answer }) => answer.kind === 'sample' || answer.process);
    },
    close() {
      for (const { agent } of entries.values()) agent?.close();
      entries.clear();
    },
  };
}
