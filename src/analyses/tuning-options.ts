/** Bounds within which the tuner moves, and the numbers of its rules. */
export interface TuningOptions {
  /** The least and the most each may be set to, in milliseconds. A setting of `never` (-1) or above the most counts as the most. */
  readonly dirtyDecayMs: readonly [least: number, most: number];
  readonly muzzyDecayMs: readonly [least: number, most: number];
  /** May background threads be switched on and off? */
  readonly backgroundThread: boolean;
  /** May an idle process be purged? */
  readonly idlePurge: boolean;
  /** Used share of the limit from which on memory counts more than processor time, and below which there is room. */
  readonly nearLimit: number;
  readonly roomy: number;
  /** Fewer dirty bytes than this are not worth a step. */
  readonly leastDirtyBytes: number;
  /** Dirty bytes above this share of active ones are many. */
  readonly dirtyShare: number;
  /** Bytes purged per second above this are churn: they are most often faulted in again. */
  readonly churnBytesPerSecond: number;
  /** A process with fewer allocations per second, and less processor time than `idleProcessorShare`, is idle. */
  readonly idleAllocationsPerSecond: number;
  readonly idleProcessorShare: number;
  /** Looks that a condition must hold before its rule acts. */
  readonly holds: number;
  /** Looks after a step in which it is on trial. */
  readonly trial: number;
  /** A step on trial is undone when system time rises by more than this share of one core … */
  readonly mostSystemShareRise: number;
  /** … or the event loop's delay (99th percentile) above this multiple of what it was, and by this many milliseconds. */
  readonly mostDelayRatio: number;
  readonly mostDelayRiseMs: number;
  /** Between two steps of one key; a step back the other way waits twice as long as the one before, up to `longestRestMs`. */
  readonly restMs: number;
  readonly reversalRestMs: number;
  readonly longestRestMs: number;
  /** A step that was undone is not tried again for this long; doubles each time, up to `longestBanMs`. */
  readonly banMs: number;
  readonly longestBanMs: number;
  /** After so long with room and without a step, a setting goes back by one step toward where it was found. */
  readonly returnAfterMs: number;
  /** What one look may add to the tuner's clock. */
  readonly longestStepMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The defaults. */
export const TUNING_OPTIONS: TuningOptions = {
  dirtyDecayMs: [100, 30_000],
  muzzyDecayMs: [0, 10_000],
  backgroundThread: true,
  idlePurge: true,
  nearLimit: 0.8,
  roomy: 0.6,
  leastDirtyBytes: 16 * 2 ** 20,
  dirtyShare: 0.25,
  churnBytesPerSecond: 32 * 2 ** 20,
  idleAllocationsPerSecond: 2_000,
  idleProcessorShare: 0.02,
  holds: 3,
  trial: 3,
  mostSystemShareRise: 0.05,
  mostDelayRatio: 1.5,
  mostDelayRiseMs: 10,
  restMs: MINUTE_MS,
  reversalRestMs: 5 * MINUTE_MS,
  longestRestMs: 6 * HOUR_MS,
  banMs: 10 * MINUTE_MS,
  longestBanMs: 24 * HOUR_MS,
  returnAfterMs: 30 * MINUTE_MS,
  longestStepMs: 60_000,
};
