import type { OptionRow } from './malloc-conf-options.js';

/** What is wrong with a value, or what a reader should know of it. */
export type OptionValue =
  | { readonly kind: 'fine'; readonly value: boolean | number | string }
  /** jemalloc takes it, but hardly as it was meant; `taken` is what it takes. */
  | {
      readonly kind: 'surprising';
      readonly reason: 'octal' | 'leading-space' | 'abbreviated' | 'clipped';
      readonly taken: string;
    }
  /** jemalloc warns and ignores the pair, or reads something absurd. */
  | { readonly kind: 'wrong'; readonly reason: 'type' | 'range'; readonly expected: string };

const UINT64_MAX = 2n ** 64n - 1n;
const SUFFIXED = /^\s*(\d+)\s*(ms|s|[kmg]i?b?|b)$/i;

/** What a value of this option must look like, for people. */
export function describeExpected(row: OptionRow): string {
  const words = row.words?.length ? ` or ${row.words.join(' or ')}` : '';
  switch (row.type) {
    case 'bool':
      return 'true or false';
    case 'choice':
      return (row.values ?? []).join(', ').replace(/, ([^,]*)$/, ' or $1');
    case 'text':
      return 'text without a comma';
    case 'size-classes':
      return `FROM-TO:COUNT, several joined by |${words}`;
    default: {
      const kind = row.type === 'ratio' ? 'a number' : 'a whole number';
      const unit = row.unit === undefined ? '' : ` of ${row.unit}`;
      const { min, max } = row;
      const range =
        min !== undefined && max !== undefined
          ? ` from ${min} to ${max}`
          : min !== undefined
            ? ` of ${min} or more`
            : '';
      return `${kind}${unit}${row.unit && min !== undefined && max === undefined ? `, ${min} or more` : range}${words}`;
    }
  }
}

/** C's strtoumax with base 0: leading white space, a sign, then hexadecimal, octal or decimal digits. */
function parseCInteger(text: string): { value: bigint; octal: boolean; leadingSpace: boolean } | undefined {
  const match = /^(\s*)([+-]?)(0x[0-9a-f]+|\d+)$/i.exec(text);
  if (!match) return undefined;
  const [, space, sign, digits = ''] = match;
  const octal = /^0\d/.test(digits);
  if (octal && !/^[0-7]+$/.test(digits)) return undefined;
  const magnitude = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  if (magnitude > UINT64_MAX) return undefined;
  return { value: sign === '-' ? -magnitude : magnitude, octal, leadingSpace: space !== '' };
}

/** The number meant by a value with a unit (`5s`, `64k`), in the option's own unit; undefined where none can be told. */
export function suggestNumber(row: OptionRow, text: string): string | undefined {
  const match = SUFFIXED.exec(text);
  if (!match || row.type !== 'integer') return undefined;
  const amount = Number(match[1]);
  const suffix = (match[2] ?? '').toLowerCase();
  if (row.unit === 'ms' && suffix === 's') return String(amount * 1000);
  if (row.unit === 'ms' && suffix === 'ms') return String(amount);
  if (row.unit === 's' && suffix === 's') return String(amount);
  const shift = { k: 10, m: 20, g: 30, b: 0 }[suffix[0] ?? ''];
  if (shift === undefined || suffix === 'ms') return undefined;
  const bytes = amount * 2 ** shift;
  if (row.unit === 'bytes') return String(bytes);
  return row.unit === 'log2 bytes' && Number.isInteger(Math.log2(bytes)) ? String(Math.log2(bytes)) : undefined;
}

function readInteger(row: OptionRow, text: string): OptionValue {
  const parsed = parseCInteger(text);
  if (!parsed) return { kind: 'wrong', reason: 'type', expected: describeExpected(row) };
  const { value } = parsed;
  const below = row.min !== undefined && value < BigInt(row.min);
  const above = row.max !== undefined && value > BigInt(row.max);
  // A negative number where none is meant wraps to a huge one: never what was wanted, even where jemalloc then clips it.
  if (value < 0n && (row.min ?? 0) >= 0) return { kind: 'wrong', reason: 'range', expected: describeExpected(row) };
  if (below || above) {
    return row.beyond === 'clipped'
      ? { kind: 'surprising', reason: 'clipped', taken: String(below ? row.min : row.max) }
      : { kind: 'wrong', reason: 'range', expected: describeExpected(row) };
  }
  if (parsed.octal) return { kind: 'surprising', reason: 'octal', taken: String(value) };
  if (parsed.leadingSpace) return { kind: 'surprising', reason: 'leading-space', taken: String(value) };
  return { kind: 'fine', value: Number(value) };
}

/** jemalloc's own fixed-point numbers: digits on both sides of an optional point, no sign, no exponent. */
function readRatio(row: OptionRow, text: string): OptionValue {
  if (!/^\d{1,5}(\.\d+)?$|^\.\d+$/.test(text))
    return { kind: 'wrong', reason: 'type', expected: describeExpected(row) };
  const value = Number(text);
  if (value >= 32_768 || (row.max !== undefined && value > row.max)) {
    return { kind: 'wrong', reason: 'range', expected: describeExpected(row) };
  }
  return { kind: 'fine', value };
}

function readChoice(row: OptionRow, text: string): OptionValue {
  const values = row.values ?? [];
  if (values.includes(text)) return { kind: 'fine', value: text };
  // Most choices are compared by the length of what was given, so `thp:a` is `always`, and an empty value is the first.
  const abbreviated = text === '' ? undefined : values.find((value) => value.startsWith(text));
  if (abbreviated) return { kind: 'surprising', reason: 'abbreviated', taken: abbreviated };
  return { kind: 'wrong', reason: 'type', expected: describeExpected(row) };
}

const SIZE_CLASSES = /^\d+-\d+:\d+(\|\d+-\d+:\d+)*\|?$/;

/** Reads the text of a value as jemalloc would. */
export function readOptionValue(row: OptionRow, text: string): OptionValue {
  if (row.words?.includes(text)) return { kind: 'fine', value: text };
  switch (row.type) {
    case 'bool':
      return text === 'true' || text === 'false'
        ? { kind: 'fine', value: text === 'true' }
        : { kind: 'wrong', reason: 'type', expected: describeExpected(row) };
    case 'integer':
      return readInteger(row, text);
    case 'ratio':
      return readRatio(row, text);
    case 'choice':
      return readChoice(row, text);
    case 'size-classes':
      return SIZE_CLASSES.test(text)
        ? { kind: 'fine', value: text }
        : { kind: 'wrong', reason: 'type', expected: describeExpected(row) };
    case 'text':
      return { kind: 'fine', value: text };
  }
}
