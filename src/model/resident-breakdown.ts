import type { Architecture } from './allocator.js';
import type { AllocatorIdentity } from './allocator-identity.js';
import type { MappingMemory, MappingOwner, ThreadStack } from './mapping-memory.js';
import type { JemallocFigures } from './memory-sample.js';
import type { NodeFacts } from './node-facts.js';

/** What was read of a process from outside, at one moment. All in bytes. */
export interface ResidentFacts {
  readonly pid: number;
  readonly atMs: number;
  /** The kernel's RSS (statm), read just before the mappings and just after. */
  readonly residentBeforeBytes: number;
  readonly residentAfterBytes: number;
  readonly mappings: readonly MappingMemory[];
  readonly threads: readonly ThreadStack[];
  readonly allocator: AllocatorIdentity;
  /** The program holds V8: its executable or a library exports V8's functions, or it is known by name. */
  readonly holdsV8: boolean;
  readonly architecture: Architecture | undefined;
  /** `vm.overcommit_memory` is 2, where jemalloc reserves differently. */
  readonly strictOvercommit: boolean;
  /** Starts of the mappings that are whole blocks of glibc's malloc: the headers of the blocks were read there. */
  readonly largeBlocks: ReadonlySet<number>;
}

/** How reading from outside went. */
export type ResidentReading =
  | { readonly kind: 'read'; readonly facts: ResidentFacts }
  | { readonly kind: 'no-permission' }
  | { readonly kind: 'no-memory'; readonly reason: 'zombie' | 'kernel-thread' }
  | { readonly kind: 'gone' };

/** What somebody inside the process said, as far as there was somebody. */
export interface InsideFacts {
  readonly jemalloc: JemallocFigures | undefined;
  readonly node: NodeFacts | undefined;
  /** How old the words of JavaScript are, in milliseconds. */
  readonly nodeAgeMs: number | undefined;
  /** Live allocations of exactly `Buffer.poolSize` bytes. */
  readonly poolBlocks: { readonly count: number; readonly bytes: number } | undefined;
  /** jemalloc gives each large block one page more (`cache_oblivious`). */
  readonly largePadding: boolean | undefined;
}

/** A part of RSS. */
export type ResidentPart =
  | Exclude<MappingOwner, 'malloc-heap' | 'malloc-arena' | 'malloc-large'>
  | 'array-buffers'
  | 'jemalloc-live'
  | 'jemalloc-pinned'
  | 'jemalloc-dirty'
  | 'jemalloc-muzzy'
  | 'jemalloc-metadata'
  | 'jemalloc-difference'
  | 'malloc'
  | 'rest';

/** What a figure rests on: the kernel's page tables, the books of jemalloc or of V8, or what is left when those are subtracted. */
export type ResidentSource = 'kernel' | 'jemalloc' | 'v8' | 'difference';

/** One row of the account. Rows add up to RSS; `parts` of a row add up to the row. */
export interface ResidentRow {
  readonly part: ResidentPart;
  readonly label: string;
  /** Negative where books count more than there is. */
  readonly bytes: number;
  readonly source: ResidentSource;
  readonly detail?: string;
  readonly parts?: readonly ResidentSubRow[];
}

/** What a row is made of. */
export interface ResidentSubRow {
  readonly label: string;
  readonly bytes: number;
}

/** Where the resident memory of a process is. All in bytes. */
export interface ResidentBreakdown {
  readonly pid: number;
  readonly atMs: number;
  /** The kernel's RSS, to which `rows` add up. */
  readonly residentBytes: number;
  /** How much RSS moved while it was looked at. */
  readonly driftBytes: number;
  readonly rows: readonly ResidentRow[];
  /** The sum of what no row can name, without signs: other anonymous memory, what jemalloc's books lack of its mappings, the rest. */
  readonly unexplainedBytes: number;
  /** What rows of jemalloc's books count, and the kernel does not: never touched. A row takes it off as a whole. */
  readonly untouchedBytes: number;
  readonly proportionalBytes: number;
  readonly swapBytes: number;
  readonly hugePageBytes: number;
  readonly hugetlbBytes: number;
  /** What a reader must know to judge the figures. */
  readonly notes: readonly string[];
}

/** What RSS is mostly made of, or wasted on. */
export type VerdictKind =
  | 'v8-heap'
  | 'native-live'
  | 'fragmentation'
  | 'undecayed'
  | 'threads'
  | 'mapped-files'
  | 'glibc'
  | 'shared-memory'
  | 'buffer-pool'
  | 'nothing';

/** One finding about RSS, in words. */
export interface ResidentVerdict {
  readonly kind: VerdictKind;
  /** `proven`: the evidence allows no other reading. `suspected`: it fits, and the remedy says how to be sure. */
  readonly certainty: 'proven' | 'suspected';
  readonly title: string;
  readonly evidence: readonly string[];
  /** What to do, best a command to type. */
  readonly remedies: readonly string[];
}
