import { CONSTANT_COUNTERS, deriveCounters, MAIN_COUNTER_KEYS, MAIN_COUNTERS } from '../../model/main-counters.js';
import type { MallctlType } from '../../model/mallctl-keys/row.js';
import { findMallctlKey } from '../../model/mallctl-keys.js';
import { type JemallocFigures, jemallocFigures } from '../../model/memory-sample.js';

interface Selected {
  readonly name: string;
  readonly type: MallctlType;
  /** Where it stands among MAIN_COUNTERS. */
  readonly at: number;
}

/** What an agent is asked for: the main counters, without those of a thread, which would be the agent's. */
export const SELECTED_COUNTERS: readonly Selected[] = [
  ...MAIN_COUNTER_KEYS.map((name, at) => ({ name, at })),
  ...CONSTANT_COUNTERS.map(({ key, at }) => ({ name: key, at })),
].flatMap(({ name, at }) => {
  const row = findMallctlKey(name)?.row;
  return row && !row.thread ? [{ name, at, type: row.type }] : [];
});

/** Names the values of the selected counters, and adds what follows from them. */
export function parseCounters(values: readonly number[]): JemallocFigures {
  const counters = new Float64Array(MAIN_COUNTERS.length).fill(Number.NaN);
  SELECTED_COUNTERS.forEach(({ at }, position) => {
    counters[at] = values[position] ?? Number.NaN;
  });
  deriveCounters(counters);
  return jemallocFigures(counters);
}
