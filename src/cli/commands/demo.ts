import { constants } from 'node:os';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { DemoProgress } from '../../control/demo/measure-run.js';
import { runDemo } from '../../control/demo/run-demo.js';
import { presetConf } from '../../control/launch/preset-conf.js';
import type { DemoParameters, DemoPhase } from '../../model/demo.js';
import { DEFAULT_PRESET, PRESETS } from '../../model/malloc-conf-presets.js';
import { formatBytes } from '../../outputs/text/bytes.js';
import { renderDemoReport } from '../../outputs/text/demo-report.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { packageVersion } from '../program.js';
import { readsUtf8 } from '../reads-utf8.js';

interface DemoCommandOptions {
  readonly seconds?: number;
  readonly requests?: number;
  readonly idle?: number;
  readonly concurrency: number;
  readonly quick?: boolean;
  readonly library?: string;
  readonly preset?: string;
  readonly conf?: string;
  readonly json?: boolean;
}

/** Long enough for a few garbage collections and jemalloc's decay of a second; three runs stay under a minute. */
const FULL = { loadSeconds: 10, idleSeconds: 4, collectedSeconds: 3 };
const QUICK = { loadSeconds: 2, idleSeconds: 1, collectedSeconds: 2 };
const SEED = 1;

function wholeNumber(minimum: number, maximum: number) {
  return (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= minimum && value <= maximum)) {
      throw new InvalidArgumentError(`Expected a whole number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Start the same small server three times: under plain malloc, under jemalloc, and under glibc with its own remedies. ' +
        'Send each the same requests, leave it idle, let it collect its garbage, and show its memory and speed, whoever ' +
        'wins. Gets jemalloc for this user first where there is none. Takes about a minute.',
    )
    .addOption(
      new Option(
        '--seconds <n>',
        `load of the first run, whose requests the others repeat (default: ${FULL.loadSeconds})`,
      )
        .argParser(wholeNumber(1, 3600))
        .conflicts('requests'),
    )
    .addOption(
      new Option('--requests <n>', 'this number of requests a run instead').argParser(wholeNumber(1, 10_000_000)),
    )
    .addOption(
      new Option('--idle <n>', `seconds without requests (default: ${FULL.idleSeconds})`).argParser(
        wholeNumber(1, 3600),
      ),
    )
    .addOption(new Option('--concurrency <n>', 'connections at a time').argParser(wholeNumber(1, 256)).default(8))
    .option('--quick', 'a quarter of the time, with less to see')
    .option('--library <path>', 'this jemalloc and no other')
    .option(
      '--preset <name>',
      `MALLOC_CONF of the jemalloc run: ${Object.keys(PRESETS).join(', ')}, none (default: ${DEFAULT_PRESET})`,
    )
    .option('--conf <pairs>', 'MALLOC_CONF options that count before those of the preset, KEY:VALUE,…')
    .option('--json', 'everything that was measured, samples included')
    .action((options: DemoCommandOptions) => demo(options, context));
  addExamples(command, [
    ['jem demo', 'about a minute'],
    ['jem demo --quick', 'a quarter of it'],
    ['jem demo --preset low-memory', 'another preset'],
    ['jem demo --seconds 60 --concurrency 16', 'a longer, heavier load'],
    ['jem demo --json > demo.json', 'figures and samples'],
  ]);
};

function parametersOf(options: DemoCommandOptions): DemoParameters {
  const times = options.quick ? QUICK : FULL;
  return {
    loadSeconds: options.requests === undefined ? (options.seconds ?? times.loadSeconds) : undefined,
    requests: options.requests,
    idleSeconds: options.idle ?? times.idleSeconds,
    collectedSeconds: times.collectedSeconds,
    concurrency: options.concurrency,
    seed: SEED,
  };
}

const PHASE_WORDS: Readonly<Record<DemoPhase, string>> = {
  start: 'starting',
  load: 'under load',
  idle: 'idle',
  collected: 'after a garbage collection',
};

/** One line that rewrites itself on a terminal; elsewhere one line a phase. */
function openProgressLine({ terminal }: CommandContext) {
  let lastPhase = '';
  return {
    show(progress: DemoProgress & { readonly run: number; readonly runs: number }): void {
      const { run, runs, label, phase, requestsDone, requestsInAll, residentBytes } = progress;
      const where = `run ${run} of ${runs}: ${label}, ${PHASE_WORDS[phase]}`;
      if (!terminal.interactive) {
        if (where !== lastPhase) terminal.say(`jem: ${where}`);
        lastPhase = where;
        return;
      }
      const requests =
        phase === 'start'
          ? ''
          : `, ${requestsDone}${requestsInAll === undefined ? '' : ` of ${requestsInAll}`} requests`;
      const resident = residentBytes === undefined ? '' : `, RSS ${formatBytes(residentBytes, 'MiB')}`;
      terminal.progress(`\r${`${where}${requests}${resident}`.slice(0, Math.max(1, terminal.columns - 1))}\u001b[K`);
    },
    clear(): void {
      if (terminal.interactive) terminal.progress('\r\u001b[K');
    },
  };
}

const CURVE_STYLES = ['red', 'green', 'yellow'] as const;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function demo(options: DemoCommandOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const stop = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    received ??= signal;
    stop.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const progress = openProgressLine(context);
  try {
    const report = await runDemo({
      parameters: parametersOf(options),
      // The servers have a working directory of their own.
      libraryPath: options.library === undefined ? undefined : resolve(options.library),
      presetConf: presetConf(options.preset),
      conf: options.conf,
      environment: process.env,
      jemkitVersion: packageVersion(),
      signal: stop.signal,
      say: (text) => terminal.say(text),
      onProgress: (event) => progress.show(event),
    });
    progress.clear();
    if (options.json) terminal.print(JSON.stringify(report, null, 2));
    else {
      const coloured = terminal.style('red', 'x') !== 'x';
      terminal.print(
        renderDemoReport(report, {
          width: terminal.columns,
          unicode: readsUtf8(process.env),
          paint: coloured
            ? (series, text) => terminal.style(CURVE_STYLES[series % CURVE_STYLES.length] ?? 'white', text)
            : undefined,
          heading: coloured ? (text) => terminal.style('bold', text) : undefined,
        }),
      );
    }
  } catch (error) {
    progress.clear();
    if (received === undefined) throw error;
    terminal.say(`jem: stopped by ${received}; the demo's server is stopped too`);
    context.exitCode = 128 + constants.signals[received];
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
