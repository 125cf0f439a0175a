import { explainMallctl, type MallctlTrouble } from '../../analyses/explain-mallctl.js';
import { JemkitError } from '../../errors.js';
import type {
  BareName,
  MallctlInput,
  MallctlValue,
  NumericName,
  ReadableName,
  UpdatableName,
  WritableName,
} from '../../model/mallctl-keys.js';
import type { MallctlRead, MallctlWrite } from '../../model/mallctl-outcome.js';
import {
  readMallctl,
  readMallctlExact,
  readMallctlNumber,
  refreshMallctl,
} from '../../sources/mallctl/read-mallctl.js';
import { updateMallctl, writeMallctl } from './write-mallctl.js';

/** The error for what the caller, or jemkit's table, got wrong. */
export function mallctlError(name: string, trouble: MallctlTrouble): JemkitError {
  const { message, hint } = explainMallctl(name, trouble);
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
