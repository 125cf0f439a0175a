import type { MemoryMapping } from './memory-map.js';

/** One mapping of a process with what is resident of it, as `/proc/PID/smaps` says. All in bytes. */
export interface MappingMemory extends MemoryMapping {
  readonly residentBytes: number;
  /** PSS: each shared page divided by the number of processes that have it. */
  readonly proportionalBytes: number;
  /** Pages of no file, among them the process's own copies of a file's. */
  readonly anonymousBytes: number;
  readonly privateBytes: number;
  readonly sharedBytes: number;
  readonly referencedBytes: number;
  readonly swapBytes: number;
  /** Given up with MADV_FREE: resident until the kernel needs the room. */
  readonly lazyFreeBytes: number;
  /** Of the resident bytes, what lies in transparent huge pages. */
  readonly hugePageBytes: number;
  /** Reserved huge pages (hugetlbfs), which RSS does not count. */
  readonly hugetlbBytes: number;
  /** The two-letter flags of `VmFlags` (proc(5)); undefined before Linux 3.8. */
  readonly flags: ReadonlySet<string> | undefined;
}

/** A thread, and where its stack was at that moment. */
export interface ThreadStack {
  readonly threadId: number;
  readonly name: string;
  /** Undefined for a thread that was running, or where the kernel does not say. */
  readonly stackPointer: number | undefined;
}

/** Whose a mapping is. */
export type MappingOwner =
  | 'v8-heap'
  | 'v8-code'
  | 'v8-other'
  | 'ruby-heap'
  | 'jemalloc'
  | 'malloc-heap'
  | 'malloc-arena'
  | 'malloc-large'
  | 'stack'
  | 'file'
  | 'shared-memory'
  | 'kernel'
  | 'anonymous';

/** A mapping with whose it is. */
export interface OwnedMapping {
  readonly mapping: MappingMemory;
  readonly owner: MappingOwner;
  /** The file it shows, or whose uninitialised data it is. */
  readonly file: string | undefined;
}
