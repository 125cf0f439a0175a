import { unavailableProcess } from '../analyses/unavailable-process.js';
import { readAgentProfiler } from '../control/agent/profile-agent.js';
import { openAllocationLook } from '../control/profiling/allocation-look.js';
import { type CaptureReason, followProcess } from '../control/profiling/follow-process.js';
import { checkProfilePath, profilePath } from '../control/profiling/profile-file.js';
import { type RawCapture, takeCapture } from '../control/profiling/take-capture.js';
import { JemkitError } from '../errors.js';
import { formatDuration } from '../model/duration.js';
import { formatBytes } from '../outputs/text/bytes.js';
import { startOf } from '../sources/agent/agent-failures.js';
import { chooseProcess } from './choose-process.js';
import type { CommandContext } from './command.js';
import type { ProfileOptions } from './profile-line.js';
import { openProfileSession, type ProfileSession } from './profile-session.js';
import { defaultStem, readTarget } from './profile-target-file.js';
import {
  openTree,
  type Profiled,
  requireProfiling,
  sayUnwinder,
  startOne,
  stopLeftover,
  stopOne,
  WHAT,
} from './profiled-processes.js';
import { sleepUntil } from './sleep-until.js';

const DEFAULT_MS = 30_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

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

/** What was sampled stays in the process until it is sampled anew: a file that cannot be written loses nothing. */
async function captureEnd(following: Following, mark: string): Promise<void> {
  try {
    await captureAll(following, mark, 'end');
  } catch (error) {
    if (!(error instanceof JemkitError) || error.code !== 'ERR_JEM_FILE') throw error;
    throw new JemkitError('ERR_JEM_FILE', error.message, {
      hint: `${error.hint ? `${error.hint}; ` : ''}what was sampled is still in the process: jem profile ${following.main.subject.pid} --seconds 0`,
      details: error.details,
      cause: error,
    });
  }
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
    if (end !== 'process') return await captureEnd(following, series ? session.nextMark() : '');
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
