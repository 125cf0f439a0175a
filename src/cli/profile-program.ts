import { basename } from 'node:path';
import { shortCommand } from '../analyses/short-command.js';
import { planLaunch } from '../control/launch/plan-launch.js';
import { presetConf } from '../control/launch/preset-conf.js';
import { startChild } from '../control/launch/start-child.js';
import { type ExitCapture, openExitCapture } from '../control/profiling/exit-capture.js';
import { checkProfilePath, type ProfileTarget, profilePath } from '../control/profiling/profile-file.js';
import { prepareProfiledProgram, profileHookPath } from '../control/profiling/profiled-program.js';
import { JemkitError } from '../errors.js';
import type { LaunchPlan } from '../model/launch-plan.js';
import { mergeMallocConf } from '../model/merge-malloc-conf.js';
import { formatBytes } from '../outputs/text/bytes.js';
import { printable } from '../outputs/text/table.js';
import type { CommandContext } from './command.js';
import type { ProfileOptions } from './profile-line.js';
import { DEFAULT_LG_SAMPLE, profilingConf, requireProfilingPlan } from './profile-plan.js';
import { openProfileSession } from './profile-session.js';
import { defaultStem, fileWord, readTarget } from './profile-target-file.js';
import { type Captures, openCaptures, type Started } from './program-captures.js';
import { captureEnd } from './program-end.js';
import { openSignals } from './program-signals.js';
import { followTriggers } from './program-triggers.js';
import { checkConf } from './start-program.js';

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
