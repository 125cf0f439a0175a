import { basename, join } from 'node:path';
import { shortCommand } from '../analyses/short-command.js';
import { unavailableProcess } from '../analyses/unavailable-process.js';
import { readAgentProfiler, startAgentProfiler, stopAgentProfiler } from '../control/agent/profile-agent.js';
import { openAllocationLook } from '../control/profiling/allocation-look.js';
import { findProfilingLibrary } from '../control/profiling/find-profiling-library.js';
import { type CaptureReason, followProcess } from '../control/profiling/follow-process.js';
import { agentsBelow } from '../control/profiling/process-tree.js';
import {
  checkProfilePath,
  type ProfileTarget,
  parseProfileTarget,
  profilePath,
} from '../control/profiling/profile-file.js';
import { explainProfilerRefusal, type RawCapture, takeCapture } from '../control/profiling/take-capture.js';
import { JemkitError } from '../errors.js';
import { formatDuration } from '../model/duration.js';
import type { ProfilerState } from '../model/profiler-state.js';
import { formatBytes } from '../outputs/text/bytes.js';
import type { AgentConnection } from '../sources/agent/agent-connection.js';
import { startOf } from '../sources/agent/agent-failures.js';
import { readRunningProcess } from '../sources/process/running-processes.js';
import { chooseProcess, commandOf, openJemallocOf } from './choose-process.js';
import type { CommandContext } from './command.js';
import type { ProfileOptions } from './profile-line.js';
import { type CaptureSubject, openProfileSession, type ProfileSession } from './profile-session.js';

const WHAT = { verb: 'profile', needs: 'agent' } as const;
const DEFAULT_MS = 30_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A program's name as a part of a file's. */
export const fileWord = (name: string) => basename(name).replace(/[^\w.+-]/g, '_') || 'program';

/** `jemkit-node-4711-20260131T235959`, by the clock of UTC. */
export function defaultStem(program: string, pid: number, now: Date): string {
  return join('.', `jemkit-${fileWord(program)}-${pid}-${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}`);
}

/**
 * Where `-o` says that captures go.
 *
 * @throws JemkitError ERR_JEM_USAGE for an ending that is none.
 */
export function readTarget(output: string): ProfileTarget {
  const target = parseProfileTarget(output);
  if (target) return target;
  throw new JemkitError('ERR_JEM_USAGE', `-o ${output}: the name's end says the form (expected .pb.gz or .heap)`, {
    hint: `-o ${output.replace(/\.(pb|gz|pprof|html|svg|txt)$/, '')}.pb.gz; a page or a picture is made of it: jem report FILE --html`,
  });
}

/** What is known of a process that is profiled. */
interface Subject extends CaptureSubject {
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
function requireProfiling({ hello }: AgentConnection, { who, pid }: Subject): void {
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
interface Profiled {
  readonly agent: AgentConnection;
  readonly subject: Subject;
}

async function startOne({ agent, subject }: Profiled, options: ProfileOptions): Promise<ProfilerState> {
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
async function stopOne({ agent }: Profiled): Promise<void> {
  try {
    await stopAgentProfiler(agent);
  } catch (error) {
    if (!(error instanceof JemkitError)) throw error;
  } finally {
    agent.close();
  }
}

function sayUnwinder(state: ProfilerState, { isNode }: Subject, { terminal }: CommandContext): void {
  if (state.unwinder === 'jemkit') return;
  const what = isNode ? 'its stacks end where V8’s code begins' : 'its stacks are jemalloc’s own';
  const remedy = isNode ? '; remedy: jemalloc 5.3.0 or later, and an official build of Node' : '';
  if (isNode || state.why)
    terminal.say(`jem: ${what}: ${state.why || 'this jemalloc has no hook for jemkit'}${remedy}`);
}

interface Listener {
  readonly told: () => boolean;
  readonly aborted: AbortSignal;
  close(): void;
}

/** Who stands in the middle: Ctrl-C ends the time before it is over, and what there is is captured. */
function listen(): Listener {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    told: () => stop.signal.aborted,
    aborted: stop.signal,
    close: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}

/** Sleeps, but no longer than until the signal. */
export function sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    function end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    }
  });
}

interface Following {
  readonly main: Profiled;
  readonly all: readonly Profiled[];
  readonly session: ProfileSession;
  readonly options: ProfileOptions;
}

async function captureAll({ all, session }: Following, mark: string, reason: CaptureReason): Promise<void> {
  const taken: { raw: RawCapture; profiled: Profiled }[] = [];
  let failure: unknown;
  // First all of them, then what takes time: they are of one moment.
  for (const profiled of all) {
    try {
      taken.push({ profiled, raw: await takeCapture(profiled.agent, profiled.subject.who, session.nextRaw()) });
    } catch (error) {
      failure ??= error;
    }
  }
  for (const { raw, profiled } of taken) {
    const own = all.length > 1 ? `-${profiled.subject.pid}` : '';
    await session.finish(raw, own + mark, reason, profiled.subject);
  }
  if (failure !== undefined) throw failure;
}

async function follow(following: Following, listener: Listener, context: CommandContext): Promise<void> {
  const { main, session, options } = following;
  const { pid, who } = main.subject;
  const { every, atPeak } = options;
  const series = every !== undefined || atPeak === true;
  const forMs = options.seconds ?? (series ? undefined : DEFAULT_MS);
  const start = startOf(pid);
  const startedMs = performance.now();
  const looker = openAllocationLook(pid, every?.kind === 'bytes');
  const wayToEnd = forMs === undefined ? 'until Ctrl-C' : `for ${formatDuration(forMs)} (Ctrl-C: until now)`;
  const state = await readAgentProfiler(main.agent);
  context.terminal.say(
    `jem: ${who} is sampled ${wayToEnd}, on average once per ${formatBytes(2 ** state.lgSample)} allocated; it goes on as before`,
  );
  try {
    const end = await followProcess(
      {
        everyMs: every?.kind === 'time' ? every.ms : undefined,
        everyBytes: every?.kind === 'bytes' ? every.bytes : undefined,
        atPeak,
        forMs,
      },
      {
        now: () => performance.now(),
        sleep: (ms) => sleepUntil(ms, listener.aborted),
        isAlive: () => startOf(pid) === start,
        isOver: listener.told,
        look: () => looker.look(),
        capture: (reason) => captureAll(following, session.nextMark(), reason),
      },
    );
    if (end !== 'process') return await captureAll(following, series ? session.nextMark() : '', 'end');
    throw endedEarly(who, performance.now() - startedMs, session);
  } catch (error) {
    if (error instanceof JemkitError && error.code === 'ERR_JEM_AGENT_LOST' && startOf(pid) !== start)
      throw endedEarly(who, performance.now() - startedMs, session);
    throw error;
  } finally {
    looker.close();
  }
}

/** The process took with it what was sampled. */
function endedEarly(who: string, afterMs: number, { written }: ProfileSession): JemkitError {
  const last = written.at(-1);
  return new JemkitError(
    'ERR_JEM_AGENT_LOST',
    `${who} ended after ${formatDuration(afterMs)} of sampling, ${last ? `the last capture is ${last.file}` : 'before anything was captured'}`,
    {
      hint: 'to capture at its end, too: jem profile -- PROGRAM; to capture on the way: --every 10s',
      details: { captures: written.map(({ file }) => file) },
    },
  );
}

async function openTree(pid: number, options: ProfileOptions, { terminal }: CommandContext): Promise<Profiled[]> {
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

async function stopLeftover(profiled: Profiled, { terminal }: CommandContext): Promise<void> {
  const { agent, subject } = profiled;
  const { active } = await readAgentProfiler(agent);
  if (!active) return terminal.say(`jem: ${subject.who} is not being profiled`);
  const order = await stopAgentProfiler(agent);
  if (order.kind !== 'done') throw explainProfilerRefusal(subject.pid, subject.who, order, '');
  terminal.say(`jem: ${subject.who} is not sampled any more`);
}

async function captureNow(following: Following): Promise<void> {
  const { agent, subject } = following.main;
  const state = await readAgentProfiler(agent);
  if (!state.active && state.samples === 0) {
    throw new JemkitError('ERR_JEM_NO_PROFILING', `nothing was sampled in ${subject.who} yet: profiling is off`, {
      hint: `jem profile ${subject.pid} --seconds 30`,
      details: { pid: subject.pid },
    });
  }
  await captureAll(following, '', 'asked');
}

/** Profiles a process that runs. */
export async function profileTarget(
  word: string | undefined,
  options: ProfileOptions,
  context: CommandContext,
): Promise<void> {
  const given = options.output === undefined ? undefined : readTarget(options.output);
  const pid = await chooseProcess(word, context, WHAT);
  const all = await openTree(pid, options, context);
  const [main] = all;
  if (!main) throw new JemkitError('ERR_JEM_INTERNAL', 'a tree of processes without its root');
  const gone = () =>
    unavailableProcess(pid, 'gone', undefined, { command: 'jem profile', asRoot: process.geteuid?.() === 0 });
  if (startOf(pid) === undefined) throw gone();
  const started: Profiled[] = [];
  try {
    for (const { agent, subject } of all) requireProfiling(agent, subject);
    if (options.stop) {
      return await stopLeftover(main, context);
    }
    const target = given ?? { stem: defaultStem(main.subject.program, pid, new Date()), form: 'pprof' as const };
    const isSeries = options.every !== undefined || options.atPeak === true;
    const mark = (all.length > 1 ? `-${pid}` : '') + (isSeries ? '-001' : '');
    checkProfilePath(profilePath(target, mark), options.force === true);
    const session = openProfileSession(target, options, context);
    const following = { main, all, session, options };
    if (options.seconds === 0) {
      await captureNow(following);
      return await session.close();
    }
    // Before anything is switched on: a signal that ended this process then would leave it on.
    const listener = listen();
    try {
      for (const profiled of all) {
        const state = await startOne(profiled, options);
        started.push(profiled);
        if (profiled === main) sayUnwinder(state, profiled.subject, context);
      }
      await follow(following, listener, context);
    } finally {
      for (const profiled of started.splice(0)) await stopOne(profiled);
      listener.close();
      await session.close();
    }
  } finally {
    for (const profiled of started) await stopOne(profiled);
    for (const { agent } of all) agent.close();
  }
}

/** Says what `--sample-bytes` became, where it is no power of two. */
export function sayRounding({ sampleBytes }: ProfileOptions, { terminal }: CommandContext): void {
  if (!sampleBytes || 2 ** sampleBytes.lgSample === sampleBytes.typedBytes) return;
  terminal.say(
    `jem: jemalloc takes powers of two: one sample per ${formatBytes(2 ** sampleBytes.lgSample)} instead of ${formatBytes(sampleBytes.typedBytes)}`,
  );
}
