import { constants } from 'node:os';
import { MALLCTL_TYPES, type MallctlRow, type MallctlType } from '../../model/mallctl-keys/row.js';
import {
  type BareName,
  findMallctlKey,
  type MallctlInput,
  type MallctlValue,
  type UpdatableName,
  type WritableName,
} from '../../model/mallctl-keys.js';
import type { MallctlFailure, MallctlRead, MallctlWrite } from '../../model/mallctl-outcome.js';
import { type MallctlRefusal, mallctlAddon } from '../../native.js';
import { explainRefusal, isRefusal, parseMallctlValue } from '../../sources/mallctl/read-mallctl.js';

/** A value that fits its key, or why not. */
export type PreparedWrite =
  | {
      readonly kind: 'ready';
      readonly row: MallctlRow;
      readonly type: MallctlType;
      readonly value: boolean | bigint | string | undefined;
    }
  | { readonly kind: 'wrong-value'; readonly expected: string }
  | MallctlFailure;

const RANGES: Partial<Record<MallctlType, readonly [least: bigint, most: bigint]>> = {
  unsigned: [0n, 2n ** 32n - 1n],
  uint32_t: [0n, 2n ** 32n - 1n],
  size_t: [0n, 2n ** 64n - 1n],
  uint64_t: [0n, 2n ** 64n - 1n],
  ssize_t: [-(2n ** 63n), 2n ** 63n - 1n],
  int64_t: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** What a value must be, for people. */
export function expectedValue(row: MallctlRow): string {
  const range = RANGES[row.type];
  const unit = row.unit && row.unit !== 'count' ? ` (${row.unit})` : '';
  const value = range
    ? `a whole number from ${range[0]} to ${range[1]}${unit}`
    : row.type === 'bool'
      ? 'true or false'
      : row.access === 'trigger'
        ? 'no value'
        : 'text of at most 4,094 bytes without NUL';
  return row.withoutValue ? `${value}, or no value, which ${row.withoutValue}` : value;
}

/** The value as the addon takes it; undefined where it does not fit. */
function fitValue(row: MallctlRow, given: unknown): boolean | bigint | string | undefined {
  const range = RANGES[row.type];
  if (range) {
    if (typeof given !== 'bigint' && !Number.isSafeInteger(given)) return undefined;
    const value = BigInt(given as bigint | number);
    return value >= range[0] && value <= range[1] ? value : undefined;
  }
  if (row.type === 'bool') return typeof given === 'boolean' ? given : undefined;
  if (typeof given !== 'string' || given.includes('\0') || Buffer.byteLength(given) > 4094) return undefined;
  return given;
}

/** Judges a name and a value by the table, before jemalloc is asked. */
export function prepareWrite(name: string, given: unknown): PreparedWrite {
  const found = findMallctlKey(name);
  if (!found) return { kind: 'unknown-key' };
  const { row } = found;
  if (row.refused) return { kind: 'refused', reason: row.refused };
  if (row.access === 'read' || row.access === 'call') return { kind: 'wrong-access', access: row.access };
  // An arena's name is read into a buffer, and written as any text.
  const type = row.type === 'char []' ? 'const char *' : row.type;
  if (given === undefined && (row.access === 'trigger' || row.withoutValue))
    return { kind: 'ready', row, type, value: undefined };
  const value = row.access === 'trigger' ? undefined : fitValue(row, given);
  return value === undefined
    ? { kind: 'wrong-value', expected: expectedValue(row) }
    : { kind: 'ready', row, type, value };
}

const { EINVAL, EFAULT } = constants.errno;

/** Both errors are most often the value's fault; the key's only where reading it says so too. */
function explainWriteRefusal(name: string, row: MallctlRow, refusal: MallctlRefusal): MallctlFailure {
  const doubtful = refusal.errno === EINVAL || refusal.errno === EFAULT;
  if (!doubtful || row.access !== 'read-write') return explainRefusal(refusal, row.type, row.access === 'trigger');
  const read = mallctlAddon()?.mallctlRead(name, MALLCTL_TYPES[row.type].code, 1);
  return read !== undefined && isRefusal(read)
    ? explainRefusal(read, row.type, true)
    : { kind: 'failed', errno: refusal.errno };
}

function write(name: string, given: unknown, wantsOld: boolean): MallctlRead<unknown> | MallctlWrite {
  const prepared = prepareWrite(name, given);
  if (prepared.kind !== 'ready') return prepared;
  const { row, type, value } = prepared;
  if (wantsOld && (row.access !== 'read-write' || row.type === 'char []'))
    return { kind: 'wrong-access', access: row.access };
  const answer = mallctlAddon()?.mallctlWrite(
    name,
    MALLCTL_TYPES[type].code,
    value,
    wantsOld ? MALLCTL_TYPES[row.type].code : MALLCTL_TYPES.void.code,
    0,
  );
  if (answer === undefined) return { kind: 'no-jemalloc' };
  if (isRefusal(answer)) return explainWriteRefusal(name, row, answer);
  return wantsOld ? parseMallctlValue(row.type, answer, true) : { kind: 'done' };
}

/**
 * Writes one mallctl key of this process's jemalloc; without a value, triggers it. Only keys the table says are writable, and none
 * that could take memory away from under its users.
 */
export function writeMallctl<Name extends WritableName>(name: Name, value: MallctlInput<Name>): MallctlWrite;
export function writeMallctl(name: BareName): MallctlWrite;
export function writeMallctl(name: string, value?: unknown): MallctlWrite {
  return write(name, value, false) as MallctlWrite;
}

/** Writes a key and gives the value it had, in one step. */
export function updateMallctl<Name extends UpdatableName>(
  name: Name,
  value: MallctlInput<Name>,
): MallctlRead<MallctlValue<Name>> | { readonly kind: 'wrong-value'; readonly expected: string } {
  return write(name, value, true) as MallctlRead<MallctlValue<Name>>;
}
