import type { AllocatorIdentity } from './allocator-identity.js';

/** What `/proc/PID/stat` says that is used here. */
export interface ProcessStat {
  readonly pid: number;
  /** At most 15 bytes; a program may change it. */
  readonly commandName: string;
  /** `R`, `S`, `D`, `Z`, … */
  readonly state: string;
  readonly parentPid: number;
  readonly kernelThread: boolean;
  /** Clock ticks after boot. */
  readonly startTicks: number;
}

/** What `/proc/PID/status` says that is used here; a field the kernel does not have is undefined. */
export interface ProcessStatus {
  readonly realUid: number | undefined;
  readonly effectiveUid: number | undefined;
  readonly residentBytes: number | undefined;
  readonly threads: number | undefined;
  readonly noNewPrivileges: boolean | undefined;
}

/** One mount as a process sees it. */
export interface Mount {
  readonly mountPoint: string;
  readonly fileSystem: string;
  readonly options: readonly string[];
  /** The folder of the file system that is mounted here: `/` is all of it. */
  readonly root?: string;
  /** Options of the file system itself; of a control group its controllers. */
  readonly superOptions?: readonly string[];
}

/** One line of `/proc/PID/cgroup`. */
export interface ControlGroup {
  readonly version: 1 | 2;
  /** Of version 1; empty for version 2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** A process as `jem ps` lists it. */
export interface ListedProcess {
  readonly pid: number;
  readonly uid: number | undefined;
  readonly residentBytes: number | undefined;
  /** The kernel's short name of it, read only where it has no arguments; empty otherwise. */
  readonly commandName: string;
  readonly argv: readonly string[];
  readonly identity: AllocatorIdentity;
}
