import { basename } from 'node:path';
import { shortCommand } from '../analyses/short-command.js';
import { stopAgentProfiler } from '../control/agent/profile-agent.js';
import { planLaunch } from '../control/launch/plan-launch.js';
import { presetConf } from '../control/launch/preset-conf.js';
import { type ChildEnd, type StartedChild, startChild } from '../control/launch/start-child.js';
import { openAllocationLook } from '../control/profiling/allocation-look.js';
import { type ExitCapture, openExitCapture } from '../control/profiling/exit-capture.js';
import { findProfilingLibrary } from '../control/profiling/find-profiling-library.js';
import { type CaptureReason, followProcess } from '../control/profiling/follow-process.js';
import { agentsBelow } from '../control/profiling/process-tree.js';
import { checkProfilePath, type ProfileTarget, profilePath } from '../control/profiling/profile-file.js';
import {
  type ProfiledProgram,
  prepareProfiledProgram,
  profileHookPath,
} from '../control/profiling/profiled-program.js';
import { type RawCapture, takeCapture } from '../control/profiling/take-capture.js';
import { JemkitError } from '../errors.js';
import type { LaunchPlan } from '../model/launch-plan.js';
import { mergeMallocConf } from '../model/merge-malloc-conf.js';
import { formatBytes } from '../outputs/text/bytes.js';
import { quoteForShell } from '../outputs/text/shell-quote.js';
import { printable } from '../outputs/text/table.js';
import { startOf } from '../sources/agent/agent-failures.js';
import { openAgent } from '../sources/agent/open-agent.js';
import type { CommandContext } from './command.js';
import type { ProfileOptions } from './profile-line.js';
import { type CaptureSubject, openProfileSession, type ProfileSession } from './profile-session.js';
import { defaultStem, fileWord, readTarget, sleepUntil } from './profile-target.js';
import { checkConf } from './start-program.js';

const DEFAULT_LG_SAMPLE = 19;
/** How long a program may be kept waiting for its signal. */
const BEFORE_SIGNAL_MS = 10_000;
/** A program that ended so soon after a signal ended because of it: what it held is what was captured before. */
const ENDED_BY_SIGNAL_MS = 60_000;
/** After these most programs end. SIGQUIT is to end them as they are. */
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP']);

/** MALLOC_CONF that samples from the first allocation on. */
function profilingConf({ sampleBytes, accum }: ProfileOptions): string {
  const lgSample = sampleBytes?.lgSample ?? DEFAULT_LG_SAMPLE;
  return `prof:true,prof_active:true,lg_prof_sample:${lgSample}${accum ? ',prof_accum:true' : ''}`;
}

/** @throws JemkitError where nothing could be captured. */
function requireProfilingPlan(plan: LaunchPlan, words: readonly string[], { terminal }: CommandContext): void {
  const command = words.map(quoteForShell).join(' ');
  if (plan.fallback) {
    throw new JemkitError(
      'ERR_JEM_LIBRARY_UNUSABLE',
      `not started, as it cannot be profiled without jemalloc: ${plan.fallback.cause}`,
      {
        hint: plan.fallback.remedy,
        details: { reason: plan.fallback.reason },
      },
    );
  }
  if (plan.probe?.kind === 'works' && plan.probe.answers['config.prof'] !== 'true') {
    const other = findProfilingLibrary(process.env);
    throw new JemkitError(
      'ERR_JEM_NO_PROFILING',
      `not started: ${plan.library?.path ?? 'this jemalloc'} was built without profiling`,
      {
        hint: other
          ? `${other} has it: jem profile --library ${other} -- ${command}`
          : 'use a library built with --enable-prof, as Debian’s and Ubuntu’s libjemalloc2: jem install',
        details: { library: plan.library?.path },
      },
    );
  }
  if (plan.agent.kind === 'left-out') {
    terminal.say(
      `jem: nothing can be captured before its end, without the agent: ${plan.agent.cause}; remedy: ${plan.agent.remedy}`,
    );
  }
}

interface Started {
  readonly child: StartedChild;
  readonly subject: CaptureSubject;
  readonly session: ProfileSession;
  readonly options: ProfileOptions;
  readonly who: string;
}

/** Captures, one after another, of a program and perhaps of those below it. */
function openCaptures({ child, subject, session, options, who }: Started, { terminal }: CommandContext) {
  let queue: Promise<unknown> = Promise.resolve();
  let saidChildren = false;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };
  const sayFailure = (error: unknown) => {
    if (!(error instanceof JemkitError)) throw error;
    terminal.say(`jem: not captured: ${error.message}`);
    if (error.hint) terminal.say(`  hint: ${error.hint}`);
  };
  const takeOne = async (pid: number): Promise<RawCapture | undefined> => {
    const opening = await openAgent(pid);
    if (opening.kind !== 'open') {
      if (pid === child.pid && opening.kind !== 'gone')
        terminal.say(`jem: not captured: ${who} has no agent that answers (yet)`);
      return undefined;
    }
    try {
      return await takeCapture(opening.agent, who, session.nextRaw());
    } catch (error) {
      sayFailure(error);
      return undefined;
    } finally {
      opening.agent.close();
    }
  };
  const take = async (): Promise<RawCapture[]> => {
    const below = agentsBelow(child.pid);
    if (below.length > 0 && !options.children && !saidChildren) {
      saidChildren = true;
      terminal.say(
        `jem: ${below.length === 1 ? 'one process' : `${below.length} processes`} below it ${below.length === 1 ? 'is' : 'are'} not captured (${below.slice(0, 5).join(', ')}${below.length > 5 ? ', …' : ''}): --children`,
      );
    }
    const raws: RawCapture[] = [];
    for (const pid of options.children ? [child.pid, ...below] : [child.pid]) {
      const raw = await takeOne(pid);
      if (raw) raws.push(raw);
    }
    return raws;
  };
  const finishAll = async (raws: readonly RawCapture[], mark: string, reason: CaptureReason): Promise<void> => {
    for (const raw of raws) {
      const own = options.children ? `-${raw.pid}` : '';
      try {
        await session.finish(raw, own + mark, reason, subject);
      } catch (error) {
        sayFailure(error);
      }
    }
  };
  return {
    take: () => inTurn(take),
    finish: (raws: readonly RawCapture[], mark: string, reason: CaptureReason) =>
      inTurn(() => finishAll(raws, mark, reason)),
    captureNow: (reason: CaptureReason, isSeries = true) =>
      inTurn(async () => {
        const raws = await take();
        if (raws.length > 0) await finishAll(raws, isSeries ? session.nextMark() : '', reason);
      }),
    settled: () => queue,
  };
}

type Captures = ReturnType<typeof openCaptures>;

/** What was captured before a signal was handed on. */
interface BeforeSignal {
  raws: readonly RawCapture[];
  atMs: number;
}

/** Handles the signals that are sent here while the program runs. */
function openSignals(captures: () => Captures | undefined) {
  const before: BeforeSignal = { raws: [], atMs: Number.NEGATIVE_INFINITY };
  let waiting = false;
  return {
    before,
    onSignal(signal: NodeJS.Signals, pass: () => void): boolean {
      const ready = captures();
      if (!ready) return false;
      if (signal === 'SIGUSR2') {
        void ready.captureNow('asked');
        return true;
      }
      // Who sends a second one does not want to wait.
      if (!ENDING.has(signal) || waiting) return false;
      waiting = true;
      const taken = ready.take().then((raws) => {
        for (const raw of before.raws) raw.discard();
        Object.assign(before, { raws, atMs: performance.now() });
      });
      const late = new Promise((resolve) => setTimeout(resolve, BEFORE_SIGNAL_MS).unref());
      void Promise.race([taken, late]).finally(() => {
        waiting = false;
        pass();
      });
      return true;
    },
  };
}

async function followTriggers(started: Started, captures: Captures, ended: AbortSignal): Promise<void> {
  const { child, options } = started;
  const { every, atPeak, seconds } = options;
  if (every === undefined && !atPeak && seconds === undefined) return;
  const start = startOf(child.pid);
  const looker = openAllocationLook(child.pid, every?.kind === 'bytes');
  try {
    const end = await followProcess(
      {
        everyMs: every?.kind === 'time' ? every.ms : undefined,
        everyBytes: every?.kind === 'bytes' ? every.bytes : undefined,
        atPeak,
        fromStart: true,
        forMs: seconds,
      },
      {
        now: () => performance.now(),
        sleep: (ms) => sleepUntil(ms, ended),
        isAlive: () => startOf(child.pid) === start,
        isOver: () => ended.aborted,
        look: () => looker.look(),
        capture: (reason) => captures.captureNow(reason),
      },
    );
    if (end !== 'time') return;
    await captures.captureNow('end', every !== undefined || atPeak === true);
    const opening = await openAgent(child.pid);
    if (opening.kind !== 'open') return;
    await stopAgentProfiler(opening.agent);
    opening.agent.close();
  } catch (error) {
    // It ended in the middle.
    if (!(error instanceof JemkitError)) throw error;
  } finally {
    looker.close();
  }
}

function sayNothing(end: ChildEnd, { who, session }: Started, { terminal }: CommandContext): void {
  const last = session.written.at(-1);
  const what =
    end.signal === 'SIGKILL'
      ? 'was killed (SIGKILL), which no program can do anything before'
      : end.signal
        ? `was ended by ${end.signal}`
        : `ended with code ${end.code}`;
  if (last) {
    terminal.say(
      `jem: ${who} ${what}: nothing could be captured at its end; the last capture is ${printable(last.file)}`,
    );
    return;
  }
  terminal.say(`jem: ${who} ${what}, and left no capture`);
  terminal.say(
    end.signal
      ? '  hint: jem profile --every 10s -- PROGRAM captures on the way'
      : '  hint: a program that ends by _exit, or changes its user, writes none at its end: jem profile --every 10s -- PROGRAM, or kill -USR2 of jem, captures on the way',
  );
}

/** The capture of the end: the one before a signal that ended the program, else what the program wrote itself. */
async function captureEnd(
  end: ChildEnd,
  parts: {
    started: Started;
    captures: Captures;
    before: BeforeSignal;
    exit: ExitCapture;
    program: ProfiledProgram;
    startedAtMs: number;
  },
  context: CommandContext,
): Promise<void> {
  const { started, captures, before, exit, program, startedAtMs } = parts;
  const { session, options, child } = started;
  await captures.settled();
  const own = exit.collect(child.pid, startedAtMs, program.leavesPerfMap);
  const bySignal = before.raws.length > 0 && performance.now() - before.atMs < ENDED_BY_SIGNAL_MS;
  const raws = bySignal ? before.raws : own ? [own] : before.raws;
  for (const raw of [own, ...before.raws]) if (raw && !raws.includes(raw)) raw.discard();
  const isSeries = options.every !== undefined || options.atPeak === true;
  if (raws.length > 0) {
    await captures.finish(raws, isSeries ? session.nextMark() : '', 'end');
    if (program.freesBeforeEnd && session.written.length === 1 && own && raws.includes(own)) {
      context.terminal.say(
        'jem: Python frees its objects before it ends, so that is what was left; captured while it runs: --at-peak, --every 10s, or kill -USR2 of jem',
      );
    }
    return;
  }
  if (options.seconds !== undefined && session.written.length > 0) return;
  sayNothing(end, started, context);
  if (end.code === 0 && session.written.length === 0) context.exitCode = 3;
}

/** Starts a program, profiles it from its first allocation to its end, and ends as it did. */
export async function profileProgram(
  words: readonly string[],
  options: ProfileOptions,
  context: CommandContext,
): Promise<void> {
  const plan = planLaunch({
    command: words[0] ?? '',
    args: words.slice(1),
    allocator: 'jemalloc',
    libraryPath: options.library,
    presetConf: presetConf(options.preset),
    conf: mergeMallocConf(options.conf, profilingConf(options)),
    children: true,
    agent: 'always',
    environment: process.env,
  });
  if (options.conf !== undefined) checkConf(options.conf, plan, context);
  requireProfilingPlan(plan, words, context);
  const program = basename(words[0] ?? '');
  const isNode = basename(plan.program.interpreter) === 'node';
  const given = options.output === undefined ? undefined : readTarget(options.output);
  const isSeries = options.every !== undefined || options.atPeak === true;
  const provisional: ProfileTarget = given ?? { stem: `jemkit-${fileWord(program)}`, form: 'pprof' };
  // The pid of a tree's root is not known yet.
  if (given && !options.children) checkProfilePath(profilePath(given, isSeries ? '-001' : ''), options.force === true);
  else checkProfilePath(profilePath(provisional, '-PID-TIME'), true);

  const exit = openExitCapture(profilePath(provisional));
  try {
    await runProfiled({ words, options, plan, exit, given, program, isNode }, context);
  } finally {
    exit.close();
  }
}

interface Launch {
  readonly words: readonly string[];
  readonly options: ProfileOptions;
  readonly plan: LaunchPlan;
  readonly exit: ExitCapture;
  readonly given: ProfileTarget | undefined;
  readonly program: string;
  readonly isNode: boolean;
}

async function runProfiled(
  { words, options, plan, exit, given, program, isNode }: Launch,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const prepared = prepareProfiledProgram({
    words,
    interpreter: plan.program.interpreter,
    environment: process.env,
    exitPath: options.seconds === undefined ? exit.path : undefined,
    threadPool: options.threadPool === true,
    exactLines: options.exactLines === true,
    hook: profileHookPath(),
  });
  for (const announcement of prepared.announcements) terminal.say(`jem: ${announcement}`);
  const through = plan.program.throughShell;
  const argv = through ? ['/bin/sh', plan.program.path, ...prepared.words.slice(1)] : prepared.words;
  let captures: Captures | undefined;
  const signals = openSignals(() => captures);
  const startedAtMs = Date.now();
  const child = await startChild(
    {
      path: through ? '/bin/sh' : plan.program.path,
      argv: argv.map((word) => Buffer.from(word)),
      environment: { ...plan.environment, ...prepared.environment },
    },
    { onSignal: signals.onSignal, ownSession: true },
  );
  const target = given ?? { stem: defaultStem(program, child.pid, new Date()), form: 'pprof' as const };
  const session = openProfileSession(target, options, context);
  const who = `process ${child.pid} (${printable(shortCommand(words) || program)})`;
  const started: Started = { child, subject: { program, isNode }, session, options, who };
  captures = openCaptures(started, context);
  const lgSample = options.sampleBytes?.lgSample ?? DEFAULT_LG_SAMPLE;
  terminal.say(
    `jem: ${who} is sampled from its start, on average once per ${formatBytes(2 ** lgSample)} allocated; kill -USR2 ${process.pid} captures it now`,
  );
  const ended = new AbortController();
  void child.ended.then(() => ended.abort());

  // From here on the program comes first: whatever becomes of the captures, it runs to its own end.
  let bug: unknown;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof JemkitError)) bug ??= error;
      else {
        terminal.say(`jem: not captured: ${error.message}`);
        if (error.hint) terminal.say(`  hint: ${error.hint}`);
        context.exitCode = error.exitCode;
      }
    }
  };
  await attempt(async () => {
    const following = followTriggers(started, captures, ended.signal);
    const end = await child.ended;
    await following;
    await captureEnd(end, { started, captures, before: signals.before, exit, program: prepared, startedAtMs }, context);
  });
  exit.close();
  // Before this process ends by the signal that ended its child.
  await attempt(() => session.close());
  const code = await child.endAs(await child.ended);
  if (code !== 0) context.exitCode = code;
  if (bug !== undefined) throw bug;
}
