import {
  accept,
  type Cursor,
  expect,
  NotMangled,
  nested,
  peek,
  readNumber,
  readSequence,
  readUntil,
} from './itanium-cursor.js';
import { readEncoding } from './itanium-encodings.js';
import { type CxxNode, nameNode } from './itanium-nodes.js';
import { OPERATORS } from './itanium-operators.js';
import {
  parameterAt,
  readQualifiers,
  readTemplateArguments,
  readTemplateParameter,
  readType,
} from './itanium-types.js';

const std = nameNode('std');
const ofStd = (name: string): CxxNode => ({ kind: 'nested', scope: std, name: nameNode(name) });
const ofChar = (name: string, ...more: string[]): CxxNode => ({
  kind: 'template',
  base: ofStd(name),
  args: [
    nameNode('char'),
    ...more.map((base): CxxNode => ({ kind: 'template', base: ofStd(base), args: [nameNode('char')] })),
  ],
});

const STANDARD: Readonly<Record<string, CxxNode>> = {
  t: std,
  a: ofStd('allocator'),
  b: ofStd('basic_string'),
  s: ofChar('basic_string', 'char_traits', 'allocator'),
  i: ofChar('basic_istream', 'char_traits'),
  o: ofChar('basic_ostream', 'char_traits'),
  d: ofChar('basic_iostream', 'char_traits'),
};

/** `S_`, `S0_`, `Sa`: what stood in the symbol before, or one of the standard library's. */
export function readSubstitution(cursor: Cursor): CxxNode {
  expect(cursor, 'S');
  const standard = STANDARD[peek(cursor)];
  if (standard) {
    cursor.at += 1;
    return readTags(cursor, standard);
  }
  const known = cursor.substitutions[readSequence(cursor, 36)];
  if (!known) throw new NotMangled('a substitution without a target');
  // T_ is what it is at this place, not what it was where it stood first.
  return known.kind === 'parameter' ? parameterAt(cursor, known.index) : known;
}

function readTags(cursor: Cursor, node: CxxNode): CxxNode {
  let tagged = node;
  while (accept(cursor, 'B')) tagged = { kind: 'tagged', base: tagged, tag: readSourceName(cursor) };
  return tagged;
}

/** An identifier with its length before it. */
export function readSourceName(cursor: Cursor): string {
  const length = readNumber(cursor);
  if (length === undefined || length === 0) throw new NotMangled('a name expected');
  const name = cursor.text.slice(cursor.at, cursor.at + length);
  if (name.length < length) throw new NotMangled('a name ends early');
  cursor.at += length;
  return /^_GLOBAL_[._$]N/.test(name) ? '(anonymous namespace)' : name;
}

function readOperatorName(cursor: Cursor, isEncoding: boolean): CxxNode {
  const code = peek(cursor) + peek(cursor, 1);
  if (code === 'cv') {
    cursor.at += 2;
    const before = cursor.inConversion;
    cursor.inConversion = isEncoding || before;
    const type = readType(cursor);
    cursor.inConversion = before;
    return { kind: 'conversion', type };
  }
  if (code === 'li') {
    cursor.at += 2;
    return nameNode(`operator"" ${readSourceName(cursor)}`);
  }
  const operator = OPERATORS.get(code)?.[0];
  if (operator === undefined) throw new NotMangled(`operator ${code}`);
  cursor.at += 2;
  return nameNode(`operator${/^[a-z]/.test(operator) ? ' ' : ''}${operator.trimEnd()}`);
}

/** An index behind `Ul…E` and `Ut`, from 1. */
const readOrdinal = (cursor: Cursor) => readSequence(cursor, 10) + 1;

function readUnnamed(cursor: Cursor): CxxNode {
  if (accept(cursor, 'Ut')) return nameNode(`{unnamed type#${readOrdinal(cursor)}}`);
  expect(cursor, 'Ul');
  const before = cursor.inLambda;
  cursor.inLambda = true;
  const parameters = readUntil(cursor, 'E', readType);
  cursor.inLambda = before;
  const [only] = parameters;
  const none = parameters.length === 1 && only?.kind === 'name' && only.text === 'void';
  return { kind: 'lambda', parameters: none ? [] : parameters, index: readOrdinal(cursor) };
}

/** The last part of a name. `scope`: the class of a constructor. */
function readUnqualified(cursor: Cursor, scope: CxxNode | undefined, isEncoding: boolean): CxxNode {
  accept(cursor, 'L');
  const next = peek(cursor);
  const after = peek(cursor, 1);
  let node: CxxNode;
  if (next >= '0' && next <= '9') node = nameNode(readSourceName(cursor));
  else if (next === 'U') node = readUnnamed(cursor);
  else if (next === 'D' && after === 'C') {
    cursor.at += 2;
    node = nameNode(`[${readUntil(cursor, 'E', readSourceName).join(', ')}]`);
  } else if ((next === 'C' && /[1-5I]/.test(after)) || (next === 'D' && /[0-5]/.test(after))) {
    if (!scope) throw new NotMangled('a constructor without a class');
    cursor.at += 2;
    if (after === 'I') {
      cursor.at += 1;
      readType(cursor);
    }
    node = { kind: 'structor', of: scope, destroys: next === 'D' };
  } else node = readOperatorName(cursor, isEncoding);
  return readTags(cursor, node);
}

/** Template arguments of a name; those of a function's own name are what T_ stands for behind it. */
function withArguments(cursor: Cursor, base: CxxNode, isEncoding: boolean): CxxNode {
  const args = readTemplateArguments(cursor);
  if (isEncoding) cursor.templateArguments = args;
  return { kind: 'template', base, args };
}

/** Qualifiers of a member function, which stand in front of its name. */
export interface QualifiedName {
  readonly name: CxxNode;
  readonly qualifiers: string;
}

function readNested(cursor: Cursor, isEncoding: boolean): QualifiedName {
  expect(cursor, 'N');
  const qualifiers = readQualifiers(cursor);
  const reference = accept(cursor, 'R') ? ' &' : accept(cursor, 'O') ? ' &&' : '';
  let name: CxxNode | undefined;
  let remembered = false;
  while (!accept(cursor, 'E')) {
    const next = peek(cursor);
    if (next === '' || cursor.at >= cursor.text.length) throw new NotMangled('a nested name ends early');
    if (accept(cursor, 'M')) continue;
    remembered = true;
    if (next === 'I' && name) name = withArguments(cursor, name, isEncoding);
    else if (next === 'S' && !name) {
      name = readSubstitution(cursor);
      remembered = false;
      continue;
    } else if (next === 'T' && !name) name = readTemplateParameter(cursor);
    else if (next === 'D' && /[tT]/.test(peek(cursor, 1)) && !name) {
      name = readType(cursor);
      continue;
    } else {
      const part = readUnqualified(cursor, name, isEncoding);
      name = name ? { kind: 'nested', scope: name, name: part } : part;
    }
    cursor.substitutions.push(name);
  }
  if (!name) throw new NotMangled('an empty nested name');
  if (remembered) cursor.substitutions.pop();
  return { name, qualifiers: qualifiers + reference };
}

function skipDiscriminator(cursor: Cursor): void {
  const found = /^(?:__\d+_|_\d)/.exec(cursor.text.slice(cursor.at, cursor.at + 12));
  if (found) cursor.at += found[0].length;
}

function readLocal(cursor: Cursor, isEncoding: boolean): QualifiedName {
  expect(cursor, 'Z');
  const owner = readEncoding(cursor, 'body');
  expect(cursor, 'E');
  if (accept(cursor, 's')) {
    skipDiscriminator(cursor);
    return { name: { kind: 'local', function: owner, entity: nameNode('string literal') }, qualifiers: '' };
  }
  let scope: CxxNode = owner;
  if (accept(cursor, 'd')) {
    const entity = nameNode(`{default arg#${readSequence(cursor, 10) + 1}}`);
    scope = { kind: 'local', function: owner, entity };
  }
  const { name, qualifiers } = readQualifiedName(cursor, isEncoding);
  skipDiscriminator(cursor);
  return { name: { kind: 'local', function: scope, entity: name }, qualifiers };
}

/** A name with the qualifiers of the member function that it may be. */
export function readQualifiedName(cursor: Cursor, isEncoding: boolean): QualifiedName {
  return nested(cursor, () => {
    const next = peek(cursor);
    if (next === 'N') return readNested(cursor, isEncoding);
    if (next === 'Z') return readLocal(cursor, isEncoding);
    let name: CxxNode;
    let known = false;
    if (next === 'S' && peek(cursor, 1) !== 't') {
      name = readSubstitution(cursor);
      known = true;
    } else if (accept(cursor, 'St')) {
      name = { kind: 'nested', scope: std, name: readUnqualified(cursor, std, isEncoding) };
    } else name = readUnqualified(cursor, undefined, isEncoding);
    if (peek(cursor) !== 'I') return { name, qualifiers: '' };
    if (!known) cursor.substitutions.push(name);
    return { name: withArguments(cursor, name, isEncoding), qualifiers: '' };
  });
}

/** A name. `isEncoding`: it is a function's, whose template arguments T_ stands for behind it. */
export function readName(cursor: Cursor, isEncoding: boolean): CxxNode {
  return readQualifiedName(cursor, isEncoding).name;
}
