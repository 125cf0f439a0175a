import { type Command, Option } from 'commander';
import { readShortCommand } from '../../control/recording/sample-process.js';
import type { WatchAction } from '../../control/watch/watch-actions.js';
import { type WatchEvent, watchProcess } from '../../control/watch/watch-process.js';
import { formatDuration } from '../../model/duration.js';
import { MEMORY_SERIES, MEMORY_SERIES_NAMES } from '../../model/memory-series.js';
import { printable } from '../../outputs/text/table.js';
import { checkWatch, checkWatchProgram } from '../check-watch.js';
import { chooseProcess } from '../choose-process.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { durationOption } from '../quantities.js';
import {
  checkOptions,
  divideWords,
  parseLimit,
  parseOf,
  parseShare,
  parseTimes,
  WATCH_ACTIONS,
  type WatchOptions,
} from '../watch-options.js';
import { eventLine, limitWords } from '../watch-talk.js';

const WHAT = { verb: 'watch', needs: 'process' } as const;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function actionOf(program: readonly string[], options: WatchOptions): WatchAction {
  if (options.do === 'exec') return { kind: 'exec', command: program, quietStdout: options.json === true };
  return options.do === 'dump' ? { kind: 'dump', folder: options.into } : { kind: options.do };
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
  const preparation = await checkWatch(pid, options.of, options.do, context);
  // Purging itself brings the figure down a little: the next crossing counts at once, and the cooldown keeps actions apart.
  const gentle = options.do === 'purge' || options.do === 'decay';
  const share = options.rearm ?? (gentle ? 1 : 0.9);
  const who = `${pid} (${printable(readShortCommand(pid))})`;
  const over = limit.growth ? ` over ${formatDuration(options.window)}` : '';
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  terminal.say(
    `jem: watching ${MEMORY_SERIES[of].label} of ${who}, limit ${limitWords(limit)}${over}, then: ${options.do}`,
  );
  const emit = (event: WatchEvent | ({ readonly kind: 'start' } & Record<string, unknown>)) => {
    if (options.json) terminal.print(JSON.stringify(event));
    if (terminal.readerGone) stop.abort();
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
        if (line !== undefined) terminal.say(`jem: ${new Date(event.atMs).toTimeString().slice(0, 8)} ${who}: ${line}`);
      },
    });
    if (end === 'times') context.exitCode = 1;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    await preparation.end();
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
    .addOption(new Option('--do <action>', 'what to do').choices(WATCH_ACTIONS).default('say'))
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
