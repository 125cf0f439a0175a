import { ARENA_KEYS } from './mallctl-keys/arena-keys.js';
import { EXPERIMENTAL_KEYS } from './mallctl-keys/experimental-keys.js';
import { MUTEX_KEYS } from './mallctl-keys/mutex-keys.js';
import { OPT_KEYS } from './mallctl-keys/option-keys.js';
import { PROCESS_KEYS } from './mallctl-keys/process-keys.js';
import { PROF_KEYS } from './mallctl-keys/prof-keys.js';
import type { MALLCTL_TYPES, MallctlAccess, MallctlRow, MallctlType } from './mallctl-keys/row.js';
import { STATS_ARENA_KEYS } from './mallctl-keys/stats-arena-keys.js';
import { STATS_HPA_KEYS } from './mallctl-keys/stats-hpa-keys.js';
import { STATS_KEYS } from './mallctl-keys/stats-keys.js';
import { THREAD_KEYS } from './mallctl-keys/thread-keys.js';

/**
 * Every mallctl key of jemalloc 5.0 to 5.4 by its pattern: `<i>` and `<j>` stand for indices. Types, the reference page, type codes and
 * a test against the real libraries come from it. Releases up to 5.3.1 were taken from jemalloc's sources and tried on its
 * libraries; what is said of 5.4.0 is from its development.
 */
export const MALLCTL_KEYS = {
  ...PROCESS_KEYS,
  ...THREAD_KEYS,
  ...OPT_KEYS,
  ...ARENA_KEYS,
  ...PROF_KEYS,
  ...STATS_KEYS,
  ...STATS_ARENA_KEYS,
  ...STATS_HPA_KEYS,
  ...MUTEX_KEYS,
  ...EXPERIMENTAL_KEYS,
};

type Keys = typeof MALLCTL_KEYS;

/** The pattern of a key: `stats.arenas.<i>.pdirty`. */
export type MallctlKey = keyof Keys;

type Concrete<Key extends string> = Key extends `${infer Head}<${'i' | 'j'}>${infer Tail}`
  ? `${Head}${number}${Concrete<Tail>}`
  : Key;

type NamesByKey = { readonly [Key in MallctlKey]: Concrete<Key> };

/** A key with its indices: `stats.arenas.0.pdirty`. */
export type MallctlName = NamesByKey[MallctlKey];

/** The pattern a name follows. */
export type KeyOfName<Name extends MallctlName> = {
  [Key in MallctlKey]: Name extends NamesByKey[Key] ? Key : never;
}[MallctlKey];

type KeysWith<Access extends MallctlAccess> = {
  [Key in MallctlKey]: Keys[Key]['access'] extends Access ? Key : never;
}[MallctlKey];
type KeysOf<Type extends MallctlType> = {
  [Key in MallctlKey]: Keys[Key]['type'] extends Type ? Key : never;
}[MallctlKey];
type BareKeys = { [Key in MallctlKey]: Keys[Key] extends { readonly withoutValue: string } ? Key : never }[MallctlKey];

/** Names that can be read. */
export type ReadableName = NamesByKey[KeysWith<'read' | 'read-write'>];
/** Names that can be read and hold a number. */
export type NumericName = NamesByKey[KeysWith<'read' | 'read-write'> &
  KeysOf<'unsigned' | 'uint32_t' | 'size_t' | 'ssize_t' | 'uint64_t' | 'int64_t'>];
/** Names that can be written with a value. */
export type WritableName = NamesByKey[KeysWith<'write' | 'read-write'>];
/** Names that can be written and tell what they held before. */
export type UpdatableName = NamesByKey[KeysWith<'read-write'>];
/** Names that act without a value. */
export type BareName = NamesByKey[KeysWith<'trigger'> | BareKeys];

/** What profiling knows of one size class; the bytes are those the program asked for. */
export interface ProfStats {
  readonly requestedBytes: bigint;
  readonly count: bigint;
}

interface JavaScriptTypes {
  nothing: never;
  boolean: boolean;
  number: number;
  bigint: bigint;
  string: string;
  object: ProfStats;
}

/** What reading a value of this C type gives. */
export type ValueOfType<Type extends MallctlType> = JavaScriptTypes[(typeof MALLCTL_TYPES)[Type]['javascript']];

/** What reading a name gives: 64-bit counters bigint, sizes and small numbers number. */
export type MallctlValue<Name extends MallctlName> = ValueOfType<Keys[KeyOfName<Name>]['type']>;

/** What can be written to a name: integers of every kind as number or bigint. */
export type MallctlInput<Name extends MallctlName> =
  MallctlValue<Name> extends number | bigint ? number | bigint : MallctlValue<Name>;

/** The pattern of a name, and its row. */
export interface FoundMallctlKey {
  readonly key: MallctlKey;
  readonly row: MallctlRow;
}

const INDEX = /(?<=\.)\d{1,10}(?=\.|$)/g;

/** The row of a name, its indices written out; undefined for a name that no jemalloc 5 has. */
export function findMallctlKey(name: string): FoundMallctlKey | undefined {
  if (Object.hasOwn(MALLCTL_KEYS, name)) {
    return name.includes('<') ? undefined : { key: name as MallctlKey, row: MALLCTL_KEYS[name as MallctlKey] };
  }
  let seen = 0;
  const key = name.replace(INDEX, () => (seen++ === 0 ? '<i>' : '<j>'));
  return seen > 0 && !name.includes('<') && Object.hasOwn(MALLCTL_KEYS, key)
    ? { key: key as MallctlKey, row: MALLCTL_KEYS[key as MallctlKey] }
    : undefined;
}
