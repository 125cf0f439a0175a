import type { PreloadableAllocator } from './allocator.js';
import type { ConfSource } from './jemalloc-message.js';

/** The variables that put an allocator into programs and configure it. */
export const ALLOCATOR_VARIABLES = [
  'LD_PRELOAD',
  'DYLD_INSERT_LIBRARIES',
  'MALLOC_CONF',
  '_RJEM_MALLOC_CONF',
  'JE_MALLOC_CONF',
] as const;

/** One library named by LD_PRELOAD or /etc/ld.so.preload, and what the loader will make of it. */
export interface PreloadEntry {
  /** As it stands there. */
  readonly text: string;
  readonly place: 'LD_PRELOAD' | '/etc/ld.so.preload';
  /** The file, by its real path; undefined where there is none, or where only the loader knows (`$LIB`, a name without a slash). */
  readonly path: string | undefined;
  readonly state:
    | 'fits'
    | 'missing'
    | 'unreadable'
    | 'not-a-library'
    | 'wrong-architecture'
    | 'wrong-libc'
    | 'noexec'
    /** A name or a pattern that the loader resolves by itself. */
    | 'left-to-the-loader';
  /** One clause about the state: what was received, what was expected. */
  readonly detail: string | undefined;
  readonly allocator: PreloadableAllocator | undefined;
  /** When the file was last changed or put there, milliseconds since 1970. */
  readonly changedMs: number | undefined;
}

/** A place that sets one of {@link ALLOCATOR_VARIABLES}. */
export interface EnvironmentSetting {
  readonly variable: string;
  /** As written; shell expansions are not carried out. */
  readonly value: string;
  readonly kind: 'shell-profile' | 'system-file' | 'systemd-unit' | 'environment';
  readonly path: string;
  /** From 1; undefined for a process's environment. */
  readonly line: number | undefined;
  readonly modifiedMs: number | undefined;
}

/** One string of options that a jemalloc reads. */
export interface ConfOrigin {
  readonly source: ConfSource;
  /** What to look for there: a variable's name, a path. */
  readonly name: string;
  readonly text: string;
}

/** One `key:value` and who says so. */
export interface SetOption {
  readonly key: string;
  readonly value: string;
  readonly origin: ConfOrigin;
}

/** One option as jemalloc will use it, and who set it. */
export interface EffectiveOption extends SetOption {
  /** Earlier settings of the same option, which lost. */
  readonly overrides: readonly ConfOrigin[];
}
