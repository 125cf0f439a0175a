import { constants } from 'node:os';
import { type Command, Option } from 'commander';
import { shortCommand } from '../../analyses/short-command.js';
import { planLaunch } from '../../control/launch/plan-launch.js';
import { presetConf } from '../../control/launch/preset-conf.js';
import { startChild } from '../../control/launch/start-child.js';
import { type RecordOutcome, readRecordingHead, recordProcess } from '../../control/recording/record-process.js';
import { checkRecordingPath, openRecordingFile, type RecordingFile } from '../../control/recording/recording-file.js';
import { readShortCommand } from '../../control/recording/sample-process.js';
import { JemkitError } from '../../errors.js';
import { DEFAULT_PRESET, PRESETS } from '../../model/malloc-conf-presets.js';
import { printable } from '../../outputs/text/table.js';
import { chooseProcess } from '../choose-process.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { isCommand } from '../is-command.js';
import { packageVersion } from '../program.js';
import { durationOption } from '../quantities.js';
import { type RecordOptions, readRecordLine } from '../record-line.js';
import { openChildLook, openProgressLine, sayOutcome, sayWithoutAgent } from '../record-talk.js';
import { requireProc } from '../require-proc.js';
import { checkConf } from '../start-program.js';

const WHAT = { verb: 'record', needs: 'process' } as const;
/** An agent opens its socket 100 ms after the start; where there is none by now, there will be none. */
const AGENT_GRACE_MS = 2000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `run-4711-20260131T235959.jemrec`, by the clock of UTC. */
function defaultName(pid: number, now: Date): string {
  return `run-${pid}-${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}.jemrec`;
}

interface Running {
  readonly pid: number;
  readonly file: RecordingFile | undefined;
  readonly signal: AbortSignal;
  /** Ends it before its time. */
  readonly stop: () => void;
  /** The program has this terminal: nothing is drawn over what it shows. */
  readonly quiet: boolean;
}

/** Records what runs, and says what came of it. */
async function recordRunning(
  running: Running,
  options: RecordOptions,
  context: CommandContext,
): Promise<RecordOutcome> {
  const { pid, file, signal, stop, quiet } = running;
  const { terminal } = context;
  const progress = openProgressLine(context, !quiet);
  const lookAtChildren = openChildLook(pid, context);
  let samples = 0;
  let startMs: number | undefined;
  let saidAbsence = !quiet;
  const outcome = await recordProcess({
    pid,
    intervalMs: options.interval,
    durationMs: options.duration,
    signal,
    file,
    onSample(sample) {
      startMs ??= sample.monotonicMs;
      const elapsedMs = sample.monotonicMs - startMs;
      samples++;
      if (options.json) terminal.print(JSON.stringify(sample));
      if (terminal.readerGone) stop();
      progress.show(samples, elapsedMs, sample);
      lookAtChildren(elapsedMs, sample.process.residentBytes);
    },
    onAbsence(_absence, sinceStartMs) {
      if (saidAbsence || sinceStartMs < AGENT_GRACE_MS) return;
      saidAbsence = true;
      void sayWithoutAgent(pid, context);
    },
  });
  progress.clear();
  return outcome;
}

function closeFile(
  file: RecordingFile | undefined,
  outcome: RecordOutcome,
  exitCode: number | undefined,
): RecordOutcome {
  try {
    if (!outcome.failure) file?.note({ kind: 'end', atMs: Date.now(), reason: outcome.end, exitCode });
    return outcome;
  } catch (error) {
    if (!(error instanceof JemkitError)) throw error;
    return { ...outcome, failure: error };
  } finally {
    file?.close();
  }
}

async function recordTarget(
  target: string | undefined,
  options: RecordOptions,
  context: CommandContext,
): Promise<void> {
  const pid = await chooseProcess(target, context, WHAT);
  const command = printable(readShortCommand(pid));
  await sayWithoutAgent(pid, context);
  const path = options.output ?? (options.json ? undefined : defaultName(pid, new Date()));
  const head = readRecordingHead({ pid, command }, options.interval, packageVersion());
  const file = path === undefined ? undefined : openRecordingFile(path, head, options.force === true);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    const running = { pid, file, signal: stop.signal, stop: onSignal, quiet: false };
    const outcome = closeFile(file, await recordRunning(running, options, context), undefined);
    sayOutcome(`pid ${pid} (${command})`, outcome, file, context);
    if (outcome.failure) context.exitCode = outcome.failure.exitCode;
    else if (outcome.samples === 0 && !context.terminal.readerGone) context.exitCode = 3;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

/** The plan of `jem run --agent`, and a word about what of it cannot be had. */
function planRecorded(words: readonly string[], { preset, conf }: RecordOptions, context: CommandContext) {
  const plan = planLaunch({
    command: words[0] ?? '',
    args: words.slice(1),
    allocator: 'jemalloc',
    presetConf: presetConf(preset),
    conf,
    children: true,
    agent: 'always',
    profiling: true,
    environment: process.env,
  });
  if (conf !== undefined) checkConf(conf, plan, context);
  const missing = plan.fallback ?? (plan.agent.kind === 'left-out' ? plan.agent : undefined);
  if (missing) {
    context.terminal.say(`jem: only what the kernel tells is recorded: ${missing.cause}; remedy: ${missing.remedy}`);
  }
  return plan;
}

async function recordCommand(words: readonly string[], options: RecordOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  requireProc('record');
  if (options.output !== undefined) checkRecordingPath(options.output, options.force === true);
  const plan = planRecorded(words, options, context);
  const { program } = plan;
  const argv = (program.throughShell ? ['/bin/sh', program.path, ...words.slice(1)] : words).map((word) =>
    Buffer.from(word),
  );
  const path = program.throughShell ? '/bin/sh' : program.path;
  const child = await startChild({ path, argv, environment: plan.environment });
  const command = printable(shortCommand(words));
  const ended = new AbortController();
  void child.ended.then(() => ended.abort());

  // From here on the program comes first: whatever becomes of the recording, it runs to its own end.
  let bug: unknown;
  try {
    const head = readRecordingHead({ pid: child.pid, command }, options.interval, packageVersion());
    const target = options.output ?? defaultName(child.pid, new Date());
    const file = openRecordingFile(target, head, options.force === true);
    const running = { pid: child.pid, file, signal: ended.signal, stop: () => ended.abort(), quiet: true };
    const recorded = await recordRunning(running, options, context);
    const outcome: RecordOutcome = ended.signal.aborted ? { ...recorded, end: 'target-ended' } : recorded;
    const exit = outcome.end === 'target-ended' ? await child.ended : undefined;
    const exitCode = exit && (exit.code ?? 128 + (exit.signal ? constants.signals[exit.signal] : 0));
    sayOutcome(`pid ${child.pid} (${command})`, closeFile(file, outcome, exitCode), file, context);
  } catch (error) {
    if (error instanceof JemkitError) {
      terminal.say(`jem: not recorded: ${error.message}`);
      if (error.hint) terminal.say(`  hint: ${error.hint}`);
    } else bug = error;
  }
  context.exitCode = await child.endAs(await child.ended);
  if (bug !== undefined) throw bug;
}

async function record(
  words: readonly string[],
  options: RecordOptions,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const line = readRecordLine(words, options, isCommand(command, words));
  await (line.kind === 'command'
    ? recordCommand(line.words, options, context)
    : recordTarget(line.target, options, context));
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Record the memory of a process over time: RSS and what else the kernel tells, and with an agent inside jemalloc’s and V8’s figures. ' +
        'With a command after --, start it under jemalloc with the agent, record it until it ends, and end as it did. The file is small ' +
        '(50 to 200 KB an hour at one sample a second), whole after every sample, and only its owner can read it.',
    )
    .usage('[options] [target | -- command...]')
    .argument('[words...]', 'a pid, a name, or nothing where only one process has an agent')
    .option('-o, --output <file>', 'where to (default: run-PID-TIME.jemrec)')
    .addOption(
      new Option('-i, --interval <time>', 'between two samples')
        .argParser(durationOption(10, 3_600_000))
        .default(1000, '1s'),
    )
    .option(
      '-d, --duration <time>',
      'how long (default: until it ends, or Ctrl-C)',
      durationOption(10, 366 * 86_400_000),
    )
    .option('-f, --force', 'replace the file')
    .option('--json', 'print each sample as a line of JSON; without -o no file is written')
    .option(
      '--preset <name>',
      `with a command: a named set of options: ${Object.keys(PRESETS).join(', ')}, none (default: ${DEFAULT_PRESET})`,
    )
    .option('--conf <pairs>', 'with a command: MALLOC_CONF options, KEY:VALUE,…, as jem run takes them')
    .action((words: string[], options: RecordOptions) => record(words, options, command, context));
  addExamples(command, [
    ['jem record 4711', 'until Ctrl-C'],
    ['jem record redis-server -d 10m -o redis.jemrec', 'ten minutes'],
    ['jem record -o run.jemrec -- node server.js', 'a program from its start to its end'],
    ['jem record --preset low-memory -- node server.js', 'the same program with other options of jemalloc'],
    ['jem record 4711 --json | jq .process.residentBytes', 'samples for a script'],
    ['jem plot run.jemrec', 'look at it'],
  ]);
};
