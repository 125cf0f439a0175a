import { findOption, type MALLOC_CONF_OPTIONS, type OptionName, type OptionRow } from './malloc-conf-options.js';
import { describeExpected, readOptionValue } from './malloc-conf-value.js';

/** One `key:value` of a MALLOC_CONF string and where it stands; offsets count UTF-16 units from 0. */
export interface MallocConfPair {
  readonly key: string;
  readonly value: string;
  readonly offset: number;
  readonly valueOffset: number;
  /** Just past the value. */
  readonly end: number;
  /** False where jemalloc stops reading before it comes here. */
  readonly reached: boolean;
}

/** What keeps jemalloc from reading a string, or its rest. */
export type MallocConfSyntaxProblem =
  /** A character that no key has; everything from the start of this pair on is ignored. */
  | {
      readonly kind: 'malformed-key';
      readonly offset: number;
      readonly character: string;
      readonly ignoredFrom: number;
    }
  /** The string ends before the colon. */
  | { readonly kind: 'no-value'; readonly offset: number; readonly key: string }
  | { readonly kind: 'trailing-comma'; readonly offset: number };

/** A MALLOC_CONF string taken apart. */
export interface ParsedMallocConf {
  readonly pairs: readonly MallocConfPair[];
  readonly problems: readonly MallocConfSyntaxProblem[];
}

/** The pair that was meant in a piece of text jemalloc cannot read, such as ` narenas = 2`. */
function recoverPair(text: string, start: number, end: number): MallocConfPair | undefined {
  const match = /^(\s*)([A-Za-z0-9_]+)\s*[:=]/.exec(text.slice(start, end));
  if (!match) return undefined;
  const offset = start + match[1]!.length;
  const valueOffset = start + match[0].length;
  return { key: match[2]!, value: text.slice(valueOffset, end), offset, valueOffset, end, reached: false };
}

/**
 * Takes a MALLOC_CONF string apart as jemalloc reads it. Where jemalloc would stop, reading goes on after the next comma, so that
 * what follows can be judged too; such pairs have `reached: false`. It never throws.
 *
 * @example
 * parseMallocConf('narenas:2, tcache:false').pairs.filter((pair) => pair.reached).length; // 1: the space ends it
 */
export function parseMallocConf(text: string): ParsedMallocConf {
  const pairs: MallocConfPair[] = [];
  const problems: MallocConfSyntaxProblem[] = [];
  let reached = true;
  let start = 0;
  while (start < text.length) {
    const keyEnd = start + /^[A-Za-z0-9_]*/.exec(text.slice(start))![0].length;
    const comma = text.indexOf(',', keyEnd);
    const end = comma === -1 ? text.length : comma;
    if (reached && text[keyEnd] === ':') {
      const valueOffset = keyEnd + 1;
      pairs.push({
        key: text.slice(start, keyEnd),
        value: text.slice(valueOffset, end),
        offset: start,
        valueOffset,
        end,
        reached,
      });
      if (comma === text.length - 1) problems.push({ kind: 'trailing-comma', offset: comma });
    } else if (reached && keyEnd === text.length) {
      problems.push({ kind: 'no-value', offset: start, key: text.slice(start) });
    } else {
      if (reached)
        problems.push({ kind: 'malformed-key', offset: keyEnd, character: text[keyEnd]!, ignoredFrom: start });
      reached = false;
      const meant = recoverPair(text, start, end);
      if (meant) pairs.push(meant);
    }
    start = end + 1;
  }
  return { pairs, problems };
}

/** Writes pairs as a MALLOC_CONF string, in order. */
export function renderMallocConf(pairs: Iterable<Pick<MallocConfPair, 'key' | 'value'>>): string {
  return [...pairs].map(({ key, value }) => `${key}:${value}`).join(',');
}

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type ValueOf<Row extends OptionRow> =
  | (Row['type'] extends 'bool'
      ? boolean
      : Row['type'] extends 'integer' | 'ratio'
        ? number
        : Row extends { readonly values: readonly (infer Value)[] }
          ? Value
          : string)
  | (Row extends { readonly words: readonly (infer Word)[] } ? Word : never);

/**
 * The options of {@link mallocConf}: every option of jemalloc 4.0 to 5.4 in camelCase, with the type of its value. Numbers are in
 * the unit of jemalloc's own option (`dirtyDecayMs` milliseconds, `tcacheMax` bytes, `lgProfSample` a power of two).
 */
export type MallocConfOptions = {
  readonly [Name in OptionName as CamelCase<Name>]?: ValueOf<(typeof MALLOC_CONF_OPTIONS)[Name]> | undefined;
};

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * Writes a MALLOC_CONF string from typed options, in their order; `undefined` leaves an option out.
 * Whether the loaded jemalloc knows them is another question: see `checkMallocConf`.
 *
 * @throws TypeError for an option jemalloc never had or a value of the wrong kind, RangeError for a number out of its range.
 *
 * @example
 * mallocConf({ backgroundThread: true, dirtyDecayMs: 5000 }); // 'background_thread:true,dirty_decay_ms:5000'
 */
export function mallocConf(options: MallocConfOptions): string {
  const pairs: { key: string; value: string }[] = [];
  for (const [name, given] of Object.entries(options)) {
    if (given === undefined) continue;
    const key = snakeCase(name);
    const row = findOption(key);
    if (!row) throw new TypeError(`jemalloc has no option '${name}' (in MALLOC_CONF: '${key}')`);
    const value = String(given);
    const read = readOptionValue(row, value);
    if (read.kind !== 'fine' || /[,\0]/.test(value)) {
      const message = `${name}: received ${JSON.stringify(given)}, expected ${describeExpected(row)}`;
      const range =
        read.kind === 'wrong' ? read.reason === 'range' : read.kind === 'surprising' && read.reason === 'clipped';
      throw range ? new RangeError(message) : new TypeError(message);
    }
    pairs.push({ key, value });
  }
  return renderMallocConf(pairs);
}
