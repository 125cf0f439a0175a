import { explainMallctl, type MallctlTrouble } from '../../analyses/explain-mallctl.js';
import { readMallctlName } from '../../analyses/mallctl-name.js';
import { JemkitError } from '../../errors.js';
import type { FoundMallctlKey } from '../../model/mallctl-keys.js';

/** A key as it was typed, and as jemalloc has it. */
export interface KeyArgument extends FoundMallctlKey {
  readonly typed: string;
  readonly name: string;
}

/** The key of a word. @throws JemkitError ERR_JEM_MALLCTL for a word that is none, with the nearest. */
export function parseKeyArgument(word: string): KeyArgument {
  const read = readMallctlName(word);
  if (read.kind === 'found') return { typed: word, name: read.name, ...read.found };
  throw new JemkitError('ERR_JEM_MALLCTL', read.message, {
    ...(read.hint && { hint: read.hint }),
    details: { key: word },
  });
}

/** The error for a use of a key that the table, or the process, refuses. */
export function keyError(name: string, trouble: MallctlTrouble, hint?: string): JemkitError {
  const explanation = explainMallctl(name, trouble);
  const advice = hint ?? (trouble.kind === 'inexact' ? undefined : explanation.hint);
  return new JemkitError('ERR_JEM_MALLCTL', explanation.message, {
    ...(advice && { hint: advice }),
    details: { key: name, ...trouble, ...('exact' in trouble && { exact: `${trouble.exact}` }) },
  });
}

/** A value for JSON: a number where one holds it exactly, else its digits as a text. */
export function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, jsonValue(part)]));
  return value;
}
