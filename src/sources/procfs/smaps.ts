import { readFileSync } from 'node:fs';
import type { MappingMemory } from '../../model/mapping-memory.js';
import type { MemoryMapping } from '../../model/memory-map.js';
import { parseMemoryMaps } from './memory-maps.js';

const HEAD = /^[0-9a-f]+-[0-9a-f]+ /;
const FIGURE = /^(\w+): +(\d+) kB$/;

function finish(
  mapping: MemoryMapping,
  figures: ReadonlyMap<string, number>,
  flags: string | undefined,
): MappingMemory | undefined {
  const residentBytes = figures.get('Rss');
  if (residentBytes === undefined) return undefined;
  const sum = (...names: string[]) => names.reduce((total, name) => total + (figures.get(name) ?? 0), 0);
  return {
    ...mapping,
    residentBytes,
    proportionalBytes: sum('Pss'),
    anonymousBytes: sum('Anonymous'),
    privateBytes: sum('Private_Clean', 'Private_Dirty'),
    sharedBytes: sum('Shared_Clean', 'Shared_Dirty'),
    referencedBytes: sum('Referenced'),
    swapBytes: sum('Swap'),
    lazyFreeBytes: sum('LazyFree'),
    hugePageBytes: sum('AnonHugePages', 'ShmemPmdMapped', 'FilePmdMapped'),
    hugetlbBytes: sum('Shared_Hugetlb', 'Private_Hugetlb'),
    flags: flags === undefined ? undefined : new Set(flags.split(' ').filter(Boolean)),
  };
}

/** Parses `/proc/PID/smaps`. A line that is none is passed over, and so is a mapping that says nothing of its RSS. */
export function parseSmaps(text: string): MappingMemory[] {
  const mappings: MappingMemory[] = [];
  let current: MemoryMapping | undefined;
  let figures = new Map<string, number>();
  let flags: string | undefined;
  const close = () => {
    const mapping = current && finish(current, figures, flags);
    if (mapping) mappings.push(mapping);
  };
  for (const line of text.split('\n')) {
    const figure = FIGURE.exec(line);
    if (figure) {
      figures.set(figure[1] ?? '', Number(figure[2]) * 1024);
    } else if (line.startsWith('VmFlags:')) {
      flags = line.slice('VmFlags:'.length);
    } else if (HEAD.test(line)) {
      close();
      current = parseMemoryMaps(line)[0];
      figures = new Map();
      flags = undefined;
    }
  }
  close();
  return mappings;
}

/**
 * What is resident of each mapping of a process. It costs the kernel a walk of the page tables, 20 ms at 1,000 mappings, in which the process
 * cannot map memory: read it on demand, not at intervals. Throws the system's error: EACCES for another user's process,
 * ENOENT or ESRCH for one that is gone.
 */
export function readSmaps(pid: number | 'self'): MappingMemory[] {
  return parseSmaps(readFileSync(`/proc/${pid}/smaps`, 'utf8'));
}
