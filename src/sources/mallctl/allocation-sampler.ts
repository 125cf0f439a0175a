import { CONSTANT_COUNTERS, deriveCounters, MAIN_COUNTER_KEYS, MAIN_COUNTERS } from '../../model/main-counters.js';
import { MALLCTL_TYPES } from '../../model/mallctl-keys/row.js';
import { findMallctlKey, type NumericName } from '../../model/mallctl-keys.js';
import { mallctlAddon } from '../../native.js';
import { readMallctlNumber } from './read-mallctl.js';

/** All bytes that were ever taken and given back, to the size class: what a program asked for is less. Exact up to 2^53. */
export interface AllocationTotals {
  readonly allocatedBytes: number;
  readonly deallocatedBytes: number;
}

/** jemalloc's main counters, and of the same epoch what has passed through each size class. */
export interface AllocationSampler {
  /** The last sample, in the order of `MAIN_COUNTERS`; NaN for what this jemalloc does not have. */
  readonly counters: Float64Array;
  /** Undefined for a jemalloc that was built without statistics. */
  totals(): AllocationTotals | undefined;
  /** Refreshes jemalloc's statistics and reads all of them; false where jemalloc could not refresh. It allocates nothing. */
  sample(): boolean;
}

/** No process has more address space: larger classes, of which jemalloc has a hundred, stay empty. */
const LARGEST_CLASS_BYTES = 2 ** 47;

interface SizeClass {
  readonly bytes: number;
  readonly taken: NumericName;
  readonly givenBack: NumericName;
}

const numberAt = (name: NumericName) => {
  const read = readMallctlNumber(name);
  return read.kind === 'value' ? read.value : undefined;
};

function readSizeClasses(): SizeClass[] {
  const classes: SizeClass[] = [];
  const group = (count: number, size: 'bin' | 'lextent', stats: 'bins' | 'lextents') => {
    for (let at = 0; at < count; at++) {
      const bytes = numberAt(`arenas.${size}.${at}.size`);
      if (bytes === undefined || bytes > LARGEST_CLASS_BYTES) break;
      const taken = `stats.arenas.4096.${stats}.${at}.nmalloc` as const;
      classes.push({ bytes, taken, givenBack: `stats.arenas.4096.${stats}.${at}.ndalloc` });
    }
  };
  group(numberAt('arenas.nbins') ?? 0, 'bin', 'bins');
  group(numberAt('arenas.nlextents') ?? 0, 'lextent', 'lextents');
  return classes;
}

const typeCode = (key: NumericName) => MALLCTL_TYPES[findMallctlKey(key)!.row.type].code;
const CLASS_COUNTER_CODE = MALLCTL_TYPES.uint64_t.code;

/**
 * Opens a sampler of this process's jemalloc, for the thread that calls it; undefined where there is none. One sample asks for 27
 * counters and two of each size class (about 340 more) in one call.
 */
export function openAllocationSampler(): AllocationSampler | undefined {
  const addon = mallctlAddon();
  if (!addon) return undefined;
  const classes = readSizeClasses();
  const keys = [
    ...MAIN_COUNTER_KEYS,
    ...classes.map(({ taken }) => taken),
    ...classes.map(({ givenBack }) => givenBack),
  ];
  const codes = keys.map((key, at) => (at < MAIN_COUNTER_KEYS.length ? typeCode(key) : CLASS_COUNTER_CODE));
  const fill = addon.openMallctlSampler(keys, codes);
  if (!fill) return undefined;
  const read = new Float64Array(keys.length).fill(Number.NaN);
  const asked = read.subarray(0, MAIN_COUNTER_KEYS.length);
  const taken = read.subarray(asked.length, asked.length + classes.length);
  const givenBack = read.subarray(asked.length + classes.length);
  const sizes = Float64Array.from(classes, ({ bytes }) => bytes);
  const counters = new Float64Array(MAIN_COUNTERS.length).fill(Number.NaN);
  for (const { at, key } of CONSTANT_COUNTERS) counters[at] = numberAt(key) ?? Number.NaN;
  const sumOf = (counts: Float64Array) => {
    let sum = 0;
    for (let at = 0; at < counts.length; at++) sum += counts[at]! * sizes[at]!;
    return sum;
  };
  return {
    counters,
    totals() {
      const totals = { allocatedBytes: sumOf(taken), deallocatedBytes: sumOf(givenBack) };
      return classes.length === 0 || Number.isNaN(totals.allocatedBytes + totals.deallocatedBytes) ? undefined : totals;
    },
    sample() {
      const errno = fill(read);
      counters.set(asked);
      deriveCounters(counters);
      return errno === 0;
    },
  };
}
