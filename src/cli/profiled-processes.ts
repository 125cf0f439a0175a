import { shortCommand } from '../analyses/short-command.js';
import { readAgentProfiler, startAgentProfiler, stopAgentProfiler } from '../control/agent/profile-agent.js';
import { findProfilingLibrary } from '../control/profiling/find-profiling-library.js';
import { agentsBelow } from '../control/profiling/process-tree.js';
import { explainProfilerRefusal } from '../control/profiling/take-capture.js';
import { JemkitError } from '../errors.js';
import type { ProfilerState } from '../model/profiler-state.js';
import type { AgentConnection } from '../sources/agent/agent-connection.js';
import { readRunningProcess } from '../sources/process/running-processes.js';
import { commandOf, openJemallocOf } from './choose-process.js';
import type { CommandContext } from './command.js';
import type { ProfileOptions } from './profile-line.js';
import type { CaptureSubject } from './profile-session.js';

export const WHAT = { verb: 'profile', needs: 'agent' } as const;

/** What is known of a process that is profiled. */
export interface Subject extends CaptureSubject {
  readonly pid: number;
  /** For messages. */
  readonly who: string;
}

function subjectOf(pid: number): Subject {
  const running = readRunningProcess(pid);
  const command = commandOf(pid);
  const name = running?.commandName ?? '';
  const program = shortCommand(running?.argv ?? []).split(' ')[0] || name || 'program';
  return { pid, program, isNode: program === 'node', who: `process ${pid}${command ? ` (${command})` : ''}` };
}

/** @throws JemkitError ERR_JEM_NO_PROFILING, with the library that would do. */
export function requireProfiling({ hello }: AgentConnection, { who, pid }: Subject): void {
  const command = commandOf(pid) || 'PROGRAM';
  if (!hello.profilingCompiledIn) {
    const other = findProfilingLibrary(process.env);
    throw new JemkitError(
      'ERR_JEM_NO_PROFILING',
      `the jemalloc ${hello.jemallocVersion?.split('-')[0] ?? ''} of ${who} was built without profiling`,
      {
        hint: other
          ? `${other} has it: jem run --library ${other} -- ${command}`
          : 'use a library built with --enable-prof, as Debian’s and Ubuntu’s libjemalloc2: jem install',
        details: { pid },
      },
    );
  }
  if (hello.profilingEnabled) return;
  throw new JemkitError(
    'ERR_JEM_NO_PROFILING',
    `${who} was started without prof:true, which jemalloc takes at its start only`,
    {
      hint: `start it with: jem run -- ${command}; or profile it from its start: jem profile -- ${command}`,
      details: { pid },
    },
  );
}

/** One process under profile. */
export interface Profiled {
  readonly agent: AgentConnection;
  readonly subject: Subject;
}

export async function startOne({ agent, subject }: Profiled, options: ProfileOptions): Promise<ProfilerState> {
  const before = await readAgentProfiler(agent);
  const order = before.active
    ? ({ kind: 'busy' } as const)
    : await startAgentProfiler(agent, {
        lgSample: options.sampleBytes?.lgSample,
        threadPool: options.threadPool === true,
        reset: true,
      });
  if (order.kind !== 'done') throw explainProfilerRefusal(subject.pid, subject.who, order, '');
  return readAgentProfiler(agent);
}

/** Ends it where the process is still there; it tells of an end by itself. */
export async function stopOne({ agent }: Profiled): Promise<void> {
  try {
    await stopAgentProfiler(agent);
  } catch (error) {
    if (!(error instanceof JemkitError)) throw error;
  } finally {
    agent.close();
  }
}

export function sayUnwinder(state: ProfilerState, { isNode }: Subject, { terminal }: CommandContext): void {
  if (state.unwinder === 'jemkit') return;
  const what = isNode ? 'its stacks end where V8’s code begins' : 'its stacks are jemalloc’s own';
  const remedy = isNode ? '; remedy: jemalloc 5.3.0 or later, and an official build of Node' : '';
  if (isNode || state.why)
    terminal.say(`jem: ${what}: ${state.why || 'this jemalloc has no hook for jemkit'}${remedy}`);
}

/** Connects to a process, and with `--children` to those below it. */
export async function openTree(
  pid: number,
  options: ProfileOptions,
  { terminal }: CommandContext,
): Promise<Profiled[]> {
  const open = async (id: number): Promise<Profiled> => ({
    agent: await openJemallocOf(id, WHAT),
    subject: subjectOf(id),
  });
  const main = await open(pid);
  const below = agentsBelow(pid);
  if (!options.children) {
    if (below.length > 0) {
      const many =
        below.length === 1
          ? 'one process below it has an agent, too, and is'
          : `${below.length} processes below it have an agent, too, and are`;
      terminal.say(
        `jem: ${many} not profiled (${below.slice(0, 5).join(', ')}${below.length > 5 ? ', …' : ''}): --children`,
      );
    }
    return [main];
  }
  const all = [main];
  for (const id of below) {
    try {
      all.push(await open(id));
    } catch (error) {
      // Children come and go.
      if (!(error instanceof JemkitError)) throw error;
      terminal.say(`jem: without process ${id}: ${error.message}`);
    }
  }
  return all;
}

/** `--stop`. */
export async function stopLeftover(profiled: Profiled, { terminal }: CommandContext): Promise<void> {
  const { agent, subject } = profiled;
  const { active } = await readAgentProfiler(agent);
  if (!active) return terminal.say(`jem: ${subject.who} is not being profiled`);
  const order = await stopAgentProfiler(agent);
  if (order.kind !== 'done') throw explainProfilerRefusal(subject.pid, subject.who, order, '');
  terminal.say(`jem: ${subject.who} is not sampled any more`);
}
