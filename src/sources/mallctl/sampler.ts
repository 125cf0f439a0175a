import {
  CONSTANT_COUNTERS,
  deriveCounters,
  MAIN_COUNTER_KEYS,
  MAIN_COUNTERS,
  type MainCounter,
} from '../../model/main-counters.js';
import { MALLCTL_TYPES } from '../../model/mallctl-keys/row.js';
import { findMallctlKey } from '../../model/mallctl-keys.js';
import { mallctlAddon } from '../../native.js';
import { readMallctlNumber } from './read-mallctl.js';

/** Takes jemalloc's main counters again and again, into the same array. */
export interface MallctlSampler {
  /**
   * The last sample, in the order of `MAIN_COUNTERS`; NaN for what this jemalloc does not have. Counters of 64 bits are exact up to
   * 2^53. Do not detach its memory (transfer, postMessage with a transfer list): sampling would throw.
   */
  readonly counters: Float64Array;
  /** Refreshes jemalloc's statistics and fills `counters`; false where jemalloc could not refresh. It allocates nothing. */
  sample(): boolean;
  /** One counter of the last sample; undefined where this jemalloc does not have it, or before the first sample. */
  valueOf(counter: MainCounter): number | undefined;
}

const POSITIONS = new Map(MAIN_COUNTERS.map((name, at) => [name, at]));

/**
 * Opens a sampler of this process's jemalloc; undefined where there is none. It belongs to the thread that opens it (a worker opens
 * its own), and the counters whose names begin with `thread` are that thread's. Nothing needs to be closed.
 */
export function openMallctlSampler(): MallctlSampler | undefined {
  const types = MAIN_COUNTER_KEYS.map((key) => MALLCTL_TYPES[findMallctlKey(key)!.row.type].code);
  const fill = mallctlAddon()?.openMallctlSampler(MAIN_COUNTER_KEYS, types);
  if (!fill) return undefined;
  const counters = new Float64Array(MAIN_COUNTERS.length).fill(Number.NaN);
  for (const { at, key } of CONSTANT_COUNTERS) {
    const read = readMallctlNumber(key);
    if (read.kind === 'value') counters[at] = read.value;
  }
  return {
    counters,
    sample() {
      const errno = fill(counters);
      deriveCounters(counters);
      return errno === 0;
    },
    valueOf(counter) {
      const value = counters[POSITIONS.get(counter)!]!;
      return Number.isNaN(value) ? undefined : value;
    },
  };
}
