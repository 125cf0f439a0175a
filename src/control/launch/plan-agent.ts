import { isSystemError, JemkitError } from '../../errors.js';
import type { AllocatorName } from '../../model/allocator.js';
import type { AgentMode, AgentPlan } from '../../model/launch-plan.js';
import type { FilterTrial, LibraryProbe } from '../../model/probe.js';
import type { ResolvedProgram } from '../../model/program.js';
import { agentLibraryPath } from '../../native.js';
import { statSync } from '../../sources/file-system.js';
import { canBePreloaded } from '../../sources/process/jemkit-folders.js';
import { agentFits } from './probe-library.js';

const VALUES: Readonly<Record<string, AgentMode>> = { 1: 'always', auto: 'auto', 0: 'off' };

/**
 * Where the agent is to act, by JEMKIT_AGENT.
 *
 * @throws JemkitError ERR_JEM_USAGE for a value that is none.
 */
export function agentModeOf<Otherwise extends AgentMode | undefined>(
  environment: NodeJS.ProcessEnv,
  otherwise: Otherwise,
): AgentMode | Otherwise {
  const value = environment['JEMKIT_AGENT'];
  if (value === undefined || value === '') return otherwise;
  const mode = Object.hasOwn(VALUES, value) ? VALUES[value] : undefined;
  if (mode) return mode;
  throw new JemkitError('ERR_JEM_USAGE', `JEMKIT_AGENT is '${value}' (expected 1, auto or 0)`, {
    hint: 'leave it out for auto',
  });
}

/** The value of JEMKIT_AGENT that says this to the agent, and to a `jem run` further down. */
export function agentVariable(mode: AgentMode): string {
  return Object.keys(VALUES).find((value) => VALUES[value] === mode) ?? '0';
}

/** Whether an entry of LD_PRELOAD is an agent, of this jemkit or another. */
export function isAgentLibrary(entry: string): boolean {
  return entry.endsWith('/libjemkit.so');
}

/**
 * Whether every user can load a file. A daemon that root starts hands LD_PRELOAD to children of other users, and the loader says a
 * line in each that cannot.
 */
function isReadableForAll(path: string): boolean {
  try {
    if ((statSync(path).mode & 0o004) === 0) return false;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      if ((statSync(path.slice(0, end)).mode & 0o001) === 0) return false;
    }
    return true;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** Hands on under which filters the agent was seen to do no harm. */
export const FILTERS_VARIABLE = 'JEMKIT_AGENT_FILTERS';

/** Why there can be no agent under this process's system call filters; undefined where there can be one. */
function describeFilters(trial: FilterTrial | undefined): string | undefined {
  switch (trial?.kind) {
    case 'fatal':
      return `the seccomp filter here ends a process that calls ${trial.call}, as the agent does`;
    case 'refused':
      return `the seccomp filter here refuses ${trial.call} (errno ${trial.errno}), which the agent needs`;
    case 'uncounted':
      return 'there is a seccomp filter here, and this kernel does not tell which (Linux 5.9 does)';
    default:
      return undefined;
  }
}

/** What decides about the agent. */
export interface AgentRequest {
  readonly mode: AgentMode;
  readonly allocator: AllocatorName;
  readonly program: Pick<ResolvedProgram, 'interpreter' | 'target'>;
  /** Of a start with the library, in which the agent is the one who asks; undefined where no library is used. */
  readonly probe: LibraryProbe | undefined;
  readonly agent?: string | undefined;
}

/**
 * Decides whether the agent is preloaded beside the allocator's library. It stays out wherever it would be of no use, and wherever
 * it was not seen to load.
 */
export function planAgent({ mode, allocator, program, probe, agent = agentLibraryPath() }: AgentRequest): AgentPlan {
  if (mode === 'off') return { kind: 'off' };
  const leftOut = (
    reason: Extract<AgentPlan, { kind: 'left-out' }>['reason'],
    cause: string,
    remedy: string,
  ): AgentPlan => ({ kind: 'left-out', mode, reason, cause, remedy });
  if (allocator !== 'jemalloc' || !probe) {
    return leftOut(
      'no-jemalloc',
      'it tells of jemalloc, which this program does not get',
      'jem explain PID shows the memory of any process from outside',
    );
  }
  if (!agent) {
    return leftOut(
      'native-part-missing',
      'the native part of jemkit is not built for this platform',
      'npm rebuild jemkit   (needs gcc or clang)',
    );
  }
  if (!canBePreloaded(agent)) {
    return leftOut(
      'path',
      `${agent} cannot stand in LD_PRELOAD, which the loader splits at spaces and colons`,
      'install jemkit in a folder without them',
    );
  }
  if (!agentFits(agent, program.target)) {
    return leftOut(
      'program',
      `${program.interpreter} is of another C library or architecture than ${agent}`,
      'install jemkit with a Node of that C library and architecture',
    );
  }
  if (probe.kind !== 'works') {
    const why = probe.kind === 'untried' ? probe.reason : probe.message;
    return leftOut('untried', `${program.interpreter} could not be tried with it: ${why}`, 'npm rebuild jemkit');
  }
  const filtered = describeFilters(probe.filters);
  if (filtered !== undefined) {
    return leftOut(
      'filtered',
      filtered,
      'allow the call in the profile (Docker, while you look for something: --security-opt seccomp=unconfined)',
    );
  }
  if (mode === 'auto' && process.geteuid?.() === 0 && !isReadableForAll(agent)) {
    return leftOut(
      'unreadable-for-others',
      `only root can read ${agent}, and programs of other users that this one starts would say so on stderr`,
      'install jemkit where every user can read it, or ask for the agent with --agent',
    );
  }
  return { kind: 'preloaded', mode, path: agent };
}
