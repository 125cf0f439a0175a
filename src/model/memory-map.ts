/** One line of `/proc/PID/maps`. */
export interface MemoryMapping {
  readonly start: number;
  readonly end: number;
  /** `rwxp`, as the kernel prints it. */
  readonly permissions: string;
  readonly fileOffset: number;
  /** `major:minor` in hex, as printed. */
  readonly device: string;
  readonly inode: number;
  /** The file's path or a name such as `[heap]`; undefined for an anonymous mapping. ` (deleted)` is taken off. */
  readonly path: string | undefined;
  /** The file was unlinked or replaced after it was mapped. */
  readonly deleted: boolean;
}
