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
import { readExpression, readLiteral } from './itanium-expressions.js';
import { readName, readSubstitution } from './itanium-names.js';
import { type CxxNode, nameNode } from './itanium-nodes.js';

const BUILTIN: Readonly<Record<string, string>> = {
  a: 'signed char',
  b: 'bool',
  c: 'char',
  d: 'double',
  e: 'long double',
  f: 'float',
  g: '__float128',
  h: 'unsigned char',
  i: 'int',
  j: 'unsigned int',
  l: 'long',
  m: 'unsigned long',
  n: '__int128',
  o: 'unsigned __int128',
  s: 'short',
  t: 'unsigned short',
  v: 'void',
  w: 'wchar_t',
  x: 'long long',
  y: 'unsigned long long',
  z: '...',
};

const BUILTIN_D: Readonly<Record<string, string>> = {
  a: 'auto',
  c: 'decltype(auto)',
  d: 'decimal64',
  e: 'decimal128',
  f: 'decimal32',
  h: 'half',
  i: 'char32_t',
  n: 'decltype(nullptr)',
  s: 'char16_t',
  u: 'char8_t',
};

const QUALIFIERS: Readonly<Record<string, string>> = { r: ' restrict', V: ' volatile', K: ' const' };
const POINTERS = { P: '*', R: '&', O: '&&' } as const;

/** `rVK` in this order; what stands last in the symbol is nearest to the type. */
export function readQualifiers(cursor: Cursor): string {
  let text = '';
  for (let next = QUALIFIERS[peek(cursor)]; next !== undefined; next = QUALIFIERS[peek(cursor)]) {
    text = next + text;
    cursor.at += 1;
  }
  return text;
}

/** Function types: their parameters, without the `void` that stands for none. */
export function readParameters(cursor: Cursor, ends: (cursor: Cursor) => boolean): CxxNode[] {
  const parameters: CxxNode[] = [];
  while (!ends(cursor)) parameters.push(readType(cursor));
  const [only] = parameters;
  return parameters.length === 1 && only?.kind === 'name' && only.text === 'void' ? [] : parameters;
}

function readFunctionType(cursor: Cursor, qualifiers: string): CxxNode {
  let exception = '';
  if (accept(cursor, 'Do')) exception = ' noexcept';
  accept(cursor, 'Dx');
  expect(cursor, 'F');
  accept(cursor, 'Y');
  const returns = readType(cursor);
  const parameters = readParameters(cursor, () => /^[RO]?E/.test(cursor.text.slice(cursor.at, cursor.at + 2)));
  const reference = accept(cursor, 'R') ? ' &' : accept(cursor, 'O') ? ' &&' : '';
  expect(cursor, 'E');
  return { kind: 'function-type', returns, parameters, qualifiers: qualifiers + reference + exception };
}

function readArray(cursor: Cursor): CxxNode {
  expect(cursor, 'A');
  const count = readNumber(cursor);
  const size = count !== undefined ? nameNode(`${count}`) : peek(cursor) === '_' ? undefined : readExpression(cursor);
  expect(cursor, '_');
  return { kind: 'array', of: readType(cursor), size };
}

function readVector(cursor: Cursor): CxxNode {
  const count = readNumber(cursor);
  const size = count !== undefined ? nameNode(`${count}`) : accept(cursor, '_') ? readExpression(cursor) : nameNode('');
  expect(cursor, '_');
  return { kind: 'suffixed', type: readType(cursor), suffix: [' __vector(', size, ')'] };
}

/** `T_`, `T0_`: what the template was given. */
export function readTemplateParameter(cursor: Cursor): CxxNode {
  expect(cursor, 'T');
  return parameterAt(cursor, readSequence(cursor, 10));
}

export function parameterAt(cursor: Cursor, index: number): CxxNode {
  const later = cursor.inConversion || cursor.inLambda;
  const target = { node: later ? undefined : cursor.templateArguments[index] };
  if (later) cursor.forward.push({ index, target, optional: cursor.inLambda });
  else if (!target.node) throw new NotMangled('a template parameter without an argument');
  return { kind: 'parameter', index, target, ofLambda: cursor.inLambda };
}

/** `<…>` behind a name. */
export function readTemplateArguments(cursor: Cursor): CxxNode[] {
  expect(cursor, 'I');
  return readUntil(cursor, 'E', readTemplateArgument);
}

function readTemplateArgument(cursor: Cursor): CxxNode {
  return nested(cursor, () => {
    switch (peek(cursor)) {
      case 'X': {
        cursor.at += 1;
        const expression = readExpression(cursor);
        expect(cursor, 'E');
        return expression;
      }
      case 'L':
        return readLiteral(cursor);
      case 'I':
      case 'J':
        cursor.at += 1;
        return { kind: 'pack', nodes: readUntil(cursor, 'E', readTemplateArgument) };
      default:
        return readType(cursor);
    }
  });
}

function remember(cursor: Cursor, node: CxxNode): CxxNode {
  cursor.substitutions.push(node);
  return node;
}

function readD(cursor: Cursor): CxxNode {
  const code = peek(cursor, 1);
  switch (code) {
    case 't':
    case 'T': {
      cursor.at += 2;
      const expression = readExpression(cursor);
      expect(cursor, 'E');
      return remember(cursor, { kind: 'decltype', expression });
    }
    case 'p':
      cursor.at += 2;
      return remember(cursor, { kind: 'expansion', pattern: readType(cursor) });
    case 'v':
      cursor.at += 2;
      return remember(cursor, readVector(cursor));
    case 'o':
    case 'x':
      return remember(cursor, readFunctionType(cursor, ''));
    case 'F': {
      cursor.at += 2;
      const bits = readNumber(cursor);
      const mark = accept(cursor, 'x') ? 'x' : '';
      accept(cursor, 'b');
      accept(cursor, '_');
      return nameNode(`_Float${bits ?? ''}${mark}`);
    }
  }
  const name = BUILTIN_D[code];
  if (name === undefined) throw new NotMangled(`type D${code}`);
  cursor.at += 2;
  return nameNode(name);
}

/** A type. */
export function readType(cursor: Cursor): CxxNode {
  return nested(cursor, () => readTypeHere(cursor));
}

function readTypeHere(cursor: Cursor): CxxNode {
  const next = peek(cursor);
  const builtin = BUILTIN[next];
  if (builtin !== undefined) {
    cursor.at += 1;
    return nameNode(builtin);
  }
  switch (next) {
    case 'r':
    case 'V':
    case 'K': {
      const qualifiers = readQualifiers(cursor);
      if (peek(cursor) === 'F') return remember(cursor, readFunctionType(cursor, qualifiers));
      return remember(cursor, { kind: 'qualified', type: readType(cursor), qualifiers });
    }
    case 'P':
    case 'R':
    case 'O':
      cursor.at += 1;
      return remember(cursor, { kind: 'pointer', to: readType(cursor), mark: POINTERS[next] });
    case 'F':
      return remember(cursor, readFunctionType(cursor, ''));
    case 'A':
      return remember(cursor, readArray(cursor));
    case 'M': {
      cursor.at += 1;
      const of = readType(cursor);
      return remember(cursor, { kind: 'member-pointer', of, member: readType(cursor) });
    }
    case 'C':
    case 'G': {
      cursor.at += 1;
      const suffix = [next === 'C' ? ' _Complex' : ' _Imaginary'];
      return remember(cursor, { kind: 'suffixed', type: readType(cursor), suffix });
    }
    case 'D':
      return readD(cursor);
    case 'u':
      cursor.at += 1;
      return remember(cursor, readName(cursor, false));
    case 'U': {
      cursor.at += 1;
      const qualifier = readName(cursor, false);
      return remember(cursor, { kind: 'suffixed', type: readType(cursor), suffix: [' ', qualifier] });
    }
    case 'T': {
      if (/[sue]/.test(peek(cursor, 1))) cursor.at += 2;
      else {
        const parameter = remember(cursor, readTemplateParameter(cursor));
        if (peek(cursor) !== 'I') return parameter;
        return remember(cursor, { kind: 'template', base: parameter, args: readTemplateArguments(cursor) });
      }
      break;
    }
    case 'S':
      if (peek(cursor, 1) !== 't') {
        const known = readSubstitution(cursor);
        if (peek(cursor) !== 'I') return known;
        return remember(cursor, { kind: 'template', base: known, args: readTemplateArguments(cursor) });
      }
  }
  return remember(cursor, readName(cursor, false));
}
