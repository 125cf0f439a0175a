import type { MappingMemory } from '../../src/model/mapping-memory.js';
import type { InsideFacts, ResidentFacts } from '../../src/model/resident-breakdown.js';

/** Flags as V8, jemalloc, a stack and an ordinary mmap get them. */
export const FLAGS = {
  v8: ['rd', 'wr', 'dc', 'nr'],
  jemalloc: ['rd', 'wr', 'nr'],
  stack: ['rd', 'wr', 'ac', 'nh'],
  plain: ['rd', 'wr', 'ac'],
} as const;

/** An anonymous `rw-p` mapping of a size, all of it resident. */
export function mapping(start: number, bytes: number, over: Partial<MappingMemory> = {}): MappingMemory {
  return {
    start,
    end: start + bytes,
    permissions: 'rw-p',
    fileOffset: 0,
    device: '00:00',
    inode: 0,
    path: undefined,
    deleted: false,
    residentBytes: bytes,
    proportionalBytes: bytes,
    anonymousBytes: bytes,
    privateBytes: bytes,
    sharedBytes: 0,
    referencedBytes: bytes,
    swapBytes: 0,
    lazyFreeBytes: 0,
    hugePageBytes: 0,
    hugetlbBytes: 0,
    flags: new Set(FLAGS.plain),
    ...over,
  };
}

/** A process of these mappings, served by jemalloc; RSS is their sum. */
export function residentFacts(mappings: readonly MappingMemory[], over: Partial<ResidentFacts> = {}): ResidentFacts {
  const residentBytes = mappings.reduce((total, one) => total + one.residentBytes, 0);
  return {
    pid: 4711,
    atMs: 0,
    residentBeforeBytes: residentBytes,
    residentAfterBytes: residentBytes,
    mappings,
    threads: [],
    allocator: {
      kind: 'identified',
      allocator: 'jemalloc',
      arrival: 'preload',
      evidence: 'got',
      version: '5.3.0',
      file: undefined,
      prefix: '',
      standing: 'serving',
      libc: 'glibc',
      memory: 'read',
      beside: [],
      note: undefined,
    },
    holdsV8: false,
    architecture: 'x64',
    strictOvercommit: false,
    largeBlocks: new Set(),
    ...over,
  };
}

/** Nobody inside says anything. */
export const NOBODY_INSIDE: InsideFacts = {
  jemalloc: undefined,
  node: undefined,
  nodeAgeMs: undefined,
  poolBlocks: undefined,
  largePadding: undefined,
};
