import type { JemallocVersion } from '../jemalloc-version.js';

/**
 * How values lie in memory, by jemalloc's C types. `code` is what stands for the type between JavaScript, the addon and the agent
 * (`native/shared/mallctl-types.h`); `javascript` what a value becomes. 64 bits that count become bigint: nanoseconds pass 2^53
 * after 104 days. A `size_t` measures memory, which is far below 2^53 on every machine, and stays a number.
 */
export const MALLCTL_TYPES = {
  void: { code: 0, javascript: 'nothing' },
  bool: { code: 1, javascript: 'boolean' },
  unsigned: { code: 2, javascript: 'number' },
  uint32_t: { code: 3, javascript: 'number' },
  size_t: { code: 4, javascript: 'number' },
  ssize_t: { code: 5, javascript: 'number' },
  uint64_t: { code: 6, javascript: 'bigint' },
  int64_t: { code: 7, javascript: 'bigint' },
  'const char *': { code: 8, javascript: 'string' },
  /** Read into a buffer whose address is handed over; written as a `const char *`. */
  'char []': { code: 9, javascript: 'string' },
  'void *': { code: 10, javascript: 'bigint' },
  /** Two `uint64_t`. */
  prof_stats_t: { code: 11, javascript: 'object' },
} as const satisfies Readonly<
  Record<
    string,
    { readonly code: number; readonly javascript: 'nothing' | 'boolean' | 'number' | 'bigint' | 'string' | 'object' }
  >
>;

/** The C type of a key's value. */
export type MallctlType = keyof typeof MALLCTL_TYPES;

/** What a key is for. A `trigger` takes no value and acts; `call` reads and writes at once, or makes something by being read. */
export type MallctlAccess = 'read' | 'read-write' | 'write' | 'trigger' | 'call';

/** What a number counts. */
export type MallctlUnit = 'bytes' | 'pages' | 'ms' | 'ns' | 'count' | 'index' | 'log2 bytes' | 'log2' | '1/65536';

/** What is known of one mallctl key. */
export interface MallctlRow {
  /** `char []` and `const char *` of one key are the same text, read and written. */
  readonly type: MallctlType;
  readonly access: MallctlAccess;
  /** One sentence: what it holds, or what writing it does. */
  readonly doc: string;
  readonly unit?: MallctlUnit;
  /** The first release that has it (`4.0.0`: or an earlier one), and the first that no longer does. */
  readonly since: JemallocVersion;
  readonly removedIn?: JemallocVersion;
  /** The key of a truth value without which this one is absent. */
  readonly needs?: string;
  /** What else it may be absent for, which no key tells. */
  readonly perhapsAbsent?: string;
  /** Of the calling thread: another thread, another value. */
  readonly thread?: true;
  /** Takes 4096 for its index too, which stands for all arenas; `stats.arenas.<i>` always does. */
  readonly allArenas?: true;
  /** May be written without a value; the sentence says what that does. */
  readonly withoutValue?: string;
  /** Not part of jemalloc's promises: may change or go in any release. */
  readonly experimental?: true;
  /** Why jemkit's general read, write and update leave it alone. */
  readonly refused?: string;
}

/** What may be left out of a row, and what a group has in common. */
type Common = 'since' | 'access' | 'needs' | 'thread' | 'experimental' | 'refused';
type Sketch = Omit<MallctlRow, Common> & Partial<Pick<MallctlRow, Common>>;
type Group = Partial<Pick<MallctlRow, Common>>;

/** A full row with the two fields that types are made from. */
export type TypedRow<
  Type extends MallctlType,
  Access extends MallctlAccess,
  Bare extends boolean = false,
> = MallctlRow & {
  readonly type: Type;
  readonly access: Access;
} & (Bare extends true ? { readonly withoutValue: string } : unknown);

/** The rows of a group under their full names. */
export type GroupRows<Prefix extends string, Rows> = {
  readonly [Name in keyof Rows & string as `${Prefix}${Name}`]: Rows[Name] extends {
    readonly type: infer Type extends MallctlType;
  }
    ? TypedRow<
        Type,
        Rows[Name] extends { readonly access: infer Access extends MallctlAccess } ? Access : 'read',
        Rows[Name] extends { readonly withoutValue: string } ? true : false
      >
    : never;
};

/** The rows of one group of keys: `prefix` goes before each name, `group` is what they have in common; 'read' since 4.0.0 by default. */
export function mallctlKeys<const Prefix extends string, const Rows extends Readonly<Record<string, Sketch>>>(
  prefix: Prefix,
  group: Group,
  rows: Rows,
): GroupRows<Prefix, Rows> {
  const named = Object.entries(rows).map(([name, row]): [string, MallctlRow] => [
    `${prefix}${name}`,
    { since: '4.0.0', access: 'read', ...group, ...row },
  ]);
  return Object.fromEntries(named) as GroupRows<Prefix, Rows>;
}
