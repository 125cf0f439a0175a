import { getSystemErrorName } from 'node:util';
import type { MallctlAccess } from '../model/mallctl-keys/row.js';
import { MALLCTL_KEYS } from '../model/mallctl-keys.js';
import type { MallctlRead, MallctlWrite } from '../model/mallctl-outcome.js';
import { nearestName } from './nearest-name.js';

/** What the caller of a key, or jemkit's table, got wrong. */
export type MallctlTrouble = Exclude<
  MallctlRead<unknown> | MallctlWrite,
  { readonly kind: 'value' | 'unset' | 'done' | 'no-jemalloc' | 'absent' }
>;

/** A sentence, and what to type next. */
export interface MallctlExplanation {
  readonly message: string;
  readonly hint?: string;
}

/** The name of a key as its pattern, which is what a wrong name is compared with. */
const patternOf = (name: string) => name.replace(/(?<=\.)\d+(?=\.|$)/, '<i>').replace(/(?<=\.)\d+(?=\.|$)/, '<j>');

const MOST_NAMED = 3;

/** The keys that were probably meant: those that end as the given name does, then those a few letters away. */
export function nearestKeys(name: string): string[] {
  const pattern = patternOf(name);
  const keys = Object.keys(MALLCTL_KEYS);
  const found = new Set(keys.filter((key) => pattern.length >= 3 && key.endsWith(`.${pattern}`)));
  while (found.size < MOST_NAMED) {
    const nearest = nearestName(
      pattern,
      keys.filter((key) => !found.has(key)),
    );
    if (!nearest) break;
    found.add(nearest);
  }
  return [...found].slice(0, MOST_NAMED);
}

/** `did you mean 'a', 'b' or 'c'?`; undefined where nothing is near. */
export function didYouMean(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return `did you mean ${names
    .map((one) => `'${one}'`)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1')}?`;
}

const USES = {
  read: 'can only be read',
  'read-write': 'does not tell what it was when it is written',
  write: 'can only be written',
  trigger: 'holds no value: writing without one triggers it',
  call: 'is for C only',
} as const satisfies Record<MallctlAccess, string>;

function errorName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : `error ${errno}`;
}

/** What is wrong with using a key in this way. */
export function explainMallctl(name: string, trouble: MallctlTrouble): MallctlExplanation {
  switch (trouble.kind) {
    case 'unknown-key':
      return {
        message: `jemalloc has no key '${name}'`,
        hint: didYouMean(nearestKeys(name)) ?? 'jem ctl list shows all of them, as does docs/mallctl-keys.md',
      };
    case 'wrong-access':
      return { message: `'${name}' ${USES[trouble.access]}` };
    case 'refused':
      return { message: `jemkit leaves '${name}' alone: ${trouble.reason}` };
    case 'wrong-value':
      return { message: `'${name}' does not take this value: expected ${trouble.expected}` };
    case 'size-mismatch':
      return {
        message: `this jemalloc's '${name}' has another size than a ${trouble.type}${trouble.actualBytes ? ` (${trouble.actualBytes} bytes)` : ''}; nothing was done`,
        hint: 'please report it with the release, which jemalloc.read("version") gives',
      };
    case 'inexact':
      return {
        message: `'${name}' is ${trouble.exact}, which no number holds exactly`,
        hint: `jemalloc.readExact('${name}') gives it as bigint`,
      };
    case 'failed':
      return { message: `jemalloc did not accept this for '${name}' (${errorName(trouble.errno)})` };
  }
}
