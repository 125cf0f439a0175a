import { accept, type Cursor, NotMangled, peek, readNumber, readSequence } from './itanium-cursor.js';
import { readName, readQualifiedName } from './itanium-names.js';
import { type CxxNode, nameNode } from './itanium-nodes.js';
import { readParameters, readType } from './itanium-types.js';

/** Constructors, destructors and conversions tell no return type. */
function tellsReturn(name: CxxNode): boolean {
  switch (name.kind) {
    case 'template':
      return !isStructor(name.base);
    case 'local':
      return tellsReturn(name.entity);
    default:
      return false;
  }
}

function isStructor(name: CxxNode): boolean {
  switch (name.kind) {
    case 'structor':
    case 'conversion':
      return true;
    case 'nested':
      return isStructor(name.name);
    case 'tagged':
      return isStructor(name.base);
    default:
      return false;
  }
}

const endsEncoding = (cursor: Cursor) => /^[.E]?$/.test(peek(cursor));

/** Where a function stands in a symbol: in the body of one nothing is said of what it returns. */
export type EncodingPlace = 'outermost' | 'literal' | 'body';

/** A function with its parameters, or a variable. */
export function readEncoding(cursor: Cursor, place: EncodingPlace): CxxNode {
  const special = readSpecial(cursor);
  if (special) return special;
  const outer = { templateArguments: cursor.templateArguments, forward: cursor.forward, inLambda: cursor.inLambda };
  cursor.templateArguments = [];
  cursor.forward = [];
  cursor.inLambda = false;
  const { name, qualifiers } = readQualifiedName(cursor, true);
  for (const { index, target, optional } of cursor.forward) {
    target.node = cursor.templateArguments[index];
    if (!target.node && !optional) throw new NotMangled('a template parameter without an argument');
  }
  cursor.forward = outer.forward;
  let node = name;
  if (!endsEncoding(cursor)) {
    const returned = tellsReturn(name) ? readType(cursor) : undefined;
    const parameters = readParameters(cursor, endsEncoding);
    node = { kind: 'function', name, returns: place === 'body' ? undefined : returned, parameters, qualifiers };
  }
  if (place !== 'outermost') {
    cursor.templateArguments = outer.templateArguments.length > 0 ? outer.templateArguments : cursor.templateArguments;
    cursor.inLambda = outer.inLambda;
  }
  return node;
}

const OF_TYPES: Readonly<Record<string, string>> = {
  TV: 'vtable for ',
  TT: 'VTT for ',
  TI: 'typeinfo for ',
  TS: 'typeinfo name for ',
};
const OF_NAMES: Readonly<Record<string, string>> = {
  GV: 'guard variable for ',
  TH: 'TLS init function for ',
  TW: 'TLS wrapper function for ',
};
const OF_FUNCTIONS: Readonly<Record<string, string>> = {
  GTt: 'transaction clone for ',
  GTn: 'non-transaction clone for ',
};

function skipOffset(cursor: Cursor): void {
  const found = /^(?:hn?\d+_|vn?\d+_n?\d+_)/.exec(cursor.text.slice(cursor.at, cursor.at + 60));
  if (!found) throw new NotMangled('an offset expected');
  cursor.at += found[0].length;
}

function readSpecial(cursor: Cursor): CxxNode | undefined {
  if (peek(cursor) !== 'T' && peek(cursor) !== 'G') return undefined;
  const special = (prefix: string, of: CxxNode): CxxNode => ({ kind: 'special', prefix, of });
  const code = peek(cursor) + peek(cursor, 1);
  for (const [table, read] of [
    [OF_TYPES, readType],
    [OF_NAMES, (at: Cursor) => readName(at, true)],
  ] as const) {
    const prefix = table[code];
    if (prefix === undefined) continue;
    cursor.at += 2;
    return special(prefix, read(cursor));
  }
  const clone = OF_FUNCTIONS[code + peek(cursor, 2)];
  if (clone !== undefined) {
    cursor.at += 3;
    return special(clone, readEncoding(cursor, 'outermost'));
  }
  if (accept(cursor, 'GR')) {
    const name = readName(cursor, true);
    const index = cursor.at < cursor.text.length ? readSequence(cursor, 36) : 0;
    return special(`reference temporary #${index} for `, name);
  }
  if (accept(cursor, 'TC')) {
    const type = readType(cursor);
    readNumber(cursor);
    accept(cursor, '_');
    return { kind: 'special', prefix: 'construction vtable for ', of: readType(cursor), suffix: type };
  }
  if (accept(cursor, 'Tc')) {
    skipOffset(cursor);
    skipOffset(cursor);
    return special('covariant return thunk to ', readEncoding(cursor, 'outermost'));
  }
  if (code === 'Th' || code === 'Tv') {
    cursor.at += 1;
    skipOffset(cursor);
    return special(code === 'Th' ? 'non-virtual thunk to ' : 'virtual thunk to ', readEncoding(cursor, 'outermost'));
  }
  return undefined;
}

/** `.part.0`, `.cold`: pieces that the compiler made of one function. */
export function readClones(cursor: Cursor, node: CxxNode): CxxNode {
  let result = node;
  while (cursor.at < cursor.text.length) {
    const found = /^\.(?:[a-zA-Z_]+|\d+)(?:\.\d+)*/.exec(cursor.text.slice(cursor.at));
    if (!found) throw new NotMangled(`what is ${nameNode(peek(cursor)).kind}`);
    cursor.at += found[0].length;
    result = { kind: 'clone', of: result, suffix: found[0] };
  }
  return result;
}
