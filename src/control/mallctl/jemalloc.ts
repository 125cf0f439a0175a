import { constants } from 'node:os';
import { nearestName } from '../../analyses/nearest-name.js';
import { JemkitError } from '../../errors.js';
import type { MallctlAccess } from '../../model/mallctl-keys/row.js';
import {
  type BareName,
  MALLCTL_KEYS,
  type MallctlInput,
  type MallctlValue,
  type NumericName,
  type ReadableName,
  type UpdatableName,
  type WritableName,
} from '../../model/mallctl-keys.js';
import type { MallctlRead, MallctlWrite } from '../../model/mallctl-outcome.js';
import {
  readMallctl,
  readMallctlExact,
  readMallctlNumber,
  refreshMallctl,
} from '../../sources/mallctl/read-mallctl.js';
import { updateMallctl, writeMallctl } from './write-mallctl.js';

type Trouble = Exclude<
  MallctlRead<unknown> | MallctlWrite,
  { readonly kind: 'value' | 'unset' | 'done' | 'no-jemalloc' | 'absent' }
>;

const errorName = (errno: number) =>
  Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `error ${errno}`;

/** The name of a key as its pattern, which is what a wrong name is compared with. */
const patternOf = (name: string) => name.replace(/(?<=\.)\d+(?=\.|$)/, '<i>').replace(/(?<=\.)\d+(?=\.|$)/, '<j>');

const USES = {
  read: 'can only be read',
  'read-write': 'does not tell what it was when it is written',
  write: 'can only be written',
  trigger: 'holds no value: writing without one triggers it',
  call: 'is for C only',
} as const satisfies Record<MallctlAccess, string>;

function explain(name: string, trouble: Trouble): { message: string; hint?: string } {
  switch (trouble.kind) {
    case 'unknown-key': {
      const nearest = nearestName(patternOf(name), Object.keys(MALLCTL_KEYS));
      return {
        message: `jemalloc has no key '${name}'`,
        hint: nearest ? `did you mean '${nearest}'?` : 'docs/mallctl-keys.md lists all of them',
      };
    }
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

/** The error for what the caller, or jemkit's table, got wrong. */
function mallctlError(name: string, trouble: Trouble): JemkitError {
  const { message, hint } = explain(name, trouble);
  return new JemkitError('ERR_JEM_MALLCTL', message, {
    ...(hint && { hint }),
    // As text: details are printed as JSON, which has no bigint.
    details: { key: name, ...trouble, ...('exact' in trouble && { exact: `${trouble.exact}` }) },
  });
}

function valueOrThrow<Value>(
  name: string,
  read: MallctlRead<Value> | Extract<MallctlWrite, { kind: 'wrong-value' }>,
): Value | undefined {
  if (read.kind === 'value') return read.value;
  if (read.kind === 'no-jemalloc' || read.kind === 'absent' || read.kind === 'unset') return undefined;
  throw mallctlError(name, read);
}

/** Writes a key; without a value, triggers it. */
interface Write {
  <Name extends WritableName>(name: Name, value: MallctlInput<Name>): boolean;
  (name: BareName): boolean;
}

/**
 * This process's jemalloc by its mallctl keys (`docs/mallctl-keys.md`), each with its type. Without jemalloc, and for keys this release or build does
 * not have, reading gives undefined and writing false.
 *
 * @throws JemkitError ERR_JEM_MALLCTL for an unknown key or one without its index, a key that is not for this, or a value jemalloc does not take.
 *
 * @example
 * jemalloc.refresh();
 * jemalloc.read('stats.allocated'); // number, bytes
 * jemalloc.read('stats.arenas.4096.small.nmalloc'); // bigint
 * jemalloc.write('arenas.dirty_decay_ms', 5000);
 * jemalloc.write('arena.4096.purge');
 */
export const jemalloc = {
  /** A value as of the last refresh: 64-bit counters bigint, sizes number, both exact. */
  read: <Name extends ReadableName>(name: Name): MallctlValue<Name> | undefined =>
    valueOrThrow(name, readMallctl(name)),
  /** Any number as bigint. */
  readExact: (name: NumericName): bigint | undefined => valueOrThrow(name, readMallctlExact(name)),
  /** Any number as the nearest double: exact up to 2^53. */
  readNumber: (name: NumericName): number | undefined => valueOrThrow(name, readMallctlNumber(name)),
  /** Takes statistics anew (10 to 40 µs); false without jemalloc. */
  refresh: (): boolean => {
    const outcome = refreshMallctl();
    if (outcome.kind === 'done' || outcome.kind === 'no-jemalloc' || outcome.kind === 'absent')
      return outcome.kind === 'done';
    throw mallctlError('epoch', outcome);
  },
  /** Writes a value, or triggers a key that takes none; false where this jemalloc does not have the key. */
  write: ((name: WritableName, value?: never): boolean => {
    const outcome = writeMallctl(name, value as never);
    if (outcome.kind === 'done') return true;
    if (outcome.kind === 'no-jemalloc' || outcome.kind === 'absent') return false;
    throw mallctlError(name, outcome);
  }) as Write,
  /** Writes a value and gives the one before, in one step. */
  update: <Name extends UpdatableName>(name: Name, value: MallctlInput<Name>): MallctlValue<Name> | undefined =>
    valueOrThrow(name, updateMallctl(name, value)),
};
