import { NotMangled } from './itanium-cursor.js';
import type { CxxNode, FunctionNode, ParameterNode } from './itanium-nodes.js';

/** How names are written, and where in a pack the printing is. */
interface Style {
  readonly full: boolean;
  /** -1: outside of an expansion. */
  packIndex: number;
  inLambda: boolean;
  steps: number;
}

/** References to earlier parts can make a short symbol into an endless name. */
const MAX_STEPS = 20_000;
const MAX_LENGTH = 50_000;

const isOfLambda = (node: ParameterNode, style: Style) => style.inLambda && node.ofLambda;

/** What a parameter stands for; in an expansion the element of its pack whose turn it is. */
function target(node: CxxNode, style: Style): CxxNode {
  let found = node;
  for (let hops = 0; found.kind === 'parameter' && found.target.node && !isOfLambda(found, style); hops++) {
    if (hops > 100) throw new NotMangled('a parameter that is itself');
    found = found.target.node;
    if (found.kind === 'pack' && style.packIndex >= 0) found = found.nodes[style.packIndex] ?? found;
  }
  return found;
}

/** The first pack in what an expansion repeats. */
function findPack(node: CxxNode, depth = 0): Extract<CxxNode, { kind: 'pack' }> | undefined {
  if (depth > 100 || node.kind === 'expansion') return undefined;
  if (node.kind === 'parameter') return node.target.node?.kind === 'pack' ? node.target.node : undefined;
  for (const value of Object.values(node)) {
    for (const part of Array.isArray(value) ? value : [value]) {
      if (typeof part !== 'object' || part === null || !('kind' in part)) continue;
      const found = findPack(part as CxxNode, depth + 1);
      if (found) return found;
    }
  }
  return undefined;
}

/** Packs may be empty; no comma stands for them. */
function list(nodes: readonly CxxNode[], style: Style): string {
  return nodes
    .map((node) => text(node, style))
    .filter((part) => part !== '')
    .join(', ');
}

function expansion(pattern: CxxNode, style: Style): string {
  const pack = findPack(pattern);
  if (!pack) return `${text(pattern, style)}...`;
  const before = style.packIndex;
  const parts = pack.nodes.map((_, index) => {
    style.packIndex = index;
    return text(pattern, style);
  });
  style.packIndex = before;
  return parts.filter((part) => part !== '').join(', ');
}

function template(base: CxxNode, args: readonly CxxNode[], style: Style): string {
  const name = text(base, style);
  if (!style.full) return name;
  const parts = args.map((arg) => text(arg, style));
  const inside = parts.filter((part) => part !== '').join(', ');
  // c++filt keeps `> >` apart, but not where an empty pack stands last.
  const apart = parts.at(-1)?.endsWith('>') ? ' ' : '';
  return `${name}${name.endsWith('<') ? ' ' : ''}<${inside}${apart}>`;
}

/** The name of a class as its constructors have it: without scope and arguments. */
function plainName(node: CxxNode, style: Style): string {
  const found = target(node, style);
  switch (found.kind) {
    case 'nested':
      return plainName(found.name, style);
    case 'template':
    case 'tagged':
      return plainName(found.base, style);
    case 'local':
      return plainName(found.entity, style);
    default:
      return text(found, style);
  }
}

const parenthesized = (nodes: readonly CxxNode[], style: Style) => `(${list(nodes, style)})`;

function lambdaParameters(parameters: readonly CxxNode[], style: Style): string {
  const before = style.inLambda;
  style.inLambda = true;
  const made = parenthesized(parameters, style);
  style.inLambda = before;
  return made;
}

function functionText({ name, returns, parameters, qualifiers }: FunctionNode, style: Style): string {
  if (!style.full) return text(name, style);
  const own = `${text(name, style)}${parenthesized(parameters, style)}${qualifiers}`;
  if (!returns) return own;
  const right = rightOf(returns, style);
  return `${leftOf(returns, style)}${right === '' ? ' ' : ''}${own}${right}`;
}

const SUFFIXES: Readonly<Record<string, string>> = {
  int: '',
  'unsigned int': 'u',
  long: 'l',
  'unsigned long': 'ul',
  'long long': 'll',
  'unsigned long long': 'ull',
};

function literal(type: CxxNode, value: string, style: Style): string {
  const name = text(type, style);
  if (name === 'bool' && value === '0') return 'false';
  if (name === 'bool' && value === '1') return 'true';
  const suffix = SUFFIXES[name];
  return suffix === undefined ? `(${name})${value}` : value + suffix;
}

/** An operand: in parentheses unless it is a name. */
function operand(node: CxxNode, style: Style): string {
  const found = target(node, style);
  const simple = ['name', 'nested', 'list', 'tagged'].includes(found.kind);
  return simple ? text(found, style) : `(${text(found, style)})`;
}

/** The address of a function is written without its parameters. */
function pointee(node: CxxNode, style: Style): string {
  const found = target(node, style);
  return found.kind === 'function' && found.name.kind === 'nested' ? text(found.name, style) : operand(found, style);
}

function joined(parts: readonly (string | CxxNode)[], style: Style): string {
  return parts.map((part) => (typeof part === 'string' ? part : text(part, style))).join('');
}

function isOf(node: CxxNode, kind: CxxNode['kind'], style: Style): boolean {
  const found = target(node, style);
  return found.kind === kind || (found.kind === 'qualified' && isOf(found.type, kind, style));
}

/** A reference to a reference is one: `&&` only where both are. */
function collapsed(node: Extract<CxxNode, { kind: 'pointer' }>, style: Style): readonly [to: CxxNode, mark: string] {
  let { to, mark } = node;
  for (let inner = target(to, style); mark !== '*' && inner.kind === 'pointer' && inner.mark !== '*'; ) {
    if (inner.mark === '&') mark = '&';
    to = inner.to;
    inner = target(to, style);
  }
  return [to, mark];
}

/** What stands before the name of something of this type. */
function leftOf(node: CxxNode, style: Style): string {
  const found = target(node, style);
  switch (found.kind) {
    case 'pointer': {
      const [to, mark] = collapsed(found, style);
      const isArray = isOf(to, 'array', style);
      const wrapped = isArray || isOf(to, 'function-type', style);
      return `${leftOf(to, style)}${isArray ? ' ' : ''}${wrapped ? '(' : ''}${mark}`;
    }
    case 'member-pointer':
      return `${leftOf(found.member, style)}${isOf(found.member, 'function-type', style) ? '(' : ' '}${text(found.of, style)}::*`;
    case 'qualified': {
      // What a template's argument has already is not said twice.
      const left = leftOf(found.type, style);
      return left.endsWith(found.qualifiers) ? left : left + found.qualifiers;
    }
    case 'function-type':
      if (!found.returns) return '';
      return `${leftOf(found.returns, style)}${rightOf(found.returns, style) === '' ? ' ' : ''}`;
    case 'array':
      return leftOf(found.of, style);
    default:
      return text(found, style);
  }
}

/** What stands behind it. */
function rightOf(node: CxxNode, style: Style): string {
  const found = target(node, style);
  switch (found.kind) {
    case 'pointer': {
      const [to] = collapsed(found, style);
      const wrapped = isOf(to, 'array', style) || isOf(to, 'function-type', style);
      return `${wrapped ? ')' : ''}${rightOf(to, style)}`;
    }
    case 'member-pointer':
      return `${isOf(found.member, 'function-type', style) ? ')' : ''}${rightOf(found.member, style)}`;
    case 'qualified':
      return rightOf(found.type, style);
    case 'function-type':
      return `${parenthesized(found.parameters, style)}${found.qualifiers}${found.returns ? rightOf(found.returns, style) : ''}`;
    case 'array': {
      const inner = rightOf(found.of, style);
      return ` [${found.size ? text(found.size, style) : ''}]${inner.startsWith(' [') ? inner.slice(1) : inner}`;
    }
    default:
      return '';
  }
}

function text(node: CxxNode, style: Style): string {
  style.steps += 1;
  if (style.steps > MAX_STEPS) throw new NotMangled('too long');
  const made = textHere(node, style);
  if (made.length > MAX_LENGTH) throw new NotMangled('too long');
  return made;
}

function textHere(node: CxxNode, style: Style): string {
  switch (node.kind) {
    case 'name':
      return node.text;
    case 'nested':
      return `${text(node.scope, style)}::${text(node.name, style)}`;
    case 'template':
      return template(node.base, node.args, style);
    case 'tagged':
      return `${text(node.base, style)}[abi:${node.tag}]`;
    case 'structor':
      return `${node.destroys ? '~' : ''}${plainName(node.of, style)}`;
    case 'conversion':
      return `operator ${text(node.type, style)}`;
    case 'lambda':
      return `{lambda${style.full ? lambdaParameters(node.parameters, style) : ''}#${node.index}}`;
    case 'local':
      return `${text(node.function, style)}::${text(node.entity, style)}`;
    case 'function':
      return functionText(node, style);
    case 'special':
      return `${node.prefix}${text(node.of, style)}${node.suffix ? `-in-${text(node.suffix, style)}` : ''}`;
    case 'clone':
      return `${text(node.of, style)} [clone ${node.suffix}]`;
    case 'pack':
    case 'parameter': {
      const found = target(node, style);
      if (found.kind === 'parameter') return `auto:${found.index + 1}`;
      return found.kind === 'pack' ? list(found.nodes, style) : text(found, style);
    }
    case 'expansion':
      return expansion(node.pattern, style);
    case 'suffixed':
      return text(node.type, style) + joined(node.suffix, style);
    case 'literal':
      return literal(node.type, node.value, style);
    case 'unary':
      return `${node.operator}${node.operator === '&' ? pointee(node.operand, style) : operand(node.operand, style)}`;
    case 'binary': {
      const made = `${operand(node.left, style)}${node.operator}${operand(node.right, style)}`;
      return node.operator === '>' ? `(${made})` : made;
    }
    case 'conditional': {
      const [test, yes, no] = node.parts;
      return `${operand(test, style)}?${operand(yes, style)} : ${operand(no, style)}`;
    }
    case 'call':
      return `${operand(node.callee, style)}${parenthesized(node.args, style)}`;
    case 'cast':
      return `(${text(node.type, style)})${parenthesized(node.args, style)}`;
    case 'named-cast':
      return `${node.name}<${text(node.type, style)}>(${text(node.operand, style)})`;
    case 'list':
      return `${node.type ? text(node.type, style) : ''}{${list(node.args, style)}}`;
    case 'decltype':
      return `decltype (${text(node.expression, style)})`;
    case 'pack-size': {
      const pack = findPack(node.of);
      return pack ? `${pack.nodes.length}` : `sizeof...(${text(node.of, style)})`;
    }
    case 'row':
      return joined(node.parts, style);
    default:
      return leftOf(node, style) + rightOf(node, style);
  }
}

/** The name as c++filt writes it; `full: false` leaves out parameters, what is returned and template arguments. */
export function printCxxName(node: CxxNode, full: boolean): string {
  return text(node, { full, packIndex: -1, inLambda: false, steps: 0 });
}
