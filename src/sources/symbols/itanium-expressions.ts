import { accept, type Cursor, expect, NotMangled, nested, peek, readNumber, readUntil } from './itanium-cursor.js';
import { readEncoding } from './itanium-encodings.js';
import { readName, readSourceName } from './itanium-names.js';
import { type CxxNode, nameNode } from './itanium-nodes.js';
import { OPERATORS } from './itanium-operators.js';
import { readTemplateArguments, readTemplateParameter, readType } from './itanium-types.js';

/** `L…E`: a value, or a function by its symbol. */
export function readLiteral(cursor: Cursor): CxxNode {
  expect(cursor, 'L');
  if (accept(cursor, '_Z') || accept(cursor, 'Z')) {
    const target = readEncoding(cursor, 'literal');
    expect(cursor, 'E');
    return target;
  }
  const type = readType(cursor);
  const end = cursor.text.indexOf('E', cursor.at);
  if (end < 0) throw new NotMangled('a literal ends early');
  const digits = cursor.text.slice(cursor.at, end);
  cursor.at = end + 1;
  return { kind: 'literal', type, value: digits.startsWith('n') ? `-${digits.slice(1)}` : digits };
}

/** `fp_`, `fL0p_`: a parameter of the function whose type this is. */
function readFunctionParameter(cursor: Cursor): CxxNode {
  if (accept(cursor, 'fpT')) return nameNode('this');
  if (accept(cursor, 'fL')) readNumber(cursor);
  else expect(cursor, 'f');
  expect(cursor, 'p');
  while (/[rVK]/.test(peek(cursor))) cursor.at += 1;
  const index = readNumber(cursor);
  expect(cursor, '_');
  return nameNode(`{parm#${index === undefined ? 1 : index + 2}}`);
}

/** A name in an expression: what follows `on`, a plain one, or a destructor. */
function readUnresolvedPart(cursor: Cursor): CxxNode {
  let name: CxxNode;
  if (accept(cursor, 'on')) {
    const code = peek(cursor) + peek(cursor, 1);
    cursor.at += 2;
    const operator = OPERATORS.get(code)?.[0];
    if (operator === undefined) throw new NotMangled(`operator ${code}`);
    name = nameNode(`operator${operator.trimEnd()}`);
  } else if (accept(cursor, 'dn')) {
    const of = /\d/.test(peek(cursor)) ? nameNode(readSourceName(cursor)) : readType(cursor);
    name = { kind: 'row', parts: ['~', of] };
  } else name = nameNode(readSourceName(cursor));
  return peek(cursor) === 'I' ? { kind: 'template', base: name, args: readTemplateArguments(cursor) } : name;
}

/** Clang's form of a scope: parts up to an `E`, and the name behind it. Undefined where it is gcc's: a type. */
function readLevels(cursor: Cursor): CxxNode | undefined {
  const { at } = cursor;
  const known = cursor.substitutions.length;
  let scope: CxxNode | undefined;
  while (/\d/.test(peek(cursor))) {
    const part = readUnresolvedPart(cursor);
    scope = scope ? { kind: 'nested', scope, name: part } : part;
  }
  if (scope && accept(cursor, 'E') && /\d|[od]/.test(peek(cursor))) return scope;
  cursor.at = at;
  cursor.substitutions.length = known;
  return undefined;
}

function readScoped(cursor: Cursor): CxxNode {
  expect(cursor, 'sr');
  let scope = readLevels(cursor);
  if (!scope && accept(cursor, 'N')) {
    scope = readType(cursor);
    while (!accept(cursor, 'E')) scope = { kind: 'nested', scope, name: readUnresolvedPart(cursor) };
  }
  scope ??= readType(cursor);
  return { kind: 'nested', scope, name: readUnresolvedPart(cursor) };
}

const NAMED_CASTS: Readonly<Record<string, string>> = {
  cc: 'const_cast',
  dc: 'dynamic_cast',
  rc: 'reinterpret_cast',
  sc: 'static_cast',
};

function readConversion(cursor: Cursor): CxxNode {
  const type = readType(cursor);
  const args = accept(cursor, '_') ? readUntil(cursor, 'E', readExpression) : [readExpression(cursor)];
  return { kind: 'cast', type, args };
}

function readNew(cursor: Cursor, text: string): CxxNode {
  const placement = readUntil(cursor, '_', readExpression);
  const type = readType(cursor);
  const parts: (string | CxxNode)[] = [text, ' '];
  if (placement.length > 0) parts.push('(', { kind: 'pack', nodes: placement }, ') ');
  parts.push(type);
  if (accept(cursor, 'pi')) parts.push('(', { kind: 'pack', nodes: readUntil(cursor, 'E', readExpression) }, ')');
  else if (!accept(cursor, 'E')) parts.push(readExpression(cursor));
  return { kind: 'row', parts };
}

/** An expression, as template arguments and decltype have them. */
export function readExpression(cursor: Cursor): CxxNode {
  return nested(cursor, () => readExpressionHere(cursor));
}

function readExpressionHere(cursor: Cursor): CxxNode {
  const next = peek(cursor);
  const code = next + peek(cursor, 1);
  if (next === 'L') return readLiteral(cursor);
  if (next === 'T') return readTemplateParameter(cursor);
  if (/\d/.test(next)) return readUnresolvedPart(cursor);
  if (code === 'fp' || code === 'fL') return readFunctionParameter(cursor);
  switch (code) {
    case 'sr':
      return readScoped(cursor);
    case 'on':
    case 'dn':
      return readUnresolvedPart(cursor);
    case 'gs':
      cursor.at += 2;
      return { kind: 'row', parts: ['::', readExpression(cursor)] };
    case 'sp':
      cursor.at += 2;
      return { kind: 'expansion', pattern: readExpression(cursor) };
    case 'il':
      cursor.at += 2;
      return { kind: 'list', type: undefined, args: readUntil(cursor, 'E', readExpression) };
    case 'tl': {
      cursor.at += 2;
      const type = readType(cursor);
      return { kind: 'list', type, args: readUntil(cursor, 'E', readExpression) };
    }
    case 'cv':
      cursor.at += 2;
      return readConversion(cursor);
    case 'cl': {
      cursor.at += 2;
      const callee = readExpression(cursor);
      return { kind: 'call', callee, args: readUntil(cursor, 'E', readExpression) };
    }
    case 'st':
    case 'at':
    case 'ti': {
      cursor.at += 2;
      const text = code === 'st' ? 'sizeof ' : code === 'at' ? 'alignof ' : 'typeid ';
      return { kind: 'row', parts: [text, '(', readType(cursor), ')'] };
    }
    case 'sZ':
      cursor.at += 2;
      return {
        kind: 'pack-size',
        of: peek(cursor) === 'T' ? readTemplateParameter(cursor) : readFunctionParameter(cursor),
      };
    case 'nx':
      cursor.at += 2;
      return { kind: 'row', parts: ['noexcept(', readExpression(cursor), ')'] };
    case 'tr':
      cursor.at += 2;
      return nameNode('throw');
    case 'nw':
    case 'na':
      cursor.at += 2;
      return readNew(cursor, code === 'nw' ? 'new' : 'new[]');
    case 'dt':
    case 'pt': {
      cursor.at += 2;
      const left = readExpression(cursor);
      const right = /\d/.test(peek(cursor)) ? readUnresolvedPart(cursor) : readExpression(cursor);
      return { kind: 'binary', operator: code === 'dt' ? '.' : '->', left, right };
    }
  }
  const cast = NAMED_CASTS[code];
  if (cast !== undefined) {
    cursor.at += 2;
    const type = readType(cursor);
    return { kind: 'named-cast', name: cast, type, operand: readExpression(cursor) };
  }
  const operator = OPERATORS.get(code);
  if (!operator) return readName(cursor, false);
  cursor.at += 2;
  const [text, operands] = operator;
  if (operands === 1) {
    if (code === 'pp' || code === 'mm') accept(cursor, '_');
    return { kind: 'unary', operator: text, operand: readExpression(cursor) };
  }
  const left = readExpression(cursor);
  const right = readExpression(cursor);
  if (code === 'qu') return { kind: 'conditional', parts: [left, right, readExpression(cursor)] };
  return { kind: 'binary', operator: text, left, right };
}
