import { type Command, InvalidArgumentError, Option } from 'commander';
import { unknownSeries } from '../../analyses/unknown-series.js';
import { readShortCommand } from '../../control/recording/sample-process.js';
import type { WatchAction } from '../../control/watch/watch-actions.js';
import { type WatchEvent, watchProcess } from '../../control/watch/watch-process.js';
import { JemkitError } from '../../errors.js';
import { BYTE_SIZE_FORMS, parseByteSize } from '../../model/byte-size.js';
import { formatDuration } from '../../model/duration.js';
import {
  isMemorySeries,
  MEMORY_SERIES,
  MEMORY_SERIES_NAMES,
  type MemorySeriesName,
} from '../../model/memory-series.js';
import { formatBytes } from '../../outputs/text/bytes.js';
import { printable } from '../../outputs/text/table.js';
import { checkWatch, checkWatchProgram } from '../check-watch.js';
import { chooseProcess } from '../choose-process.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { isCommand } from '../is-command.js';
import { durationOption } from '../quantities.js';

const ACTIONS = ['say', 'purge', 'decay', 'dump', 'exec'] as const;

interface Limit {
  readonly bytes: number;
  readonly growth: boolean;
  /** As it was typed. */
  readonly text: string;
}

interface WatchOptions {
  readonly limit: Limit;
  readonly do: (typeof ACTIONS)[number];
  readonly of: MemorySeriesName;
  readonly interval: number;
  readonly cooldown: number;
  readonly every?: number;
  readonly rearm?: number;
  readonly times?: number;
  readonly once?: true;
  readonly into?: string;
  readonly window: number;
  readonly json?: true;
}

const WHAT = { verb: 'watch', needs: 'process' } as const;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function parseLimit(text: string): Limit {
  const [, size = '', perHour] = /^\+?(.*?)(\/h)?$/.exec(text) ?? [];
  const bytes = parseByteSize(size);
  if (bytes === undefined || bytes < 1 || text.startsWith('+') !== (perHour !== undefined)) {
    throw new InvalidArgumentError(`expected a size (${BYTE_SIZE_FORMS}) or a growth (+50MB/h).`);
  }
  return { bytes, growth: perHour !== undefined, text };
}

function parseShare(text: string): number {
  const share = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) / 100 : Number.NaN;
  if (!(share > 0 && share <= 1)) throw new InvalidArgumentError('expected a share of the limit: 90%.');
  return share;
}

function parseTimes(text: string): number {
  const times = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (times < 1) throw new InvalidArgumentError('expected a number from 1 on.');
  return times;
}

function parseOf(text: string): MemorySeriesName {
  if (!isMemorySeries(text)) throw new InvalidArgumentError(unknownSeries(text));
  return text;
}

/** The words as they were meant: a process, and for exec a program with its arguments. */
function divideWords(words: readonly string[], options: WatchOptions, command: Command) {
  const hasTarget = !isCommand(command, words);
  const target = hasTarget ? words[0] : undefined;
  const rest = hasTarget ? words.slice(1) : words;
  if (options.do !== 'exec' && rest.length > 0) {
    throw new JemkitError('ERR_JEM_USAGE', `the command '${rest.join(' ')}' is only for --do exec`, {
      hint: `jem watch ${target ?? 'PID'} --limit ${options.limit.text} --do exec -- ${rest.join(' ')}`,
    });
  }
  if (options.do === 'exec' && rest.length === 0) {
    throw new JemkitError('ERR_JEM_USAGE', '--do exec needs a command', {
      hint: `jem watch ${target ?? 'PID'} --limit ${options.limit.text} --do exec -- PROGRAM ARGUMENTS`,
    });
  }
  return { target, program: rest };
}

function eventLine(event: WatchEvent, { of, limit }: WatchOptions): string | undefined {
  const { label } = MEMORY_SERIES[of];
  const per = limit.growth ? '/h' : '';
  const figure = limit.growth ? `growth of ${label}` : label;
  switch (event.kind) {
    case 'over':
      return `${figure} is ${formatBytes(event.bytes)}${per}, over the limit of ${formatBytes(limit.bytes)}${per}`;
    case 'under':
      return `${figure} is ${formatBytes(event.bytes)}${per} again`;
    case 'action': {
      if (event.action === 'say') return undefined;
      const change = `${label} ${formatBytes(event.beforeBytes)} → ${formatBytes(event.afterBytes)}`;
      const word = event.done ? event.action : `${event.action} failed`;
      return `${word} (${printable(event.detail)}) in ${formatDuration(event.tookMs)}: ${change}`;
    }
    case 'agent-lost':
      return 'nobody inside the process answers any more; the watch goes on, and looks for an agent';
    case 'end':
      return {
        'target-ended': 'the process ended',
        duration: 'the time is over',
        stopped: 'stopped',
        times: `ended after ${event.actions} ${event.actions === 1 ? 'action' : 'actions'}`,
      }[event.reason];
    default:
      return undefined;
  }
}

function actionOf(program: readonly string[], options: WatchOptions): WatchAction {
  if (options.do === 'exec') return { kind: 'exec', command: program, quietStdout: options.json === true };
  return options.do === 'dump' ? { kind: 'dump', folder: options.into } : { kind: options.do };
}

function checkOptions(options: WatchOptions): void {
  if (options.into !== undefined && (options.do !== 'dump' || !options.into.startsWith('/'))) {
    throw new JemkitError(
      'ERR_JEM_USAGE',
      '--into is for --do dump, and takes an absolute path as the process sees it',
      {
        hint: '--do dump --into /tmp',
      },
    );
  }
  if (options.once && options.times !== undefined) {
    throw new JemkitError('ERR_JEM_USAGE', '--once and --times exclude each other', { hint: '--once is --times 1' });
  }
}

async function watch(
  words: readonly string[],
  options: WatchOptions,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { limit, of } = options;
  checkOptions(options);
  const { target, program } = divideWords(words, options, command);
  if (options.do === 'exec') checkWatchProgram(program);
  const pid = await chooseProcess(target, context, WHAT);
  await checkWatch(pid, options.of, options.do, context);
  // Purging itself brings the figure down a little: the next crossing counts at once, and the cooldown keeps actions apart.
  const gentle = options.do === 'purge' || options.do === 'decay';
  const share = options.rearm ?? (gentle ? 1 : 0.9);
  const who = `${pid} (${printable(readShortCommand(pid))})`;
  const per = limit.growth ? `/h over ${formatDuration(options.window)}` : '';
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  terminal.say(
    `jem: watching ${MEMORY_SERIES[of].label} of ${who}, limit ${formatBytes(limit.bytes)}${per}, then: ${options.do}`,
  );
  const emit = (event: WatchEvent | ({ readonly kind: 'start' } & Record<string, unknown>)) => {
    if (options.json) terminal.print(JSON.stringify(event));
  };
  emit({
    kind: 'start',
    atMs: Date.now(),
    pid,
    series: of,
    limitBytes: limit.bytes,
    growth: limit.growth,
    action: options.do,
  });

  try {
    const { end } = await watchProcess({
      pid,
      series: of,
      intervalMs: options.interval,
      rules: {
        limitBytes: limit.bytes,
        rearmBytes: limit.bytes * share,
        cooldownMs: options.cooldown,
        everyMs: options.every,
      },
      growthWindowMs: limit.growth ? options.window : undefined,
      action: actionOf(program, options),
      times: options.once ? 1 : options.times,
      signal: stop.signal,
      onEvent(event) {
        emit(event);
        const line = eventLine(event, options);
        if (line !== undefined)
          terminal.say(`jem: ${new Date(event.atMs).toISOString().slice(11, 19)} ${who}: ${line}`);
      },
    });
    if (end === 'times') context.exitCode = 1;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Watch a process and do something when its memory crosses a limit: say so, purge or decay jemalloc’s unused pages, dump a heap profile, or ' +
        'start a program. A crossing counts again when the figure was back at --rearm. Ends when the process does (exit code 0), ' +
        'or with --once or --times after so many actions (exit code 1).',
    )
    .usage('[options] [target] [-- command...]')
    .argument('[words...]', 'a pid, a name, or nothing where only one process has an agent')
    .addOption(
      new Option('-l, --limit <size>', 'a size (500MB, 1.5GiB) or a growth (+50MB/h)')
        .argParser(parseLimit)
        .makeOptionMandatory(),
    )
    .addOption(new Option('--do <action>', 'what to do').choices(ACTIONS).default('say'))
    .addOption(
      new Option('--of <figure>', `of what: ${MEMORY_SERIES_NAMES.join(', ')}`).argParser(parseOf).default('rss'),
    )
    .addOption(
      new Option('-i, --interval <time>', 'between two looks')
        .argParser(durationOption(10, 3_600_000))
        .default(1000, '1s'),
    )
    .addOption(
      new Option('--cooldown <time>', 'at least between two actions')
        .argParser(durationOption(0, 31 * 86_400_000))
        .default(60_000, '1m'),
    )
    .option('--every <time>', 'again each so often while it stays above', durationOption(10, 31 * 86_400_000))
    .option(
      '--rearm <share>',
      'of the limit, where a crossing is over (default: 100% for purge and decay, else 90%)',
      parseShare,
    )
    .option('--once', 'end after the first action')
    .option('--times <n>', 'end after so many', parseTimes)
    .option('--into <folder>', 'with --do dump: where to, as the process sees it')
    .addOption(
      new Option('--window <time>', 'for a growth: how far back to look')
        .argParser(durationOption(10_000, 86_400_000))
        .default(600_000, '10m'),
    )
    .option('--json', 'print each event as a line of JSON')
    .action((words: string[], options: WatchOptions) => watch(words, options, command, context));
  addExamples(command, [
    ['jem watch 4711 --limit 500MB', 'say when RSS goes over'],
    ['jem watch redis-server --limit 2GiB --do purge', 'give unused pages back each time'],
    ['jem watch 4711 --limit 1GiB --do dump --into /tmp --once', 'one heap profile, exit code 1'],
    ['jem watch 4711 --limit +50MB/h --do exec -- notify.sh leak', 'your own program, when it grows so fast'],
  ]);
};
