/** What of this machine decides how an allocator behaves. Undefined is what could not be read. */
export interface HostFacts {
  readonly kernelRelease: string | undefined;
  readonly distribution: string | undefined;
  readonly pageBytes: number | undefined;
  readonly memoryBytes: number | undefined;
  /** The smallest memory limit of the control groups above the process, and the group that sets it. */
  readonly memoryLimit: MemoryLimit | undefined;
  /** `docker`, `podman`, `kubernetes`, …; undefined where nothing says that this is a container. */
  readonly container: string | undefined;
  /** vm.overcommit_memory: 0 heuristic, 1 always, 2 never. */
  readonly overcommit: 0 | 1 | 2 | undefined;
  readonly transparentHugePages: 'always' | 'madvise' | 'never' | undefined;
  readonly maxMappings: number | undefined;
  /** kernel.yama.ptrace_scope; undefined where the kernel has no Yama. */
  readonly ptraceScope: number | undefined;
}

/** A memory limit of a control group: of several the one of which most is used. */
export interface MemoryLimit {
  readonly bytes: number;
  /** Without page cache, which the kernel takes back by itself. */
  readonly usedBytes: number | undefined;
  readonly group: string;
  readonly version: 1 | 2;
}
