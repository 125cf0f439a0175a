import { type Command, InvalidArgumentError } from 'commander';
import { unknownSeries } from '../analyses/unknown-series.js';
import { JemkitError } from '../errors.js';
import { BYTE_SIZE_FORMS, parseByteSize } from '../model/byte-size.js';
import { isMemorySeries, type MemorySeriesName } from '../model/memory-series.js';
import { isCommand } from './is-command.js';

/** What `--do` takes. */
export const WATCH_ACTIONS = ['say', 'purge', 'decay', 'dump', 'exec'] as const;

/** A limit of `jem watch`: on a figure in bytes, or on its growth in bytes per hour. */
export interface WatchLimit {
  readonly bytes: number;
  readonly growth: boolean;
  /** As it was typed. */
  readonly text: string;
}

/** The options of `jem watch`. */
export interface WatchOptions {
  readonly limit: WatchLimit;
  readonly do: (typeof WATCH_ACTIONS)[number];
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

/** Reads `--limit`. */
export function parseLimit(text: string): WatchLimit {
  const [, size = '', perHour] = /^\+?(.*?)(\/h)?$/.exec(text) ?? [];
  const bytes = parseByteSize(size);
  if (bytes === undefined || bytes < 1 || text.startsWith('+') !== (perHour !== undefined)) {
    throw new InvalidArgumentError(`expected a size (${BYTE_SIZE_FORMS}) or a growth (+50MB/h).`);
  }
  return { bytes, growth: perHour !== undefined, text };
}

/** Reads `--rearm`: a share from 0 to 1. */
export function parseShare(text: string): number {
  const share = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) / 100 : Number.NaN;
  if (!(share > 0 && share <= 1)) throw new InvalidArgumentError('expected a share of the limit: 90%.');
  return share;
}

/** Reads `--times`. */
export function parseTimes(text: string): number {
  const times = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (times < 1) throw new InvalidArgumentError('expected a number from 1 on.');
  return times;
}

/** Reads `--of`. */
export function parseOf(text: string): MemorySeriesName {
  if (!isMemorySeries(text)) throw new InvalidArgumentError(unknownSeries(text));
  return text;
}

/** The words as they were meant: a process, and for exec a program with its arguments. */
export function divideWords(words: readonly string[], options: WatchOptions, command: Command) {
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

/** Throws for options that do not go together. */
export function checkOptions(options: WatchOptions): void {
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
