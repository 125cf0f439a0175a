import type { JemallocVersion } from '../model/jemalloc-version.js';
import { type MallocConfPair, parseMallocConf } from '../model/malloc-conf.js';
import { findOption, MALLOC_CONF_OPTIONS, type OptionRow } from '../model/malloc-conf-options.js';
import type { MallocConfExplanation, MallocConfOptionSummary } from '../model/malloc-conf-report.js';
import { describeExpected, readOptionValue } from '../model/malloc-conf-value.js';
import { optionIn } from './malloc-conf-versions.js';

const BYTE_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

function sayBytes(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 1024 && unit < BYTE_UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${Number(amount.toFixed(2))} ${BYTE_UNITS[unit]}`;
}

function sayMilliseconds(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}

/** A value for people, with its unit: `1000` ms is `1 s`, `19` of a power of two is `2^19 = 512 KiB`. */
function sayOptionValue(row: OptionRow, value: string): string {
  const meaning = row.meanings && Object.hasOwn(row.meanings, value) ? row.meanings[value] : undefined;
  if (meaning) return value === '' ? meaning : `${value} (${meaning})`;
  if (value === '') return 'nothing';
  const read = readOptionValue(row, value);
  if (read.kind !== 'fine' || typeof read.value !== 'number') return value;
  switch (row.unit) {
    case 'ms':
      return sayMilliseconds(read.value);
    case 's':
      return sayMilliseconds(read.value * 1000);
    case 'bytes':
      return sayBytes(read.value);
    case 'log2 bytes':
      return `2^${read.value} = ${sayBytes(2 ** read.value)}`;
    default:
      return value;
  }
}

/** The value of an option nobody set, for people; undefined where none is known. */
function sayDefault(row: OptionRow): string | undefined {
  if (row.default === undefined) return row.defaultNote;
  const said = sayOptionValue(row, row.default);
  return row.defaultNote === undefined ? said : `${said}; ${row.defaultNote}`;
}

function ignoredBecause(
  pair: MallocConfPair,
  row: OptionRow | undefined,
  version: JemallocVersion | undefined,
): string | undefined {
  if (!pair.reached) return 'Does nothing: jemalloc stops reading before this pair.';
  if (!row) return 'No such option: jemalloc warns and ignores the pair.';
  const there = version ? optionIn(row, version).kind : row.removedIn === '5.0.0' ? 'removed' : 'here';
  if (there === 'removed') return `Gone since jemalloc ${row.removedIn}, so it is ignored. It was: ${row.doc}`;
  if (there === 'later') return `Exists only since jemalloc ${row.since}, so it is ignored. It would be: ${row.doc}`;
  const read = readOptionValue(row, pair.value);
  return read.kind === 'wrong'
    ? `${row.doc} Not a value jemalloc takes (expected ${read.expected}), so it is ignored.`
    : undefined;
}

function sentenceOf(pair: MallocConfPair, row: OptionRow): string {
  const read = readOptionValue(row, pair.value);
  const taken = read.kind === 'surprising' ? read.taken : pair.value;
  const set = row.type === 'bool' ? (taken === 'true' ? 'On' : 'Off') : `Here: ${sayOptionValue(row, taken)}`;
  const standard = sayDefault(row);
  const bool: Readonly<Record<string, string>> = { true: 'on', false: 'off' };
  const said =
    row.type === 'bool' && standard !== undefined ? standard.replace(/^(true|false)/, (word) => bool[word]!) : standard;
  if (row.default !== undefined && taken === row.default) return `${row.doc} ${set}, which is the default.`;
  return `${row.doc} ${set}.${said ? ` Default: ${said}.` : ''}`;
}

/** Says what each pair of a MALLOC_CONF string does, in its order. */
export function explainMallocConf(text: string, version?: JemallocVersion): MallocConfExplanation[] {
  return parseMallocConf(text).pairs.map((pair) => {
    const row = findOption(pair.key);
    const ignored = ignoredBecause(pair, row, version);
    return {
      key: pair.key,
      value: pair.value,
      sentence: ignored ?? sentenceOf(pair, row!),
      default: row && sayDefault(row),
      effective: ignored === undefined,
    };
  });
}

/** Every option for a table; with a version those that it reads. */
export function summarizeMallocConfOptions(version?: JemallocVersion): MallocConfOptionSummary[] {
  return Object.entries<OptionRow>(MALLOC_CONF_OPTIONS).flatMap(([name, known]) => {
    const there = version ? optionIn(known, version) : ({ kind: 'here', row: known } as const);
    if (there.kind !== 'here') return [];
    const { row } = there;
    return [
      {
        name,
        value: describeExpected(row),
        default: row.default === '' ? '' : sayDefault(row),
        versions: row.removedIn ? `${row.since} to before ${row.removedIn}` : row.since,
        doc: row.doc,
        requires: row.requires,
      },
    ];
  });
}
