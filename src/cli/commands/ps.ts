import { isatty } from 'node:tty';
import { InvalidArgumentError, Option } from 'commander';
import { shortCommand } from '../../analyses/short-command.js';
import { openImageFactsCache } from '../../control/cache/image-facts-cache.js';
import { JemkitError } from '../../errors.js';
import type { ListedProcess } from '../../model/process.js';
import { allocatorCells } from '../../outputs/text/allocator-words.js';
import { renderTable } from '../../outputs/text/table.js';
import { libraryCacheFolders } from '../../sources/process/jemkit-folders.js';
import { listProcesses, readUserNames } from '../../sources/process/list-processes.js';
import { type ImageReader, openImageReader } from '../../sources/process/mapped-images.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';

const SORTS = ['rss', 'pid', 'name'] as const;
const ALLOCATORS = ['jemalloc', 'mimalloc', 'tcmalloc', 'system', 'other'] as const;

interface PsOptions {
  readonly all?: true;
  readonly args?: true;
  readonly json?: true;
  readonly sort: (typeof SORTS)[number];
  readonly allocator?: (typeof ALLOCATORS)[number];
  readonly watch?: number | true;
}

interface Row extends ListedProcess {
  readonly command: string;
  readonly user: string | undefined;
}

const ORDERS: Readonly<Record<PsOptions['sort'], (a: Row, b: Row) => number>> = {
  rss: (a, b) => (b.residentBytes ?? -1) - (a.residentBytes ?? -1) || a.pid - b.pid,
  pid: (a, b) => a.pid - b.pid,
  name: (a, b) => a.command.localeCompare(b.command) || a.pid - b.pid,
};

function hasAllocator({ identity }: Row, allocator: string): boolean {
  if (identity.kind !== 'identified') return false;
  return (
    identity.allocator === allocator ||
    identity.beside.some((b) => b.allocator === allocator && b.standing !== 'not-serving')
  );
}

function readRows(reader: ImageReader, options: PsOptions): Row[] {
  const users = readUserNames();
  const rows = listProcesses(reader, { everything: options.all === true }).map((process) => {
    const full = options.args ? process.argv.join(' ') : shortCommand(process.argv);
    return {
      ...process,
      command: full || `[${process.commandName}]`,
      user: process.uid === undefined ? undefined : (users.get(process.uid) ?? String(process.uid)),
    };
  });
  const { allocator } = options;
  return (allocator ? rows.filter((row) => hasAllocator(row, allocator)) : rows).sort(ORDERS[options.sort]);
}

function renderRows(rows: readonly Row[], { terminal }: CommandContext, cut: boolean): string {
  const cells = rows.map((row) => {
    const [allocator, how, version, evidence] = allocatorCells(row.identity);
    const rss = row.residentBytes === undefined ? '-' : (row.residentBytes / 2 ** 20).toFixed(1);
    return [String(row.pid), row.user ?? '-', rss, allocator, how, version, evidence, row.command];
  });
  return renderTable(cells, {
    header: ['PID', 'USER', 'RSS MiB', 'ALLOCATOR', 'HOW', 'VERSION', 'EVIDENCE', 'COMMAND'],
    align: ['right', 'left', 'right'],
    ...(cut ? { maxWidth: terminal.columns } : {}),
    styleHeader: (line) => terminal.style('bold', line),
  });
}

function toJson(rows: readonly Row[], options: PsOptions): string {
  const processes = rows.map(({ pid, uid, user, residentBytes, command, commandName, argv, identity }) => ({
    pid,
    uid,
    user,
    residentBytes,
    command,
    commandName,
    ...(options.args ? { argv } : {}),
    identity,
  }));
  return JSON.stringify({ processes }, undefined, 2);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 86_400)) throw new InvalidArgumentError('expected seconds from 0.1 to 86400.');
  return seconds;
}

async function watch(seconds: number, draw: () => string, { terminal }: CommandContext): Promise<never> {
  for (;;) {
    const lines = draw().split('\n');
    // Redrawn from the top left: what does not fit the screen would scroll the head away.
    terminal.print(`\u001b[H\u001b[2J${lines.slice(0, Math.max(1, terminal.lines - 1)).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'List the processes of this machine with the allocator that serves each, how it got there, and what says so. ' +
        "EVIDENCE got: malloc's slot was read from the process's memory. Command lines are shortened, as they may hold secrets.",
    )
    .option('-a, --all', 'kernel threads and ended processes too')
    .addOption(new Option('-s, --sort <key>', 'order of the lines').choices(SORTS).default('rss'))
    .addOption(new Option('--allocator <name>', 'only processes with this allocator').choices(ALLOCATORS))
    .option('--args', 'show whole command lines')
    .option('--json', 'print JSON')
    .option('-w, --watch [seconds]', 'show again every 2 (or so many) seconds until interrupted', parseSeconds)
    .action(async (options: PsOptions) => {
      if (process.platform !== 'linux') {
        throw new JemkitError(
          'ERR_JEM_UNSUPPORTED_PLATFORM',
          `jem ps reads /proc, which ${process.platform} does not have`,
          {
            hint: 'jem doctor works here too',
          },
        );
      }
      if (options.watch !== undefined && options.json) {
        throw new JemkitError('ERR_JEM_USAGE', '--watch and --json exclude each other', {
          hint: 'run jem ps --json in a loop',
        });
      }
      const cache = openImageFactsCache(libraryCacheFolders(process.env, process.geteuid?.())[0]);
      const reader = openImageReader(cache);
      const rows = readRows(reader, options);
      cache.save();
      if (options.json) {
        context.terminal.print(toJson(rows, options));
      } else if (options.watch !== undefined) {
        const seconds = options.watch === true ? 2 : options.watch;
        await watch(seconds, () => renderRows(readRows(reader, options), context, true), context);
      } else {
        context.terminal.print(renderRows(rows, context, isatty(1)));
      }
    });
  addExamples(command, [
    ['jem ps', 'all processes, the largest first'],
    ['jem ps --allocator jemalloc', 'only those that have jemalloc'],
    ['jem ps --sort pid --json', 'for scripts'],
  ]);
};
