import { isatty } from 'node:tty';
import { InvalidArgumentError, Option } from 'commander';
import { openProcessWatch, type ProcessWatch } from '../../control/top/watch-processes.js';
import { DURATION_FORMS, parseDuration } from '../../model/duration.js';
import { sortTop, TOP_SORTS, type TopProcess, type TopSort } from '../../model/top-process.js';
import { furthestScroll, pageOf, renderTopScreen, renderTopTable } from '../../outputs/text/top-screen.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { waitForNextLook } from '../next-look.js';
import { readsUtf8 } from '../reads-utf8.js';
import { requireProc } from '../require-proc.js';
import { openScreen, type Screen } from '../screen.js';
import { pressKey, splitKeys, type TopState } from '../top-keys.js';

interface TopOptions {
  readonly sort: TopSort;
  readonly reverse?: true;
  readonly delay: number;
  readonly number?: number;
  readonly once?: true;
  readonly batch?: true;
  readonly json?: true;
}

/** What only a second look can tell: a single table in such an order has one before it. */
const RATES: readonly TopSort[] = ['growth', 'requests', 'cpu'];

const timeOfDay = () => new Date().toTimeString().slice(0, 8);

/** A process that does not answer must not hold up the picture of the others. */
const patienceMs = (intervalMs: number) => Math.min(1000, Math.max(200, intervalMs * 0.8));

function parseDelay(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 100 || ms > 3_600_000) {
    throw new InvalidArgumentError(`expected 0.1 to 3600 seconds, or with a unit (${DURATION_FORMS}).`);
  }
  return ms;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 1_000_000) {
    throw new InvalidArgumentError('expected a number from 1 to 1000000.');
  }
  return count;
}

function toJson(processes: readonly TopProcess[]): unknown {
  return {
    atMs: Date.now(),
    processes: processes.map(({ answer, residentHistory: _, ...rest }) => ({
      ...rest,
      ...(answer.kind === 'sample'
        ? { answer: 'sample', ...answer.sample }
        : { ...answer, answer: answer.kind, kind: undefined }),
    })),
  };
}

async function runBatch(watch: ProcessWatch, options: TopOptions, { terminal }: CommandContext): Promise<void> {
  const looks = options.once ? 1 : (options.number ?? (options.batch ? Infinity : 1));
  if (looks === 1 && RATES.includes(options.sort)) {
    await watch.look(patienceMs(options.delay));
    await waitForNextLook(options.delay, terminal);
  }
  for (let look = 0; look < looks; look++) {
    if (look > 0 && !(await waitForNextLook(options.delay, terminal))) return;
    const processes = sortTop(await watch.look(patienceMs(options.delay)), options.sort, options.reverse === true);
    if (options.json) {
      terminal.print(JSON.stringify(toJson(processes), undefined, looks === 1 ? 2 : undefined));
      continue;
    }
    const width = isatty(1) ? terminal.columns : undefined;
    const style = { width, unicode: readsUtf8(process.env), time: timeOfDay() };
    terminal.print(
      (look > 0 ? '\n' : '') + renderTopTable(processes, style, (name, text) => terminal.style(name, text)),
    );
    if (processes.length === 0 && looks === 1) {
      terminal.say('jem: no process here has an agent of jemkit; start one with it: jem run --agent -- PROGRAM');
    }
  }
}

async function runLive(watch: ProcessWatch, options: TopOptions, { terminal }: CommandContext): Promise<void> {
  let state: TopState = {
    sort: options.sort,
    reversed: options.reverse === true,
    scroll: 0,
    help: false,
    paused: false,
    intervalMs: options.delay,
  };
  let seen: readonly TopProcess[] = [];
  let time = timeOfDay();
  let ended = false;
  let wake = () => {};
  const unicode = readsUtf8(process.env);
  const draw = () => {
    if (ended) return;
    const { columns, lines } = screen;
    const processes = sortTop(seen, state.sort, state.reversed);
    screen.draw(
      renderTopScreen({ ...state, processes, time, columns, lines, unicode }, (name, text) =>
        terminal.style(name, text),
      ),
    );
  };
  const end = () => {
    ended = true;
    wake();
  };
  const typed = (text: string) => {
    for (const key of splitKeys(text)) {
      const { lines } = screen;
      const room = { page: pageOf({ lines }), furthest: furthestScroll({ processes: seen, lines }) };
      const outcome = pressKey(state, key, room);
      if (outcome.kind === 'quit') return end();
      if (outcome.kind === 'suspend') {
        screen.suspend();
        continue;
      }
      state = outcome.state;
      if (outcome.kind === 'look') wake();
    }
    draw();
  };
  const screen: Screen = openScreen({ typed, changed: draw });
  try {
    for (let looks = 0; !ended && looks < (options.number ?? Infinity); ) {
      if (!state.paused) {
        seen = await watch.look(patienceMs(state.intervalMs));
        time = timeOfDay();
        looks++;
      }
      draw();
      if (ended) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, state.intervalMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    screen.close();
  }
}

async function run(options: TopOptions, context: CommandContext): Promise<void> {
  requireProc('top');
  const live = context.terminal.redraws;
  const watch = openProcessWatch();
  try {
    if (live && !options.once && !options.batch && !options.json) await runLive(watch, options, context);
    else await runBatch(watch, options, context);
  } finally {
    watch.close();
  }
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Show all processes with an agent, live: what each holds, its fragmentation, its growth. ' +
        'Without a terminal, or with --once, --batch or --json, it prints tables.',
    )
    .addOption(new Option('-s, --sort <key>', 'order of the lines').choices(Object.keys(TOP_SORTS)).default('rss'))
    .option('-r, --reverse', 'the other way round')
    .addOption(
      new Option('-d, --delay <interval>', 'time between two looks: seconds, or 500ms, 1m')
        .argParser(parseDelay)
        .default(2000, '2 s'),
    )
    .option('-n, --number <count>', 'end after so many looks', parseCount)
    .addOption(new Option('--once', 'print one table and end').conflicts('number'))
    .option('-b, --batch', 'print tables one after the other, for files and pipes')
    .option('--json', 'print JSON: one look, or with --batch or -n one line a look')
    .action((options: TopOptions) => run(options, context));
  addExamples(command, [
    ['jem top', 'all processes with an agent; h shows the keys'],
    ['jem top --sort growth', 'the fastest growing first'],
    ['jem top -b -n 10 -d 1 > top.txt', 'ten tables, a second apart'],
    ['jem top --once --json', 'for scripts'],
  ]);
};
