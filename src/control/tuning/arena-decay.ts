import { readMallctl, readMallctlNumber } from '../../sources/mallctl/read-mallctl.js';
import { writeMallctl } from '../mallctl/write-mallctl.js';

/** One of the two decay times of all arenas. */
export type DecayKey = 'dirty_decay_ms' | 'muzzy_decay_ms';

/** Sets a decay time for the arenas there are and those to come. */
export interface ArenaDecay {
  /** What most of the steered arenas have; undefined where this jemalloc does not tell. */
  current(): number | undefined;
  /** Gives why not, where jemalloc did not take it. */
  set(milliseconds: number): string | undefined;
  /** Puts back what was found, where it is still what was set here. */
  restore(): string | undefined;
}

const numberOf = (name: Parameters<typeof readMallctlNumber>[0]): number | undefined => {
  const read = readMallctlNumber(name);
  return read.kind === 'value' ? read.value : undefined;
};

function readArenas(key: DecayKey): Map<number, number> {
  const values = new Map<number, number>();
  const count = numberOf('arenas.narenas') ?? 0;
  for (let arena = 0; arena < count; arena++) {
    const initialized = readMallctl(`arena.${arena}.initialized`);
    if (initialized.kind !== 'value' || !initialized.value) continue;
    const value = numberOf(`arena.${arena}.${key}`);
    if (value !== undefined) values.set(arena, value);
  }
  return values;
}

function mostCommon(values: Iterable<number>): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce<[number, number] | undefined>(
    (most, one) => (most && most[1] >= one[1] ? most : one),
    undefined,
  )?.[0];
}

/**
 * Opens one decay time. Arenas that have another value than most were set so on purpose (jemalloc's own for huge allocations, those of
 * other parts of the program) and are left alone.
 */
export function openArenaDecay(key: DecayKey): ArenaDecay {
  const foundDefault = numberOf(`arenas.${key}`);
  const found = readArenas(key);
  const usual = mostCommon(found.values()) ?? foundDefault;
  const special = new Set([...found].filter(([, value]) => value !== usual).map(([arena]) => arena));
  let lastSet = usual;
  const steered = () => [...readArenas(key)].filter(([arena]) => !special.has(arena));
  const write = (milliseconds: number, newArenas: number): string | undefined => {
    // New arenas first: one that is made in between has the new value already.
    const outcomes = [writeMallctl(`arenas.${key}`, newArenas)];
    for (const [arena] of steered()) outcomes.push(writeMallctl(`arena.${arena}.${key}`, milliseconds));
    const refused = outcomes.find(({ kind }) => kind !== 'done');
    return refused && `jemalloc did not take ${key} ${milliseconds} (${refused.kind})`;
  };
  return {
    current: () => mostCommon(steered().map(([, value]) => value)) ?? numberOf(`arenas.${key}`),
    set(milliseconds) {
      const problem = write(milliseconds, milliseconds);
      if (!problem) lastSet = milliseconds;
      return problem;
    },
    restore() {
      if (usual === undefined || lastSet === usual) return undefined;
      const now = mostCommon(steered().map(([, value]) => value));
      if (now !== lastSet) return `somebody else has set ${key} to ${now} ms`;
      lastSet = usual;
      return write(usual, foundDefault ?? usual);
    },
  };
}
