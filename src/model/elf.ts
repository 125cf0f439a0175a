import type { Architecture, Libc } from './allocator.js';

/** One loadable segment of an ELF file, bytes. */
export interface ElfSegment {
  readonly fileOffset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly executable: boolean;
}

/** What the headers of an ELF file say about how it is loaded. */
export interface ElfImage {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly type: 'executable' | 'shared' | 'other';
  /** Undefined for a machine that Node does not run on; `machine` has the raw number then. */
  readonly architecture: Architecture | undefined;
  readonly machine: number;
  /** PT_INTERP: the loader that starts it; undefined for a library and for a static program. */
  readonly interpreter: string | undefined;
  readonly hasDynamicSection: boolean;
  /** DT_NEEDED, in order. */
  readonly needed: readonly string[];
  readonly soname: string | undefined;
  /** From the loader's name, else from the C library among `needed`; undefined where neither tells. */
  readonly libc: Libc | undefined;
  readonly segments: readonly ElfSegment[];
  /** PT_NOTE: where the notes are in the file. */
  readonly notes: ReadonlyArray<{ readonly fileOffset: number; readonly bytes: number }>;
  /** Raw values of the dynamic section by tag; the first of each. */
  readonly dynamic: ReadonlyMap<number, number>;
}

/** The outcome of reading a file as ELF. */
export type ElfReading =
  | { readonly kind: 'elf'; readonly image: ElfImage }
  | { readonly kind: 'not-elf' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | { readonly kind: 'unreadable'; readonly code: string };
