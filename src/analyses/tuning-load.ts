/** One look at what the tuner goes by. Counters are totals so far; what is not known is undefined. */
export interface TuningObservation {
  readonly monotonicMs: number;
  readonly settings: TuningSettings;
  readonly activeBytes: number | undefined;
  readonly dirtyBytes: number | undefined;
  readonly muzzyBytes: number | undefined;
  /** All allocations of the process (`nmalloc`, small and large). */
  readonly allocations: number | undefined;
  /** Bytes given back so far by purging dirty pages, and muzzy ones. */
  readonly purgedBytes: number | undefined;
  /** `dirty_npurge`, and `stats.background_thread.num_runs`. */
  readonly sweeps: number | undefined;
  readonly backgroundRuns: number | undefined;
  /** Processor time of the whole process so far. */
  readonly userMs: number;
  readonly systemMs: number;
  /** 99th percentile of the event loop's delay since the last look. */
  readonly delayMs: number | undefined;
  /** Used share of the memory limit; undefined without one. */
  readonly usedShare: number | undefined;
}

/** What the tuner moves, as it is now. -1 is never. */
export interface TuningSettings {
  readonly dirty_decay_ms: number | undefined;
  readonly muzzy_decay_ms: number | undefined;
  readonly background_thread: boolean | undefined;
}

/** Rates between two looks. */
export interface TuningLoad {
  readonly allocationsPerSecond: number;
  readonly purgedBytesPerSecond: number;
  readonly sweepsPerSecond: number;
  readonly backgroundRunsPerSecond: number;
  /** Shares of one core. */
  readonly processorShare: number;
  readonly systemShare: number;
  readonly delayMs: number | undefined;
}

/** The load between two looks; undefined where no time passed, or a counter went backwards. */
export function loadBetween(before: TuningObservation, now: TuningObservation): TuningLoad | undefined {
  const ms = now.monotonicMs - before.monotonicMs;
  if (!(ms > 0)) return undefined;
  const rate = (name: 'allocations' | 'purgedBytes' | 'sweeps' | 'backgroundRuns') =>
    (((now[name] ?? 0) - (before[name] ?? 0)) / ms) * 1000;
  const user = now.userMs - before.userMs;
  const system = now.systemMs - before.systemMs;
  const load = {
    allocationsPerSecond: rate('allocations'),
    purgedBytesPerSecond: rate('purgedBytes'),
    sweepsPerSecond: rate('sweeps'),
    // The threads' count begins anew when they are switched on.
    backgroundRunsPerSecond: Math.max(0, rate('backgroundRuns')),
    processorShare: (user + system) / ms,
    systemShare: system / ms,
    delayMs: now.delayMs,
  };
  return Object.values(load).some((value) => value !== undefined && value < 0) ? undefined : load;
}

/** The mean of several loads; the delay is their highest. */
export function meanLoad(loads: readonly TuningLoad[]): TuningLoad | undefined {
  const first = loads[0];
  if (!first) return undefined;
  const mean = (name: Exclude<keyof TuningLoad, 'delayMs'>) =>
    loads.reduce((sum, load) => sum + load[name], 0) / loads.length;
  const delays = loads.map(({ delayMs }) => delayMs).filter((delay) => delay !== undefined);
  return {
    allocationsPerSecond: mean('allocationsPerSecond'),
    purgedBytesPerSecond: mean('purgedBytesPerSecond'),
    sweepsPerSecond: mean('sweepsPerSecond'),
    backgroundRunsPerSecond: mean('backgroundRunsPerSecond'),
    processorShare: mean('processorShare'),
    systemShare: mean('systemShare'),
    delayMs: delays.length === 0 ? undefined : Math.max(...delays),
  };
}
