/** One of the latest samples that jemalloc keeps (`prof_recent_alloc_max`). */
export interface RecentAllocation {
  readonly bytes: number;
  readonly allocatedAtNs: number;
  /** Undefined: not freed yet, or the time is not known. */
  readonly freedAtNs: number | undefined;
  readonly freed: boolean;
  /** The addresses of the stack, the allocating function first. */
  readonly trace: readonly number[];
}
