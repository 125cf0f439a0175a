import { realpathSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import { Option } from 'commander';
import { writeReport } from '../../control/reporting/write-report.js';
import { JemkitError, optional } from '../../errors.js';
import { PROFILE_GROUPINGS } from '../../model/profile-report.js';
import type { ReportStyle } from '../../outputs/profile/report-style.js';
import { formatBytes } from '../../outputs/text/bytes.js';
import { printable } from '../../outputs/text/table.js';
import { libraryCacheFolders } from '../../sources/process/jemkit-folders.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { printBytes } from '../print-bytes.js';
import { reportFragmentation, reportLeaks, reportLifetimes } from '../report/answer-question.js';
import { chooseSubject } from '../report/choose-subject.js';
import { readSnapshots, type Snapshot, splitProgram } from '../report/read-snapshots.js';
import { type ReportSubject, renderReport } from '../report/render-report.js';
import {
  OTHER_FORMATS,
  OTHER_FORMATS_WITH_VALUE,
  type ReportOptions,
  type ReportRequest,
  readReportRequest,
} from '../report/report-options.js';
import { parseCount, parseFraction, parseGrouping, parseNodeCount, parsePattern } from '../report/report-values.js';

/** Formats that a terminal shows as a flood of characters, or obeys. */
const FOR_FILES: Readonly<Record<string, string>> = {
  pprof: 'profile.pb.gz',
  html: 'profile.html',
  svg: 'profile.svg',
  speedscope: 'profile.speedscope.json',
};

function deliver(content: string | Uint8Array, { output }: ReportOptions, { terminal }: CommandContext): void {
  if (output !== undefined && output !== '-') {
    const bytes = typeof content === 'string' ? `${content}\n` : content;
    writeReport(output, bytes);
    terminal.say(`jem: wrote ${output}`);
  } else if (typeof content === 'string') terminal.print(content);
  else printBytes(content);
}

const samePath = (a: string, b: string) => optional(() => realpathSync(a) === realpathSync(b)) ?? false;

function checkOutput(files: readonly string[], request: ReportRequest, options: ReportOptions): void {
  const { output, base } = options;
  const toStdout = output === undefined || output === '-';
  const name = FOR_FILES[request.format ?? ''];
  if (toStdout && name !== undefined && isatty(1)) {
    throw new JemkitError('ERR_JEM_USAGE', `--${request.format} is not for a terminal`, {
      hint: `name a file with -o ${name}, or send the output elsewhere`,
    });
  }
  const inputs = [...files, ...(base === undefined ? [] : [base])];
  if (!toStdout && inputs.some((file) => samePath(file, output))) {
    throw new JemkitError('ERR_JEM_USAGE', `-o ${output} is one of the profiles`, { hint: 'name another file' });
  }
}

/** Whose symbols they are meant for is checked only: the profile itself names its files. */
function checkProgram(program: string | undefined, snapshots: readonly Snapshot[], { terminal }: CommandContext): void {
  const name = program?.split('/').at(-1);
  if (name === undefined) return;
  const isMapped = snapshots.some(({ profile }) => profile.modules.some(({ path }) => path.split('/').at(-1) === name));
  if (!isMapped) terminal.say(`jem: ${program} is not among the files that the profiled process had mapped`);
}

/** An empty report would look as if nothing were held. */
function sayNoMatch(
  { profile, wholeBytes }: ReportSubject,
  read: readonly Snapshot[],
  options: ReportOptions,
  { terminal }: CommandContext,
): void {
  if (profile.samples.count > 0 || wholeBytes === 0) return;
  const { focus, ignore, thread } = options;
  const asked = [
    focus && `--focus ${focus.source}`,
    ignore && `--ignore ${ignore.source}`,
    thread !== undefined && `--thread ${thread}`,
  ];
  terminal.say(
    `jem: nothing is left of ${formatBytes(Math.round(wholeBytes))} with ${asked
      .filter(Boolean)
      .map((text) => printable(String(text)))
      .join(', ')}`,
  );
  if (thread === undefined) return;
  const threads = new Set(
    read.flatMap(({ profile: { samples, strings } }) => Array.from(samples.thread, (name) => strings[name] ?? '')),
  );
  const names = [...threads].filter((name) => name !== '').slice(0, 20);
  terminal.say(
    names.length === 0
      ? '  hint: this profile does not tell threads apart'
      : `  hint: its threads are ${names.map(printable).join(', ')}`,
  );
}

/** @throws JemkitError ERR_JEM_USAGE where `--root` is no folder. */
function checkRoot(root: string | undefined): void {
  if (root === undefined || statSync(root, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new JemkitError('ERR_JEM_USAGE', `--root ${root} is no folder`, {
    hint: '/proc/PID/root is that of a container’s process; or leave it out',
  });
}

/** Patterns that would take for ever go on in V8's engine of linear time, which it has for most of them. */
function boundPatterns(): void {
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
}

async function report(files: readonly string[], options: ReportOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const request = readReportRequest(options);
  checkRoot(options.root);
  checkOutput(files, request, options);
  const { program, profiles } = splitProgram(files);
  const symbols = {
    ...(options.root === undefined ? {} : { root: options.root }),
    lines: request.by === 'line' || request.by === 'file' || request.format === 'pprof',
    sourceMaps: options.sourceMaps,
    cacheFolder: libraryCacheFolders(process.env, process.geteuid?.())[0],
  };
  const toTerminal = options.output === undefined || options.output === '-';
  const style: ReportStyle = {
    width: toTerminal && isatty(1) ? terminal.columns : undefined,
    paint: (look, text) => (toTerminal ? terminal.style(look, text) : text),
    folder: process.cwd(),
  };
  if (options.recent !== undefined) {
    return deliver(await reportLifetimes(profiles, request, options.recent, symbols, style), options, context);
  }
  const paths = options.base === undefined ? profiles : [...profiles, options.base];
  const read = await readSnapshots(paths, symbols, terminal);
  checkProgram(program, read, context);
  const base = options.base === undefined ? undefined : read.at(-1);
  const snapshots = base ? read.slice(0, -1) : read;
  switch (request.question) {
    case 'leaks': {
      const { found, text, remark } = reportLeaks(snapshots, request, options, style);
      if (remark) terminal.say(`jem: ${remark}`);
      deliver(text, options, context);
      if (found) context.exitCode = 1;
      return;
    }
    case 'fragmentation':
      return deliver(reportFragmentation(snapshots, request, options, style), options, context);
    default: {
      const subject = chooseSubject(snapshots, base, request, options, style);
      sayNoMatch(subject, read, options, context);
      deliver(await renderReport(subject, request, options, Date.now(), style), options, context);
      // The summary has them itself.
      if (request.format === undefined && !request.json) return;
      const notes = new Set(read.flatMap(({ profile }) => profile.capture.notes));
      for (const note of notes) terminal.say(`jem: note: ${note}`);
    }
  }
}

export const configure: ConfigureCommand = (command, context) => {
  // Before the options are read: a pattern keeps the engine that it was made for.
  boundPatterns();
  command
    .description(
      'Say which stacks, functions, lines, packages and libraries hold native memory, from heap profiles: those of jem profile, dumps of jemalloc ' +
        '(prof.dump), pprof (.pb.gz) and collapsed stacks. Several files are added together. Without a format it prints a summary.',
    )
    .argument('<profiles...>', 'heap profiles; before them the program, as for jeprof, which is not needed')
    .option('--text', 'a table: flat and cumulative bytes and objects')
    .option('--tree', 'who calls whom, as an indented tree')
    .option('--bottom-up', 'with --tree: from the allocating functions to their callers')
    .option('--collapsed', 'collapsed stacks, for flamegraph.pl; with --base a line has both figures')
    .option('--pprof', 'gzipped pprof with all names, for go tool pprof, Pyroscope and others')
    .option('--speedscope', 'JSON for speedscope.app')
    .option('--html', 'one page with flame graph and tables, which needs no network')
    .option('--svg', 'a flame graph as a picture')
    .option('--json', 'the summary as JSON, or what --text, --tree, --leaks or --fragmentation says')
    .option('-o, --output <file>', 'into this file, which is replaced; its name tells the format')
    .option('--base <file>', 'what changed since this profile')
    .option('--leaks', 'what grew in every one of the profiles; exit code 1 if something did')
    .option('--fragmentation', 'whose objects keep mostly empty slabs')
    .option('--stats <file>', 'with --fragmentation: the JSON of malloc_stats_print of the same moment')
    .option('--high-water', 'of several profiles the one with the most live memory')
    .option('--temporary', 'what was allocated and freed again; needs prof_accum:true')
    .option('--recent <file>', "how long allocations live: jemalloc's prof_recent, with the names of a profile")
    .addOption(
      new Option('--by <what>', `${PROFILE_GROUPINGS.join(', ')} (default: function)`).argParser(parseGrouping),
    )
    .option('--focus <regexp>', 'only stacks with a function, file or module like this', parsePattern)
    .option('--ignore <regexp>', 'no stacks with one like this', parsePattern)
    .option('--hide <regexp>', 'take such frames out of the stacks', parsePattern)
    .option('--show <regexp>', 'take all other frames out of the stacks', parsePattern)
    .option('--thread <name>', 'only what this thread allocated')
    .addOption(new Option('--sort <column>', 'by what it holds itself, or with its callees').choices(['flat', 'cum']))
    .option('--top <count>', 'so many rows; 0 is all', parseCount)
    .option('--lines', 'by line, as --by line')
    .option('--root <folder>', "look for the process's files below this folder (a container's root); of .heap files")
    .option('--no-source-maps', 'lines of the JavaScript that ran, not of its sources; of .heap files')
    .action((files: string[], options: ReportOptions) => report(files, options, context));
  const jeprof = [
    new Option('--functions', 'as --by function'),
    new Option('--files', 'as --by file'),
    new Option('--cum', 'as --sort cum'),
    new Option('--nodecount <count>', 'as --top').argParser(parseNodeCount),
    new Option('--nodefraction <share>', 'with --tree: branches of at least this share').argParser(parseFraction),
    new Option('--exclude <regexp>', 'as --hide').argParser(parsePattern),
    new Option('--retain <regexp>', 'as --show').argParser(parsePattern),
    new Option('--edgefraction <share>', 'without effect'),
    new Option('--maxdegree <count>', 'without effect'),
    new Option('--scale <count>', 'without effect'),
    ...Object.keys(OTHER_FORMATS).map(
      (name) =>
        new Option(OTHER_FORMATS_WITH_VALUE.includes(name) ? `--${name} <regexp>` : `--${name}`, 'not made here'),
    ),
  ];
  for (const option of jeprof) command.addOption(option.hideHelp());
  command
    .option('--inuse_space', 'bytes that are live, as without it')
    .option('--inuse_objects', 'objects that are live')
    .option('--alloc_space', 'bytes ever allocated; needs prof_accum:true')
    .option('--alloc_objects', 'objects ever allocated; needs prof_accum:true')
    .option('--show_bytes', "with --text: whole bytes in jeprof's columns, for scripts")
    .option('--drop_negative', 'with --base: only what grew');
  addExamples(command, [
    ['jem report app.heap', 'who holds native memory'],
    ['jem report app.heap --by package', 'which npm package'],
    ['jem report app.heap -o app.html', 'a flame graph in one file'],
    ['jem report --base before.heap after.heap', 'what grew, shrank, came and went'],
    ['jem report --leaks 1.heap 2.heap 3.heap', 'what grew in every one, and where'],
    ['jem report --text --focus sharp --cum app.heap', 'as jeprof --text'],
    ['jem report --pprof app.heap > app.pb.gz', 'for go tool pprof; opens without the binaries'],
  ]);
};
