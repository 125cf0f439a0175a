import type { PreloadableAllocator } from '../../model/allocator.js';

/** What an installation is doing. */
export interface InstallProgress {
  readonly phase: 'wait' | 'lists' | 'download' | 'extract' | 'verify' | 'place' | 'system';
  /** One clause for people: `downloading libjemalloc2`. */
  readonly text: string;
}

/** What every function here takes. */
export interface InstallBaseOptions {
  /** Which allocator; jemalloc by default. */
  readonly allocator?: PreloadableAllocator | undefined;
  /** `user` (default): jemkit's own cache, no root. `system`: through the package manager. */
  readonly scope?: 'user' | 'system' | undefined;
  /** Says which commands would run, and runs none. */
  readonly dryRun?: boolean | undefined;
  /** Interrupts: what was there before stays. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: InstallProgress) => void) | undefined;
  /** `process.env` by default: PATH, HOME, XDG_CACHE_HOME, JEMKIT_CACHE_DIR, and whatever the package manager reads. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

/** Options of `install()`, and without `force` of `softInstall()` and `forceInstall()`. */
export interface InstallOptions extends InstallBaseOptions {
  /** Headers, static libraries and tools (jeprof) too. */
  readonly development?: boolean | undefined;
  /** A fresh copy even where the allocator is there already. */
  readonly force?: boolean | undefined;
  /** May become root through sudo; only with `scope: 'system'`. */
  readonly sudo?: boolean | undefined;
  /** The package manager (and sudo) may talk to this process's terminal; only with `scope: 'system'`. */
  readonly interactive?: boolean | undefined;
}
