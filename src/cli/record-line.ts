import { JemkitError } from '../errors.js';

/** The options of `jem record`. */
export interface RecordOptions {
  readonly output?: string;
  readonly interval: number;
  readonly duration?: number;
  readonly force?: true;
  readonly json?: true;
  readonly preset?: string;
  readonly conf?: string;
}

/** What is recorded: a process that runs, or a program that is started for it. */
export type RecordLine =
  | { readonly kind: 'target'; readonly target: string | undefined }
  | { readonly kind: 'command'; readonly words: readonly string[] };

const usage = (message: string, hint: string) => new JemkitError('ERR_JEM_USAGE', message, { hint });

function tooManyWords(words: readonly string[]): JemkitError {
  const [first = '', ...rest] = words;
  return usage(
    `record takes one process, or a command after --; received ${words.length} words`,
    /^\d+$/.test(first)
      ? `jem record ${first}, or jem record -- ${rest.join(' ')}`
      : `jem record -- ${words.join(' ')}`,
  );
}

/**
 * Understands a command line of `jem record`.
 *
 * @param isCommand a `--` stands before the words.
 * @throws JemkitError ERR_JEM_USAGE.
 */
export function readRecordLine(words: readonly string[], options: RecordOptions, isCommand: boolean): RecordLine {
  if (options.output === '-') {
    throw usage('a recording goes into a file, not to stdout', '--json prints samples to stdout');
  }
  if (isCommand) {
    if (words.length === 0) throw usage('there is no command after --', 'jem record -- node server.js');
    if (options.json) {
      throw usage(
        '--json prints to stdout, which is the program’s own here',
        'record into a file (-o run.jemrec), then: jem plot --json --samples run.jemrec',
      );
    }
    return { kind: 'command', words };
  }
  if (words.length > 1) throw tooManyWords(words);
  for (const name of ['preset', 'conf'] as const) {
    if (options[name] === undefined) continue;
    throw usage(
      `--${name} is for a program that jem record starts`,
      `jem record --${name} ${options[name]} -- PROGRAM; for a process that runs: jem decay, jem ctl`,
    );
  }
  return { kind: 'target', target: words[0] };
}
