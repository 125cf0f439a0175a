import { constants } from 'node:os';
import { MALLCTL_TYPES, type MallctlType } from '../../model/mallctl-keys/row.js';
import {
  type FoundMallctlKey,
  findMallctlKey,
  type MallctlValue,
  type NumericName,
  type ReadableName,
} from '../../model/mallctl-keys.js';
import type { MallctlFailure, MallctlRead } from '../../model/mallctl-outcome.js';
import { type MallctlRefusal, mallctlAddon, type RawMallctlValue } from '../../native.js';

/** How integers come: by their type, always as bigint, or as the nearest number. */
const FORM = { typed: 0, exact: 1, number: 2 } as const;

const { ENOENT, EFAULT, EINVAL } = constants.errno;

/**
 * What the addon said instead of a value.
 *
 * @param ofArena EFAULT means an arena that was never used, which is how some keys say that there is nothing.
 */
export function explainRefusal(refusal: MallctlRefusal, type: MallctlType, ofArena: boolean): MallctlFailure {
  if (refusal.errno === ENOENT || (refusal.errno === EFAULT && ofArena)) return { kind: 'absent' };
  if (refusal.errno === EINVAL) return { kind: 'size-mismatch', type, actualBytes: refusal.bytes || undefined };
  return { kind: 'failed', errno: refusal.errno };
}

/** Whether the addon gave the reason for there being no value. */
export function isRefusal(answer: RawMallctlValue | MallctlRefusal): answer is MallctlRefusal {
  return typeof answer === 'object' && answer !== null && 'errno' in answer;
}

/** A value of the addon as the model has it. */
export function parseMallctlValue(type: MallctlType, raw: RawMallctlValue, typed: boolean): MallctlRead<unknown> {
  if (raw === null) return { kind: 'unset' };
  if (typeof raw === 'object') return { kind: 'value', value: { requestedBytes: raw[0], count: raw[1] } };
  if (typed && typeof raw === 'bigint' && MALLCTL_TYPES[type].javascript === 'number')
    return { kind: 'inexact', exact: raw };
  return { kind: 'value', value: raw };
}

/** The key of a name that may be read, by the table; else why not. */
export function findReadableKey(name: string): ({ readonly kind: 'found' } & FoundMallctlKey) | MallctlFailure {
  const found = findMallctlKey(name);
  if (!found) return { kind: 'unknown-key' };
  const { access, refused } = found.row;
  if (access === 'call' && refused) return { kind: 'refused', reason: refused };
  if (access !== 'read' && access !== 'read-write') return { kind: 'wrong-access', access };
  return { kind: 'found', ...found };
}

function readAs(name: string, form: keyof typeof FORM): MallctlRead<unknown> {
  const found = findReadableKey(name);
  if (found.kind !== 'found') return found;
  const { type } = found.row;
  const answer = mallctlAddon()?.mallctlRead(name, MALLCTL_TYPES[type].code, FORM[form]);
  if (answer === undefined) return { kind: 'no-jemalloc' };
  if (isRefusal(answer)) return explainRefusal(answer, type, found.key.includes('<i>'));
  return parseMallctlValue(type, answer, form === 'typed');
}

/**
 * Reads one mallctl key of this process's jemalloc. `stats.*` are as of the last {@link refreshMallctl}.
 *
 * 64-bit counters are bigint, and exact. A `size_t` is a number, and exact as well: where a number cannot hold it, which only a limit
 * set to infinity does, the outcome is `inexact` with the bigint, never a rounded number.
 */
export function readMallctl<Name extends ReadableName>(name: Name): MallctlRead<MallctlValue<Name>> {
  return readAs(name, 'typed') as MallctlRead<MallctlValue<Name>>;
}

/** Reads any number as bigint. */
export function readMallctlExact(name: NumericName): MallctlRead<bigint> {
  return readAs(name, 'exact') as MallctlRead<bigint>;
}

/** Reads any number as the nearest double: exact up to 2^53, for drawing and arithmetic. */
export function readMallctlNumber(name: NumericName): MallctlRead<number> {
  return readAs(name, 'number') as MallctlRead<number>;
}

/** jemalloc takes its statistics anew, which costs 10 to 40 µs; `stats.*` answer from this moment. */
export function refreshMallctl(): { readonly kind: 'done' } | MallctlFailure {
  const errno = mallctlAddon()?.mallctlRefresh();
  if (errno === undefined) return { kind: 'no-jemalloc' };
  return errno === 0 ? { kind: 'done' } : { kind: 'failed', errno };
}
