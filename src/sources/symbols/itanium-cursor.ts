import type { CxxNode } from './itanium-nodes.js';

/** The symbol is none, or not of a form that is known. */
export class NotMangled extends Error {}

/** A template parameter whose argument stands further on. */
interface ForwardParameter {
  readonly index: number;
  readonly target: { node: CxxNode | undefined };
  /** In a lambda there may be none. */
  readonly optional: boolean;
}

/** A symbol while it is read, and what later parts of it may refer to. */
export interface Cursor {
  readonly text: string;
  at: number;
  readonly substitutions: CxxNode[];
  /** What T_ stands for at this place. */
  templateArguments: readonly CxxNode[];
  /** Parameters that were named before the arguments they stand for. */
  forward: ForwardParameter[];
  /** Inside the type of a conversion operator, whose template arguments come after it. */
  inConversion: boolean;
  inLambda: boolean;
  depth: number;
}

const MAX_DEPTH = 300;

export function openCursor(text: string, at: number): Cursor {
  return {
    text,
    at,
    substitutions: [],
    templateArguments: [],
    forward: [],
    inConversion: false,
    inLambda: false,
    depth: 0,
  };
}

export const peek = (cursor: Cursor, ahead = 0): string => cursor.text[cursor.at + ahead] ?? '';

/** Takes `text` if it is next. */
export function accept(cursor: Cursor, text: string): boolean {
  if (!cursor.text.startsWith(text, cursor.at)) return false;
  cursor.at += text.length;
  return true;
}

export function expect(cursor: Cursor, text: string): void {
  if (!accept(cursor, text)) throw new NotMangled(`${text} expected at ${cursor.at}`);
}

/** Decimal digits; undefined where there is none. */
export function readNumber(cursor: Cursor): number | undefined {
  const from = cursor.at;
  while (peek(cursor) >= '0' && peek(cursor) <= '9') cursor.at += 1;
  return cursor.at === from ? undefined : Number(cursor.text.slice(from, cursor.at));
}

/** `_` is 0, `<digits in the base>_` is one more than the number. */
export function readSequence(cursor: Cursor, base: 10 | 36): number {
  const end = cursor.text.indexOf('_', cursor.at);
  const digits = end < 0 ? '?' : cursor.text.slice(cursor.at, end);
  if (!(base === 36 ? /^[0-9A-Z]{0,8}$/ : /^\d{0,8}$/).test(digits)) throw new NotMangled('a number expected');
  cursor.at = end + 1;
  return digits === '' ? 0 : Number.parseInt(digits, base) + 1;
}

/** Reads `what` until `end`, which is taken too. */
export function readUntil<T>(cursor: Cursor, end: string, what: (cursor: Cursor) => T): T[] {
  const list: T[] = [];
  while (!accept(cursor, end)) {
    if (cursor.at >= cursor.text.length) throw new NotMangled(`${end} expected`);
    list.push(what(cursor));
  }
  return list;
}

/** Nothing real is nested so deep, and the stack of calls has an end. */
export function nested<T>(cursor: Cursor, read: () => T): T {
  if (cursor.depth >= MAX_DEPTH) throw new NotMangled('nested too deeply');
  cursor.depth += 1;
  const result = read();
  cursor.depth -= 1;
  return result;
}
