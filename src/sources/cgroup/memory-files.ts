import type { GroupMemory, GroupMemoryEvents } from '../../model/memory-group.js';

/** Version 1 writes 'unlimited' as the largest whole page count of a signed long. */
const UNLIMITED_V1 = 2 ** 62;

/** Parses a file with one number of bytes; undefined for any other text. */
export function parseBytes(text: string): number | undefined {
  const trimmed = text.trim();
  return /^\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** Parses `memory.max`, `memory.high` or `memory.limit_in_bytes`; undefined where there is no limit (`max`), and for any other text. */
export function parseByteLimit(text: string): number | undefined {
  const bytes = parseBytes(text);
  return bytes === undefined || bytes >= UNLIMITED_V1 ? undefined : bytes;
}

/** Parses lines of a name and a whole number (`memory.stat`, `memory.events`); a line that is none is passed over. */
export function parseCounters(text: string): ReadonlyMap<string, number> {
  const counters = new Map<string, number>();
  for (const match of text.matchAll(/^(\w+) (\d+)$/gm)) counters.set(match[1]!, Number(match[2]));
  return counters;
}

function sumOf(counters: ReadonlyMap<string, number>, names: readonly string[]): number | undefined {
  const known = names.map((name) => counters.get(name)).filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}

/** Parses `memory.stat` of either version. Version 1 counts a group without its children unless the name begins with `total_`. */
export function parseGroupMemory(text: string, version: 1 | 2): GroupMemory {
  const counters = parseCounters(text);
  if (version === 2) {
    return {
      anonymousBytes: counters.get('anon'),
      fileBytes: counters.get('file'),
      sharedMemoryBytes: counters.get('shmem'),
      kernelBytes: sumOf(counters, ['kernel_stack', 'pagetables', 'sec_pagetables', 'percpu', 'slab_unreclaimable']),
    };
  }
  const total = (name: string) => counters.get(`total_${name}`) ?? counters.get(name);
  return {
    anonymousBytes: total('rss'),
    fileBytes: total('cache'),
    sharedMemoryBytes: total('shmem'),
    kernelBytes: undefined,
  };
}

/** The limit in version 1's `memory.stat` that holds for a group by all above it, those a container cannot see included. */
export function parseHierarchicalLimit(text: string): number | undefined {
  return parseByteLimit(`${parseCounters(text).get('hierarchical_memory_limit') ?? ''}`);
}

/** Parses `memory.events` (version 2) or `memory.oom_control` (version 1). */
export function parseGroupMemoryEvents(text: string): GroupMemoryEvents {
  const counters = parseCounters(text);
  return { high: counters.get('high'), max: counters.get('max'), killed: counters.get('oom_kill') };
}
