import { JemkitError } from '../../errors.js';

/** A value of the statistics' JSON and where it stands, for messages. */
export interface StatsNode {
  readonly path: string;
  readonly value: unknown;
}

/** The texts that come from outside jemalloc. It does not escape what it writes, so that a quote or a backslash in them breaks the JSON. */
const FREE_TEXT =
  /("(?:malloc_conf|global_var|symlink|env_var|prof_prefix|stats_print_opts|stats_interval_opts|name)"\s*:\s*)"([\s\S]*?)"(?=\s*,\s*"\w+"\s*:|\s*\})/g;

function excerptAt(text: string, error: SyntaxError): string {
  const position = Number(/position (\d+)/.exec(error.message)?.[1] ?? Number.NaN);
  if (Number.isNaN(position)) return JSON.stringify(text.slice(-40));
  return `${JSON.stringify(text.slice(Math.max(0, position - 20), position + 20))} at character ${position}`;
}

function malformed(what: string, details: Readonly<Record<string, unknown>> = {}): JemkitError {
  return new JemkitError('ERR_JEM_STATS_FORMAT', `jemalloc's statistics cannot be read: ${what}`, {
    hint: 'jem stats --raw prints what jemalloc itself writes',
    details,
  });
}

/** Parses the text as JSON, with the texts escaped that jemalloc does not escape. */
export function parseStatsText(text: string): StatsNode {
  const parse = (json: string) => ({ path: '', value: JSON.parse(json) as unknown });
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    try {
      return parse(text.replace(FREE_TEXT, (_, key: string, inner: string) => key + JSON.stringify(inner)));
    } catch {
      throw malformed(text.trim() === '' ? 'it wrote nothing' : `no JSON: ${excerptAt(text, error)}`);
    }
  }
}

function wrongType({ path, value }: StatsNode, expected: string): JemkitError {
  const received = JSON.stringify(value)?.slice(0, 60);
  return malformed(`${path || 'the whole'} is ${received}, expected ${expected}`, { path, expected });
}

function children(node: StatsNode): Readonly<Record<string, unknown>> {
  const { value } = node;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(node, 'an object');
  return value as Readonly<Record<string, unknown>>;
}

/** What an object has under a name; undefined where it does not have it. */
export function childOf(node: StatsNode | undefined, key: string): StatsNode | undefined {
  if (node === undefined) return undefined;
  const object = children(node);
  return Object.hasOwn(object, key) ? { path: node.path ? `${node.path}.${key}` : key, value: object[key] } : undefined;
}

/** An object's names with what they stand for; none where there is no object. */
export function entriesOf(node: StatsNode | undefined): ReadonlyArray<readonly [key: string, child: StatsNode]> {
  if (node === undefined) return [];
  return Object.entries(children(node)).map(([key, value]) => [key, { path: `${node.path}.${key}`, value }]);
}

/** The elements of a list; undefined where there is none. */
export function elementsOf(node: StatsNode | undefined): StatsNode[] | undefined {
  if (node === undefined) return undefined;
  if (!Array.isArray(node.value)) throw wrongType(node, 'a list');
  return node.value.map((value, at) => ({ path: `${node.path}[${at}]`, value }));
}

/** A whole number; -1 and the like only where `signed`. Undefined where it is absent or above what a number holds exactly, as one is that was read while it fell below 0. */
export function numberOf(
  node: StatsNode | undefined,
  key: string,
  signed: 'signed' | 'count' = 'count',
): number | undefined {
  const child = childOf(node, key);
  if (child === undefined) return undefined;
  const { value } = child;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(child, 'a whole number');
  if (value < 0 && signed === 'count') throw wrongType(child, 'a number from 0 on');
  return Number.isSafeInteger(value) ? value : undefined;
}

/** What a size class is made of. The largest sizes are above 2^53, and few enough bits long that a number holds them all the same. */
export function sizeOf(node: StatsNode, key: string): number {
  const child = childOf(node, key);
  if (child === undefined) throw malformed(`${node.path} has no ${key}`, { path: node.path, expected: key });
  const { value } = child;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw wrongType(child, 'a size');
  return value;
}

/** A text; undefined where it is absent. */
export function textOf(node: StatsNode | undefined, key: string): string | undefined {
  const child = childOf(node, key);
  if (child === undefined) return undefined;
  if (typeof child.value !== 'string') throw wrongType(child, 'a text');
  return child.value;
}

/** The error for a list that is longer than the table of its sizes. */
export function tooManyRows(node: StatsNode, sizes: number): JemkitError {
  return malformed(`${node.path} has more rows than there are size classes (${sizes})`, { path: node.path, sizes });
}
