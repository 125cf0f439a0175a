import { isatty } from 'node:tty';
import { analyseExtentSizes } from '../../analyses/extent-sizes.js';
import { analyseMutexContention } from '../../analyses/mutex-contention.js';
import { shortCommand } from '../../analyses/short-command.js';
import { analyseSizeClassWaste } from '../../analyses/size-class-waste.js';
import { unavailableProcess } from '../../analyses/unavailable-process.js';
import { examineStats, type StatsSubject } from '../../control/stats/examine-stats.js';
import { omittedBy, readStatsTable, type StatsTable } from '../../control/stats/read-stats-tables.js';
import { JemkitError } from '../../errors.js';
import type { AllocatorStats } from '../../model/allocator-stats.js';
import type { MemorySample } from '../../model/memory-sample.js';
import { formatBytes } from '../../outputs/text/bytes.js';
import { renderStatsPage, type StatsStyle } from '../../outputs/text/stats-page.js';
import {
  renderArenaTable,
  renderBinTable,
  renderExtentTables,
  renderMutexTable,
} from '../../outputs/text/stats-tables.js';
import { printable } from '../../outputs/text/table.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import { readUserNames } from '../../sources/process/list-processes.js';
import { readRunningProcess } from '../../sources/process/running-processes.js';
import { chooseProcess, openAgentOf, openJemallocOf } from '../choose-process.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { waitForNextLook } from '../next-look.js';
import { readWatchInterval, type WatchValue } from '../watch-interval.js';

const WANTED = { verb: 'stats', needs: 'agent' } as const;
const TABLES = ['arenas', 'bins', 'extents', 'mutexes'] as const satisfies readonly StatsTable[];
const SHORTEST_WATCH_MS = 100;

interface StatsOptions extends Partial<Record<StatsTable, true>> {
  readonly raw?: true;
  readonly json?: true;
  readonly watch?: WatchValue;
}

/** One look: what is printed, and the sample that the next look is compared with. */
interface Look {
  readonly text: string;
  readonly sample: MemorySample | undefined;
}

interface Question {
  readonly agent: AgentConnection;
  readonly subject: Omit<StatsSubject, 'before'>;
  readonly tables: readonly StatsTable[];
  readonly options: StatsOptions;
  readonly style: StatsStyle;
}

function renderOne(table: StatsTable, stats: AllocatorStats, style: StatsStyle): string {
  switch (table) {
    case 'arenas':
      return renderArenaTable(stats.arenas, stats, style);
    case 'bins':
      return renderBinTable(analyseSizeClassWaste(stats.merged?.bins ?? []), style);
    case 'extents':
      return stats.merged ? renderExtentTables(analyseExtentSizes(stats.merged), style) : '';
    case 'mutexes':
      return renderMutexTable(analyseMutexContention(stats), style);
  }
}

function jsonOf(table: StatsTable, stats: AllocatorStats): Record<string, unknown> {
  switch (table) {
    case 'arenas':
      return { arenas: stats.arenas, merged: stats.merged, destroyed: stats.destroyed };
    case 'bins':
      return { bins: analyseSizeClassWaste(stats.merged?.bins ?? []) };
    case 'extents':
      return { extents: stats.merged && analyseExtentSizes(stats.merged) };
    case 'mutexes':
      return { mutexes: analyseMutexContention(stats) };
  }
}

const gone = (pid: number) =>
  unavailableProcess(pid, 'gone', undefined, { command: 'jem stats', asRoot: process.geteuid?.() === 0 });

async function lookAtTables({ agent, subject, tables, options, style }: Question): Promise<Look> {
  const read = await Promise.all(tables.map((table) => readStatsTable(agent, table)));
  if (read.some(({ config }) => config.get('stats') === false)) {
    throw new JemkitError('ERR_JEM_NO_JEMALLOC', `the jemalloc of process ${agent.pid} was built without statistics`, {
      hint: 'it was configured with --disable-stats; the jemalloc of the distribution has them: jem install',
    });
  }
  if (options.json) {
    const parts = read.map((stats, at) => jsonOf(tables[at]!, stats));
    const head = { pid: agent.pid, name: subject.name, atMs: Date.now() };
    return { text: toJson(Object.assign(head, ...parts), options), sample: undefined };
  }
  const title = style.paint('bold', printable(`${subject.name}, pid ${agent.pid}`));
  const rendered = read.map((stats, at) => renderOne(tables[at]!, stats, style));
  return { text: [title, ...rendered].join('\n\n'), sample: undefined };
}

const toJson = (document: unknown, { watch }: StatsOptions) =>
  JSON.stringify(document, undefined, watch === undefined ? 2 : undefined);

async function lookAtPage(question: Question, before: MemorySample | undefined): Promise<Look> {
  const { agent, subject, options, style } = question;
  const report = await examineStats(agent, { ...subject, before });
  if (!report) throw gone(agent.pid);
  if (!options.json) return { text: renderStatsPage(report, style), sample: report.sample };
  const { sample, ...rest } = report;
  const { pid, name, user, ...others } = rest;
  return { text: toJson({ pid, name, user, ...sample, ...others }, options), sample };
}

async function look(question: Question, before: MemorySample | undefined): Promise<Look> {
  const { agent, tables, options } = question;
  if (options.raw) {
    const text = await agent.statsText(omittedBy(tables));
    return { text: text.trimEnd(), sample: undefined };
  }
  return tables.length > 0 ? lookAtTables(question) : lookAtPage(question, before);
}

async function watch(question: Question, intervalMs: number, { terminal }: CommandContext): Promise<void> {
  const redraws = terminal.redraws && !question.options.json;
  let before: MemorySample | undefined;
  for (let first = true; ; first = false) {
    const { text, sample } = await look(question, before);
    before = sample;
    // What does not fit the screen would scroll the head away.
    const lines = redraws ? text.split('\n').slice(0, Math.max(1, terminal.lines - 1)) : [text];
    const between = redraws ? '\u001b[H\u001b[2J' : first || question.options.json ? '' : '\n';
    terminal.print(between + lines.join('\n'));
    if (!(await waitForNextLook(intervalMs, terminal))) return;
  }
}

async function run(word: string | undefined, options: StatsOptions, context: CommandContext): Promise<void> {
  const asked = { verb: 'stats', shortestMs: SHORTEST_WATCH_MS, mayBeWord: word === undefined };
  const { intervalMs, word: target = word } = readWatchInterval(options.watch, asked);
  if (options.raw && options.json) {
    throw new JemkitError('ERR_JEM_USAGE', '--raw and --json exclude each other', {
      hint: "--raw prints jemalloc's own text, --json what jemkit made of it",
    });
  }
  const pid = await chooseProcess(target, context, WANTED);
  const tables = TABLES.filter((table) => options[table]);
  const agent = await (tables.length > 0 || options.raw ? openJemallocOf : openAgentOf)(pid, WANTED);
  try {
    const running = readRunningProcess(pid);
    if (!running) throw gone(pid);
    const { terminal } = context;
    const { uid } = running;
    const question: Question = {
      agent,
      subject: {
        name: shortCommand(running.argv) || running.commandName,
        user: uid === undefined ? undefined : (readUserNames().get(uid) ?? String(uid)),
        bytes: formatBytes,
      },
      tables,
      options,
      style: { width: isatty(1) ? terminal.columns : undefined, paint: (style, text) => terminal.style(style, text) },
    };
    if (intervalMs !== undefined) await watch(question, intervalMs, context);
    else terminal.print((await look(question, undefined)).text);
    if (agent.hello.jemallocVersion === undefined && !options.json) {
      terminal.say(`jem: this process has another allocator than jemalloc; jem doctor ${pid} says which, and why`);
    }
  } finally {
    agent.close();
  }
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Show the memory of a running process on one page: what the kernel counts, what jemalloc has, what stands out. ' +
        'The process needs an agent (jem run --agent, or createMemory() in Node). Only what is shown is asked for.',
    )
    .argument('[target]', 'a pid or a name; without it the process is chosen from those that run')
    .option('--arenas', 'a table of the arenas: threads, dirty and muzzy pages, purges, decay times')
    .option('--bins', 'a table of the small size classes: regions, slabs, utilization, waste')
    .option('--extents', 'tables of unused extents and of large allocations, by size')
    .option('--mutexes', "a table of jemalloc's locks, the most contended first")
    .option('--raw', "print jemalloc's own text")
    .option('--json', 'print JSON, all numbers exact; with --watch one line a look')
    .option('-w, --watch [interval]', 'look again every 2 seconds (or so many, or 500ms, 1m) and show rates')
    .action((target: string | undefined, options: StatsOptions) => run(target, options, context));
  addExamples(command, [
    ['jem stats 4711', 'one page'],
    ['jem stats redis-server --bins', 'which size classes waste memory'],
    ['jem stats server.js --watch', 'with rates, until interrupted'],
    ['jem stats 4711 --json', 'for scripts'],
  ]);
};
