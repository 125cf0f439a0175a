import type { Architecture, Libc } from './allocator.js';
import type {
  ConfOrigin,
  EffectiveOption,
  EnvironmentSetting,
  PreloadEntry,
  SetOption,
} from './allocator-environment.js';
import type { AllocatorIdentity } from './allocator-identity.js';
import type { Finding } from './finding.js';
import type { HostFacts } from './host.js';
import type { LaunchPlan } from './launch-plan.js';
import type { LibrarySearch } from './library-search.js';
import type { LibraryProbe } from './probe.js';
import type { ResolvedProgram } from './program.js';

/** jemalloc's options in one place, and what is wrong with them. */
export interface ConfFacts {
  readonly origins: readonly ConfOrigin[];
  readonly effective: readonly EffectiveOption[];
  /** Pairs that are set and change nothing. */
  readonly ignored: readonly SetOption[];
  readonly findings: readonly Finding[];
  /** The jemalloc they were judged by; undefined judges by what holds for all of 5.x. */
  readonly version: string | undefined;
}

/** Where the files for working with jemalloc are; undefined is not found. */
export interface DevelopmentFacts {
  readonly header: string | undefined;
  readonly jeprof: string | undefined;
  readonly jemallocConfig: string | undefined;
}

/** What `jem doctor` found out about this machine and shell. */
export interface MachineFacts {
  readonly kind: 'machine';
  readonly node: { readonly path: string; readonly version: string; readonly program: ResolvedProgram | undefined };
  readonly native: { readonly kind: 'loaded' } | { readonly kind: 'missing'; readonly reason: string };
  readonly search: LibrarySearch;
  /** Of the library found, by a real start of this node with it. */
  readonly probe: LibraryProbe | undefined;
  readonly development: DevelopmentFacts;
  /** This very process: what the shell's environment does to a program today. */
  readonly shell: {
    readonly identity: AllocatorIdentity;
    readonly entries: readonly PreloadEntry[];
    readonly variables: Readonly<Record<string, string>>;
  };
  readonly settings: readonly EnvironmentSetting[];
  readonly conf: ConfFacts;
  readonly host: HostFacts;
}

/** A process above another. */
export interface Ancestor {
  readonly pid: number;
  readonly command: string;
  /** `unreadable`: another user's. */
  readonly preload: { readonly kind: 'read'; readonly value: string | undefined } | { readonly kind: 'unreadable' };
  /** pm2's daemon, from which pm2's own processes inherit. */
  readonly pm2Daemon: boolean;
}

/** The file a process runs. */
export interface RunningExecutable {
  readonly path: string;
  readonly deleted: boolean;
  readonly libc: Libc | undefined;
  readonly architecture: Architecture | undefined;
  readonly isStatic: boolean;
}

/** What `jem doctor PID` found out about a process. */
export interface ProcessFacts {
  readonly kind: 'process';
  readonly pid: number;
  readonly command: string;
  readonly user: string | undefined;
  readonly residentBytes: number | undefined;
  readonly startedMs: number | undefined;
  readonly identity: AllocatorIdentity;
  readonly executable: RunningExecutable | undefined;
  /** AT_SECURE: the loader ignored LD_PRELOAD, and jemalloc MALLOC_CONF. */
  readonly secure: boolean | undefined;
  /** The variables it was started with; undefined where they cannot be read. */
  readonly variables: Readonly<Record<string, string>> | undefined;
  readonly entries: readonly PreloadEntry[];
  /** From the parent upwards. */
  readonly ancestors: readonly Ancestor[];
  readonly unit:
    | { readonly name: string; readonly ofUser: boolean; readonly settings: readonly EnvironmentSetting[] | undefined }
    | undefined;
  readonly settings: readonly EnvironmentSetting[];
  /** LD_PRELOAD of the shell that asks. */
  readonly callerPreload: string | undefined;
  /** It sees other files than we do: a container, a chroot, or a service with a file system of its own. */
  readonly otherFiles: boolean;
  /** A library that would fit it, as `jem run` would find it. */
  readonly suggestedLibrary: string | undefined;
  readonly conf: ConfFacts;
  readonly host: HostFacts;
}

/** What `jem doctor -- command` found out. */
export interface CommandFacts {
  readonly kind: 'command';
  readonly words: readonly string[];
  readonly plan: LaunchPlan;
  /** A start of the real interpreter at this moment, stopped before its `main`. Undefined where there was no library to try. */
  readonly smoke: LibraryProbe | undefined;
  /** What this shell's LD_PRELOAD and /etc/ld.so.preload name. */
  readonly entries: readonly PreloadEntry[];
  readonly conf: ConfFacts;
}

/** Everything a page of `jem doctor` is made of. */
export type DoctorFacts = MachineFacts | ProcessFacts | CommandFacts;
