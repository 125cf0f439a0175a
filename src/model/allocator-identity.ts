import type { Libc, PreloadableAllocator } from './allocator.js';

/** Whose code answers malloc: one jemkit knows by name, the C library's own (`system`), or another (`other`, named by its file). */
export type ServingAllocator = PreloadableAllocator | 'system' | 'other';

/**
 * What an answer rests on, the most trusted first: malloc's slot in the process's memory, library names among its mappings,
 * symbols or strings inside the executable, a thread's name.
 */
export type AllocatorEvidence = 'got' | 'maps' | 'symbols' | 'strings' | 'thread-name';

/**
 * How it came into the process: LD_PRELOAD (or /etc/ld.so.preload), a dependency of the executable or of one of its libraries,
 * built into the executable, the C library's own, or loaded later by the program itself.
 */
export type AllocatorArrival = 'preload' | 'linked' | 'static' | 'system' | 'dlopen' | 'unknown';

/** A file that is mapped into a process. */
export interface MappedFile {
  readonly path: string;
  /** Unlinked or replaced on disk since it was mapped: the process still runs the old one. */
  readonly deleted: boolean;
}

/** What is said of an allocator wherever it stands. */
interface AllocatorFacts {
  readonly allocator: ServingAllocator;
  readonly arrival: AllocatorArrival;
  readonly evidence: AllocatorEvidence;
  /** As its own text says; undefined where it says nothing. */
  readonly version: string | undefined;
  /** The file that holds its code. */
  readonly file: MappedFile | undefined;
  /** The prefix of a build with names of its own: `_rjem_` for Rust's tikv-jemallocator. Empty for plain names. */
  readonly prefix: string;
}

/** An allocator that is in the process beside the one that serves malloc. */
export interface AllocatorBeside extends AllocatorFacts {
  /**
   * `serving-some`: malloc of the libraries in `servedFiles` leads to it. `not-serving`: mapped, but no slot of malloc leads to
   * it. `unmeasured`: mapped, and the slots could not be read. `private`: has names of its own, only its own program calls it.
   */
  readonly standing: 'serving-some' | 'not-serving' | 'unmeasured' | 'private';
  readonly servedFiles: readonly string[];
}

/** The allocator of a process that could be examined. */
export interface IdentifiedAllocator extends AllocatorFacts {
  readonly kind: 'identified';
  /**
   * `serving`: malloc's slot leads to it. `built-in`: inside an executable that has no such slot. `unmeasured`: told from the
   * mapped files alone.
   */
  readonly standing: 'serving' | 'built-in' | 'unmeasured';
  /** The C library of the executable; undefined for a static one that names none. */
  readonly libc: Libc | undefined;
  /** Whether the process's memory was read, or why not. */
  readonly memory: 'read' | 'no-permission' | 'no-slot';
  readonly beside: readonly AllocatorBeside[];
  /** What else a reader must know: `a Go program: its heap is the Go runtime's, not malloc's`. */
  readonly note: string | undefined;
}

/** Which allocator serves a process, or why that cannot be said. */
export type AllocatorIdentity =
  | IdentifiedAllocator
  /** The kernel does not let this user look into it. */
  | { readonly kind: 'no-permission' }
  /** No such process, or it ended while it was read. */
  | { readonly kind: 'gone' }
  /** It has ended and waits for its parent: it has no memory any more. */
  | { readonly kind: 'zombie' }
  | { readonly kind: 'kernel-thread' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** The facts of one ELF file that telling allocators apart needs; cached by the file's identity. */
export interface ImageFacts {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly libc: Libc | undefined;
  readonly architecture: string | undefined;
  readonly interpreter: string | undefined;
  /** It needs a dynamic loader or is loaded by one. */
  readonly dynamic: boolean;
  readonly soname: string | undefined;
  readonly needed: readonly string[];
  /** Of each loadable segment: [offset in the file, address]. */
  readonly segments: ReadonlyArray<readonly [fileOffset: number, address: number]>;
  /** Unrelocated addresses of the slots through which it calls malloc, its own exported one included. */
  readonly mallocSlots: readonly number[];
  readonly exportsMalloc: boolean;
  /** Unrelocated address of jemalloc's `malloc_conf`, a pointer to options that a program may compile in. */
  readonly mallocConfPointer: number | undefined;
  /** The allocator whose code it holds. */
  readonly holds: HeldAllocator | undefined;
  readonly goProgram: boolean;
}

/** The allocator whose code a file holds, and what says so. */
export interface HeldAllocator {
  readonly allocator: ServingAllocator;
  readonly prefix: string;
  readonly evidence: 'symbols' | 'strings';
  readonly version: string | undefined;
}
