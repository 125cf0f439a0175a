import { decodePunycode } from './punycode.js';

class NotRust extends Error {}

const BASIC: Readonly<Record<string, string>> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
};

const MAX_DEPTH = 200;
/** References to earlier parts can make a short symbol into an endless name. */
const MAX_STEPS = 20_000;
const MAX_LENGTH = 20_000;

interface Reader {
  /** Behind `_R`, where references count from. */
  readonly text: string;
  at: number;
  depth: number;
  steps: number;
  /** Lifetimes that `for<…>` has bound so far. */
  bound: number;
}

function accept(reader: Reader, letter: string): boolean {
  if (reader.text[reader.at] !== letter) return false;
  reader.at += 1;
  return true;
}

function next(reader: Reader): string {
  const letter = reader.text[reader.at];
  if (letter === undefined) throw new NotRust();
  reader.at += 1;
  return letter;
}

/** `_` is 0, `<digits>_` one more than the number. */
function base62(reader: Reader): number {
  const end = reader.text.indexOf('_', reader.at);
  const digits = end < 0 ? '?' : reader.text.slice(reader.at, end);
  if (!/^[0-9a-zA-Z]{0,12}$/.test(digits)) throw new NotRust();
  reader.at = end + 1;
  if (digits === '') return 0;
  let number = 0;
  for (const digit of digits) {
    const code = digit.charCodeAt(0);
    number = number * 62 + (code < 58 ? code - 48 : code >= 97 ? code - 87 : code - 29);
  }
  return number + 1;
}

const optional62 = (reader: Reader, tag: string) => (accept(reader, tag) ? base62(reader) + 1 : 0);

function identifier(reader: Reader): { readonly name: string; readonly disambiguator: number } {
  const disambiguator = optional62(reader, 's');
  const encoded = accept(reader, 'u');
  const digits = /^(?:0|[1-9]\d{0,4})/.exec(reader.text.slice(reader.at, reader.at + 5))?.[0];
  if (digits === undefined) throw new NotRust();
  reader.at += digits.length;
  accept(reader, '_');
  const length = Number(digits);
  const name = reader.text.slice(reader.at, reader.at + length);
  if (name.length < length) throw new NotRust();
  reader.at += length;
  return { name: encoded ? (decodePunycode(name) ?? `punycode{${name}}`) : name, disambiguator };
}

/** Reads what stands at an earlier place. */
function reference(reader: Reader, read: (reader: Reader) => string): string {
  const start = reader.at - 1;
  const target = base62(reader);
  if (target >= start) throw new NotRust();
  const { at } = reader;
  reader.at = target;
  const made = deeper(reader, read);
  reader.at = at;
  return made;
}

function deeper(reader: Reader, read: (reader: Reader) => string): string {
  reader.steps += 1;
  if (reader.depth >= MAX_DEPTH || reader.steps > MAX_STEPS) throw new NotRust();
  reader.depth += 1;
  const made = read(reader);
  reader.depth -= 1;
  if (made.length > MAX_LENGTH) throw new NotRust();
  return made;
}

function until(reader: Reader, read: (reader: Reader) => string): string[] {
  const list: string[] = [];
  while (!accept(reader, 'E')) list.push(read(reader));
  return list;
}

function lifetimeName(reader: Reader, index: number): string {
  if (index === 0) return "'_";
  const depth = reader.bound - index;
  if (depth < 0) throw new NotRust();
  return depth < 26 ? `'${String.fromCharCode(97 + depth)}` : `'_${depth}`;
}

const genericArgument = (reader: Reader): string => {
  if (accept(reader, 'L')) return lifetimeName(reader, base62(reader));
  return accept(reader, 'K') ? constant(reader) : type(reader);
};

/** Where an `impl` stands is not shown. */
function implPath(reader: Reader): void {
  optional62(reader, 's');
  path(reader, false);
}

function path(reader: Reader, isValue: boolean): string {
  return deeper(reader, () => pathHere(reader, isValue));
}

function pathHere(reader: Reader, isValue: boolean): string {
  const tag = next(reader);
  switch (tag) {
    case 'C':
      return identifier(reader).name;
    case 'M':
      implPath(reader);
      return `<${type(reader)}>`;
    case 'X':
    case 'Y': {
      if (tag === 'X') implPath(reader);
      const of = type(reader);
      return `<${of} as ${path(reader, false)}>`;
    }
    case 'N': {
      const space = next(reader);
      const outer = path(reader, isValue);
      const { name, disambiguator } = identifier(reader);
      if (/[a-z]/.test(space)) return name === '' ? outer : `${outer}::${name}`;
      const kind = space === 'C' ? 'closure' : space === 'S' ? 'shim' : space;
      return `${outer}::{${kind}${name === '' ? '' : `:${name}`}#${disambiguator}}`;
    }
    case 'I': {
      const of = path(reader, isValue);
      const args = until(reader, genericArgument);
      return `${of}${isValue ? '::' : ''}<${args.join(', ')}>`;
    }
    case 'B':
      return reference(reader, () => path(reader, isValue));
    default:
      throw new NotRust();
  }
}

/** `for<'a, 'b> ` in front of what uses them. */
function binder(reader: Reader, read: () => string): string {
  const count = optional62(reader, 'G');
  if (count > 1000) throw new NotRust();
  const before = reader.bound;
  reader.bound += count;
  const names = Array.from({ length: count }, (_, index) => lifetimeName(reader, count - index));
  const made = read();
  reader.bound = before;
  return count === 0 ? made : `for<${names.join(', ')}> ${made}`;
}

function functionType(reader: Reader): string {
  const unsafe = accept(reader, 'U') ? 'unsafe ' : '';
  let abi = '';
  if (accept(reader, 'K'))
    abi = `extern "${accept(reader, 'C') ? 'C' : identifier(reader).name.replaceAll('_', '-')}" `;
  const parameters = until(reader, type).join(', ');
  const returns = type(reader);
  return `${unsafe}${abi}fn(${parameters})${returns === '()' ? '' : ` -> ${returns}`}`;
}

/** A trait of `dyn`, with its associated types among its arguments. */
function dynTrait(reader: Reader): string {
  let made = path(reader, false);
  let open = made.endsWith('>') && !made.startsWith('<');
  while (accept(reader, 'p')) {
    const { name } = identifier(reader);
    const binding = `${name} = ${type(reader)}`;
    made = open ? `${made.slice(0, -1)}, ${binding}>` : `${made}<${binding}>`;
    open = true;
  }
  return made;
}

function type(reader: Reader): string {
  return deeper(reader, () => typeHere(reader));
}

function typeHere(reader: Reader): string {
  const tag = next(reader);
  const basic = BASIC[tag];
  if (basic !== undefined) return basic;
  switch (tag) {
    case 'A':
      return `[${type(reader)}; ${constant(reader)}]`;
    case 'S':
      return `[${type(reader)}]`;
    case 'T': {
      const parts = until(reader, type);
      return `(${parts.join(', ')}${parts.length === 1 ? ',' : ''})`;
    }
    case 'R':
    case 'Q': {
      const index = accept(reader, 'L') ? base62(reader) : 0;
      const lifetime = index === 0 ? '' : `${lifetimeName(reader, index)} `;
      return `&${lifetime}${tag === 'Q' ? 'mut ' : ''}${type(reader)}`;
    }
    case 'P':
      return `*const ${type(reader)}`;
    case 'O':
      return `*mut ${type(reader)}`;
    case 'F':
      return binder(reader, () => functionType(reader));
    case 'D': {
      const traits = binder(reader, () => until(reader, dynTrait).join(' + '));
      if (!accept(reader, 'L')) throw new NotRust();
      const index = base62(reader);
      return `dyn ${traits}${index === 0 ? '' : ` + ${lifetimeName(reader, index)}`}`;
    }
    case 'B':
      return reference(reader, type);
    default:
      reader.at -= 1;
      return path(reader, false);
  }
}

function constant(reader: Reader): string {
  return deeper(reader, () => constantHere(reader));
}

function constantHere(reader: Reader): string {
  const tag = next(reader);
  if (tag === 'B') return reference(reader, constant);
  if (tag === 'p') return '_';
  const negative = accept(reader, 'n') ? '-' : '';
  const end = reader.text.indexOf('_', reader.at);
  const digits = end < 0 ? '?' : reader.text.slice(reader.at, end);
  if (!/^[0-9a-f]*$/.test(digits)) throw new NotRust();
  reader.at = end + 1;
  const number = BigInt(`0x${digits === '' ? '0' : digits}`);
  if (tag === 'b') return number === 0n ? 'false' : 'true';
  if (tag === 'c') return JSON.stringify(String.fromCodePoint(Number(number))).replace(/^"|"$/g, "'");
  if (!/[hstmyoajlnix]/.test(tag)) throw new NotRust();
  return `${negative}${number}`;
}

/** A Rust symbol of the newer form (RFC 2603) without the hashes of crates; undefined for any other. */
export function demangleRustV0(symbol: string): string | undefined {
  const text = /^_?_R([A-Z][\w]*)(?:\..*)?$/.exec(symbol)?.[1];
  if (text === undefined) return undefined;
  try {
    return path({ text, at: 0, depth: 0, steps: 0, bound: 0 }, true);
  } catch (error) {
    if (error instanceof NotRust || error instanceof RangeError) return undefined;
    throw error;
  }
}
