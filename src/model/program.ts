import type { FileIdentity, LibraryTarget } from './allocator.js';

/** A file that the kernel or a script starts on the way to the program: `env`, a shell, the interpreter itself. */
export interface ProgramStep {
  readonly path: string;
  readonly identity: FileIdentity;
}

/** A command as the kernel will start it. */
export interface ResolvedProgram {
  /** What is handed to execve. */
  readonly path: string;
  /** Set where execve would refuse the file and a shell runs it instead, as execvp(3) does for a script without `#!`. */
  readonly throughShell: boolean;
  /** Every file started in turn; the last is the real interpreter. */
  readonly steps: readonly ProgramStep[];
  /** The last step by its real path: the ELF (or Mach-O) program in which the allocator will serve. */
  readonly interpreter: string;
  /** Undefined where the program takes no preloaded library; `unpreloadable` says why. */
  readonly target: LibraryTarget | undefined;
  readonly unpreloadable:
    | 'static'
    | 'setuid'
    | 'file-capabilities'
    | 'foreign-machine'
    | 'not-readable'
    | 'unknown-libc'
    | 'environment-dropped'
    | undefined;
}

/** The outcome of looking a command up. */
export type ProgramResolution =
  | { readonly kind: 'resolved'; readonly program: ResolvedProgram }
  | { readonly kind: 'not-found'; readonly name: string }
  | { readonly kind: 'not-executable'; readonly path: string; readonly reason: string };
