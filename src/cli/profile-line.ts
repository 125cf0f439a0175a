import { JemkitError } from '../errors.js';
import { parseByteSize } from '../model/byte-size.js';
import { parseDuration } from '../model/duration.js';
import { parseMallocConf } from '../model/malloc-conf.js';

/** The options of `jem profile`. */
export interface ProfileOptions {
  readonly output?: string;
  /** In milliseconds. */
  readonly seconds?: number;
  readonly sampleBytes?: SampleDistance;
  readonly every?: CaptureEvery;
  readonly atPeak?: true;
  readonly threadPool?: true;
  readonly exactLines?: true;
  readonly accum?: true;
  readonly children?: true;
  readonly report?: true;
  readonly json?: true;
  readonly keepRaw?: true;
  readonly force?: true;
  readonly stop?: true;
  readonly preset?: string;
  readonly conf?: string;
  readonly library?: string;
}

/** The mean distance between two samples: what was typed, and the power of two that jemalloc takes. */
export interface SampleDistance {
  readonly typedBytes: number;
  readonly lgSample: number;
}

/** What `--every` says: a time, or so many bytes that the program allocates. */
export type CaptureEvery =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'bytes'; readonly bytes: number };

/** What is profiled: a process that runs, or a program that is started for it. */
export type ProfileLine =
  | { readonly kind: 'target'; readonly target: string | undefined }
  | { readonly kind: 'command'; readonly words: readonly string[] };

const LEAST_SAMPLE_BYTES = 1024;
const MOST_SAMPLE_BYTES = 2 ** 30;
const LEAST_EVERY_BYTES = 2 ** 20;
const LEAST_EVERY_MS = 100;

/** Reads `--sample-bytes`; undefined for what is none. */
export function parseSampleDistance(text: string): SampleDistance | undefined {
  const typedBytes = parseByteSize(text);
  if (typedBytes === undefined || typedBytes < LEAST_SAMPLE_BYTES || typedBytes > MOST_SAMPLE_BYTES) return undefined;
  return { typedBytes, lgSample: Math.round(Math.log2(typedBytes)) };
}

/** Reads `--every`: `10m` is ten minutes, `10MB` a size. Undefined for what is neither, or too little. */
export function parseEvery(text: string): CaptureEvery | undefined {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms >= LEAST_EVERY_MS ? { kind: 'time', ms } : undefined;
  const bytes = parseByteSize(text);
  return bytes !== undefined && bytes >= LEAST_EVERY_BYTES ? { kind: 'bytes', bytes } : undefined;
}

const usage = (message: string, hint: string) => new JemkitError('ERR_JEM_USAGE', message, { hint });

/** Options that jemalloc, or the program, takes at its start only. */
const LAUNCH_ONLY = {
  exactLines: '--exact-lines',
  accum: '--accum',
  preset: '--preset',
  conf: '--conf',
  library: '--library',
} as const;

function checkTarget(words: readonly string[], options: ProfileOptions): void {
  const [first = ''] = words;
  if (words.length > 1) {
    throw usage(
      `profile takes one process, or a command after --; received ${words.length} words`,
      /^\d+$/.test(first) ? `jem profile ${first}` : `jem profile -- ${words.join(' ')}`,
    );
  }
  for (const [name, flag] of Object.entries(LAUNCH_ONLY)) {
    if (options[name as keyof typeof LAUNCH_ONLY] === undefined) continue;
    throw usage(`${flag} is for a program that jem profile starts`, `jem profile ${flag} … -- PROGRAM`);
  }
}

/** What `--conf` may not say, since it is what this command is about. */
function checkConf(conf: string | undefined): void {
  for (const { key, value } of parseMallocConf(conf ?? '').pairs) {
    if ((key === 'prof' || key === 'prof_active') && value === 'false')
      throw usage(`--conf ${key}:${value} switches off what jem profile needs`, 'leave it out');
    if (key === 'lg_prof_sample')
      throw usage(`--conf ${key}:${value} is --sample-bytes here`, 'jem profile --sample-bytes 64KiB -- PROGRAM');
  }
}

/**
 * Understands a command line of `jem profile`.
 *
 * @param isCommand a `--` stands before the words.
 * @throws JemkitError ERR_JEM_USAGE.
 */
export function readProfileLine(words: readonly string[], options: ProfileOptions, isCommand: boolean): ProfileLine {
  if (options.output === '-')
    throw usage(
      'a capture goes into a file, not to stdout',
      'jem profile … -o heap.pb.gz; then: jem report heap.pb.gz',
    );
  if (options.json && options.report)
    throw usage('--json and --report both print to stdout', 'jem report --json FILE prints a report as JSON');
  if (isCommand) {
    if (words.length === 0) throw usage('there is no command after --', 'jem profile -- node server.js');
    if (options.stop) throw usage('--stop is for a process that runs', 'jem profile PID --stop');
    checkConf(options.conf);
    if (options.seconds === 0) throw usage('--seconds 0 is for a process that runs', 'jem profile PID --seconds 0');
    return { kind: 'command', words };
  }
  checkTarget(words, options);
  if (options.seconds === 0 && (options.every || options.atPeak))
    throw usage('--seconds 0 takes one capture now, and --every and --at-peak a series', 'leave one of them out');
  return { kind: 'target', target: words[0] };
}
