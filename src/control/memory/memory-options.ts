import { checkLadderOptions, type PressureLadderOptions } from '../pressure/pressure-options.js';
import { type AutoTunerOptions, checkTunerOptions } from '../tuning/tuner-options.js';
import { checkOptions, type OptionKinds, refuseOption } from './check-options.js';

/** From when on a trend is told. */
export interface TrendOptions {
  /** Samples of the first so many milliseconds do not count: every program grows while it starts. Default 10 minutes. */
  readonly warmUpMs?: number | undefined;
  /** How long must have been seen after that, in milliseconds. Default 20 minutes. */
  readonly minimumSpanMs?: number | undefined;
  /** How many samples there must be after that; at least 10. Default 20. */
  readonly minimumSamples?: number | undefined;
}

/** Options of {@link createMemory}. All may be left out. */
export interface MemoryOptions {
  /**
   * The application means to run under jemalloc. Nothing is started again for it: that is `ensureJemalloc()` or `jemkit/auto`, before
   * all else. Where jemalloc does not serve, one warning of the process says so (`JEMKIT_NO_JEMALLOC`), and `allocatorInfo().whyNot` why.
   * No warning comes in workers, after `ensureJemalloc()` has dealt with it, and where `JEMKIT_FALLBACK` is `silent` or `JEMKIT_DISABLE` is `1`.
   */
  readonly useJemalloc?: boolean | undefined;
  /** Heap profiling is on (`prof.active`) until `close()`, where the process was started with `prof:true`; default false. In the main thread only. */
  readonly memoryProfiling?: boolean | undefined;
  /** The auto tuner runs until `close()`; default false, or true where `tuning` is given. One in a process, in the main thread. */
  readonly autoMemoryTuning?: boolean | undefined;
  /** The auto tuner's bounds. */
  readonly tuning?: AutoTunerOptions | undefined;
  /** Milliseconds between two samples: 60,000 by default, 10 at least; 0 for none but those that `stats()` takes. */
  readonly memoryStatsInterval?: number | undefined;
  /** How many samples are kept, 128 bytes each: 1,440 by default, a day of minutes. */
  readonly historySize?: number | undefined;
  /**
   * The pressure ladder with these options, or `true` for its own defaults, which act: they decay, purge and collect. Where it is left
   * out, a listener of `pressure` is told of pressure and nothing is changed. `false`: neither.
   */
  readonly pressure?: PressureLadderOptions | boolean | undefined;
  readonly trend?: TrendOptions | undefined;
  /** Other processes of this user may ask this one (`jem stats`, `jem explain`) through a socket that only they can open; default true. */
  readonly observable?: boolean | undefined;
}

/** The options with their defaults. */
export interface CheckedMemoryOptions extends MemoryOptions {
  readonly memoryProfiling: boolean;
  readonly autoMemoryTuning: boolean;
  readonly memoryStatsInterval: number;
  readonly historySize: number;
  readonly trend: { readonly [Name in keyof TrendOptions]-?: number };
  readonly observable: boolean;
}

const KINDS: OptionKinds<MemoryOptions> = {
  useJemalloc: ['boolean'],
  memoryProfiling: ['boolean'],
  autoMemoryTuning: ['boolean'],
  tuning: ['object'],
  memoryStatsInterval: ['number'],
  historySize: ['number'],
  pressure: ['boolean', 'object'],
  trend: ['object'],
  observable: ['boolean'],
};

const TREND_KINDS: OptionKinds<TrendOptions> = {
  warmUpMs: ['number'],
  minimumSpanMs: ['number'],
  minimumSamples: ['number'],
};

const HERE = { caller: 'createMemory' };

/** Timers of Node fire at once when they are set for longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function checkRange(name: string, value: number, low: number, high: number, exception?: number): void {
  if ((Number.isInteger(value) && value >= low && value <= high) || value === exception) return;
  const also = exception === undefined ? '' : `${exception} or `;
  refuseOption(HERE, `${name} is ${value} (expected ${also}a whole number from ${low} to ${high})`);
}

/**
 * Fills in the defaults.
 *
 * @throws JemkitError ERR_JEM_USAGE for an unknown option, or a value of the wrong kind or out of its range.
 */
export function checkMemoryOptions(options: MemoryOptions): CheckedMemoryOptions {
  checkOptions(HERE, options, KINDS);
  const { memoryStatsInterval = 60_000, historySize = 1440, tuning, pressure, trend = {} } = options;
  checkOptions({ ...HERE, prefix: 'trend.' }, trend, TREND_KINDS);
  // Also where they have no effect here: what is wrong is to be seen on the developer's machine, which may have no jemalloc.
  if (tuning) checkTunerOptions(tuning);
  if (typeof pressure === 'object') checkLadderOptions(pressure);
  const { warmUpMs = 600_000, minimumSpanMs = 1_200_000, minimumSamples = Math.min(20, historySize) } = trend;
  checkRange('memoryStatsInterval', memoryStatsInterval, 10, LONGEST_TIMER_MS, 0);
  checkRange('historySize', historySize, 10, 1_000_000);
  checkRange('trend.warmUpMs', warmUpMs, 0, Number.MAX_SAFE_INTEGER);
  checkRange('trend.minimumSpanMs', minimumSpanMs, 0, Number.MAX_SAFE_INTEGER);
  checkRange('trend.minimumSamples', minimumSamples, 10, historySize);
  return {
    ...options,
    memoryProfiling: options.memoryProfiling ?? false,
    autoMemoryTuning: options.autoMemoryTuning ?? tuning !== undefined,
    memoryStatsInterval,
    historySize,
    trend: { warmUpMs, minimumSpanMs, minimumSamples },
    observable: options.observable ?? true,
  };
}
