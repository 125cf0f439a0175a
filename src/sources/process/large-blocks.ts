import { isSystemError } from '../../errors.js';
import type { MappingMemory } from '../../model/mapping-memory.js';
import type { ProcessView } from './process-view.js';

/** glibc's mark in a block's size for one that has a mapping of its own, and the bits that are no size. */
const IS_MMAPPED = 2n;
const FLAG_BITS = 7n;
const PAGE = 4096n;
/** A mapping of many blocks is sampled no further than this: each costs a read. */
const MAX_BLOCKS = 4096;

/** Memory of a process by address; throws the system's error. */
export type ReadMemory = (address: number, length: number) => Buffer;

/**
 * Whether a mapping is made of nothing but blocks that glibc's malloc mapped one by one: each begins with its own size, and neighbours
 * stand in one mapping.
 */
export function isLargeBlocks(read: ReadMemory, start: number, end: number): boolean {
  let at = start;
  for (let count = 0; at < end; count++) {
    if (count === MAX_BLOCKS) return true;
    const header = read(at, 16);
    if (header.length < 16) return false;
    const padding = header.readBigUInt64LE(0);
    const size = header.readBigUInt64LE(8);
    const bytes = size & ~FLAG_BITS;
    if ((size & FLAG_BITS) !== IS_MMAPPED || padding !== 0n || bytes === 0n || bytes % PAGE !== 0n) return false;
    if (bytes > BigInt(end - at)) return false;
    at += Number(bytes);
  }
  return true;
}

/** The starts of those mappings that glibc's malloc made for large blocks. Empty where the process's memory cannot be read. */
export function readLargeBlocks(view: Pick<ProcessView, 'memory'>, candidates: readonly MappingMemory[]): Set<number> {
  const found = new Set<number>();
  for (const { start, end } of candidates) {
    try {
      if (isLargeBlocks(view.memory, start, end)) found.add(start);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (error.code === 'EACCES' || error.code === 'EPERM') break;
      // EIO: unmapped meanwhile.
    }
  }
  return found;
}
