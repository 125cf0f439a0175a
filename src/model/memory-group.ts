/** What is charged to a control group, its children included. What this kernel does not tell is undefined. All in bytes. */
export interface GroupMemory {
  /** Memory of programs: heaps and stacks. */
  readonly anonymousBytes: number | undefined;
  /** Page cache, tmpfs and shared memory included. */
  readonly fileBytes: number | undefined;
  /** tmpfs and shared memory alone: without swap the kernel cannot take it back. */
  readonly sharedMemoryBytes: number | undefined;
  /** The kernel's own memory for the group that it cannot take back: stacks, page tables, slabs. Version 2 only. */
  readonly kernelBytes: number | undefined;
}

/** What happened at the limits of a control group, as counts. */
export interface GroupMemoryEvents {
  /** Times its processes were slowed down above memory.high. Version 2 only. */
  readonly high: number | undefined;
  /** Times it ran into its limit. Version 2 only. */
  readonly max: number | undefined;
  /** Processes of it that the kernel killed for want of memory. */
  readonly killed: number | undefined;
}

/** A control group above a process (or its own), as its memory controller has it. */
export interface MemoryGroup {
  readonly version: 1 | 2;
  /** Its path as the process sees it: `/` in a container is the container's own group. */
  readonly group: string;
  /** The folder with its files. */
  readonly folder: string;
  /** memory.max, memory.limit_in_bytes: above it the kernel kills. Undefined where there is none. */
  readonly limitBytes: number | undefined;
  /** memory.high: above it the kernel slows the group down. */
  readonly highBytes: number | undefined;
  /** All that is charged, page cache included. */
  readonly currentBytes: number | undefined;
}
