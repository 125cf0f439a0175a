import { type Command, InvalidArgumentError, Option } from 'commander';
import { BYTE_SIZE_FORMS } from '../../model/byte-size.js';
import { DURATION_FORMS, parseDuration } from '../../model/duration.js';
import { DEFAULT_PRESET, PRESETS } from '../../model/malloc-conf-presets.js';
import { formatBytes } from '../../outputs/text/bytes.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { isCommand } from '../is-command.js';
import { type ProfileOptions, parseEvery, parseSampleDistance, readProfileLine } from '../profile-line.js';
import { profileProgram } from '../profile-program.js';
import { profileTarget } from '../profile-target.js';
import { requireProc } from '../require-proc.js';

/** Reads an option's value; commander says the rest. */
function optionValue<Value>(parse: (text: string) => Value | undefined, expected: string) {
  return (text: string): Value => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(`expected ${expected}.`);
    return value;
  };
}

/** A day and more is no time to wait for the only capture. */
const seconds = (text: string) => {
  const ms = parseDuration(text);
  return ms !== undefined && ms <= 7 * 86_400_000 ? ms : undefined;
};

/** Says what `--sample-bytes` became, where it is no power of two. */
function sayRounding({ sampleBytes }: ProfileOptions, { terminal }: CommandContext): void {
  if (!sampleBytes || 2 ** sampleBytes.lgSample === sampleBytes.typedBytes) return;
  terminal.say(
    `jem: jemalloc takes powers of two: one sample per ${formatBytes(2 ** sampleBytes.lgSample)} instead of ${formatBytes(sampleBytes.typedBytes)}`,
  );
}

async function profile(
  words: readonly string[],
  options: ProfileOptions,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const line = readProfileLine(words, options, isCommand(command, words));
  requireProc('profile');
  sayRounding(options, context);
  await (line.kind === 'command'
    ? profileProgram(line.words, options, context)
    : profileTarget(line.target, options, context));
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Capture a heap profile: which functions, JavaScript ones among them, hold how much native memory. With a pid or name, sample a process that ' +
        'jem run started for 30 seconds, while it goes on. With a command after --, start it under jemalloc, sample it from its first ' +
        'allocation, capture it at its end, and end as it did. jem report shows what was captured.',
    )
    .usage('[options] [target | -- command...]')
    .argument('[words...]', 'a pid, a name, or nothing where only one process has an agent')
    .option(
      '-o, --output <file>',
      '.pb.gz with all names in it, .heap as it was written (default: jemkit-PROGRAM-PID-TIME.pb.gz)',
    )
    .option(
      '--seconds <time>',
      `how long a process is sampled, 30 seconds by default; 0: capture what was sampled so far. Of a program that is started: captured after that time instead of at its end`,
      optionValue(seconds, `a length of time up to 7 days: 30, ${DURATION_FORMS}`),
    )
    .option(
      '--sample-bytes <size>',
      'one sample per so many bytes allocated, on average (default: 512KiB, or what the process has)',
      optionValue(parseSampleDistance, `a size from 1KiB to 1GiB: ${BYTE_SIZE_FORMS}`),
    )
    .option(
      '--every <time|size>',
      'a numbered series: a capture each 10m, or each 64MiB that are allocated',
      optionValue(parseEvery, `a length of time from 100ms (${DURATION_FORMS}), or a size from 1MiB (64MiB)`),
    )
    .option('--at-peak', 'a numbered series: a capture when 10 % more are allocated than at the last one')
    .option(
      '--thread-pool',
      'put work in libuv’s thread pool (zlib, crypto, fs) down to the JavaScript that asked for it',
    )
    .option(
      '--exact-lines',
      'with a command: Node keeps to code that tells its lines (no Sparkplug, no Maglev); it runs slower until it is hot',
    )
    .option('--accum', 'with a command: also count what is freed again (prof_accum:true)')
    .option('--children', 'capture the processes below it, too, each into a file of its own')
    .option('--report', 'print the report of the last capture')
    .option('--json', 'print a line of JSON for each capture; with a command after the program’s own output')
    .option('--keep-raw', 'beside .pb.gz keep the capture as it was written (.heap)')
    .option('-f, --force', 'replace files')
    .addOption(
      new Option('--stop', 'only end sampling that a killed jem profile left on').conflicts([
        'seconds',
        'every',
        'atPeak',
        'output',
      ]),
    )
    .option('--library <path>', 'with a command: this library file and no other')
    .option(
      '--preset <name>',
      `with a command: a named set of options: ${Object.keys(PRESETS).join(', ')}, none (default: ${DEFAULT_PRESET})`,
    )
    .option('--conf <pairs>', 'with a command: MALLOC_CONF options, KEY:VALUE,…, as jem run takes them')
    .action((words: string[], options: ProfileOptions) => profile(words, options, command, context));
  addExamples(command, [
    ['jem profile 4711', 'thirty seconds of a process that jem run started'],
    ['jem profile 4711 --seconds 5m -o heap.pb.gz', 'five minutes'],
    ['jem profile -- node server.js', 'a program from its start to its end, or Ctrl-C'],
    ['jem profile --every 10m -- node server.js', 'a series, for: jem report --leaks'],
    ['jem profile --sample-bytes 64KiB --report -- node build.js', 'finer, and look at it at once'],
  ]);
};
