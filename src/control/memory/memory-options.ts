import { nearestName } from '../../analyses/nearest-name.js';
import { JemkitError } from '../../errors.js';
import type { PressureLadderOptions } from '../pressure/pressure-ladder.js';
import type { AutoTunerOptions } from '../tuning/auto-tuner.js';

/** From when on a trend is told. */
export interface TrendOptions {
  /** Samples of the first so many milliseconds do not count: every program grows while it starts. Default 10 minutes. */
  readonly warmUpMs?: number;
  /** How long must have been seen after that, in milliseconds. Default 20 minutes. */
  readonly minimumSpanMs?: number;
  /** How many samples there must be after that; at least 10. Default 20. */
  readonly minimumSamples?: number;
}

/** Options of {@link createMemory}. All may be left out. */
export interface MemoryOptions {
  /**
   * The application means to run under jemalloc. Nothing is started again for it: that is `ensureJemalloc()` or `jemkit/auto`, before
   * all else. Where jemalloc does not serve, one warning of the process says so (`JEMKIT_NO_JEMALLOC`), and `allocatorInfo().whyNot` why.
   */
  readonly useJemalloc?: boolean;
  /** Heap profiling is on (`prof.active`) until `close()`, where the process was started with `prof:true`; default false. */
  readonly memoryProfiling?: boolean;
  /** The auto tuner runs until `close()`; default false, or true where `tuning` is given. */
  readonly autoMemoryTuning?: boolean;
  /** The auto tuner's bounds. */
  readonly tuning?: AutoTunerOptions;
  /** Milliseconds between two samples: 60,000 by default, 10 at least; 0 for none but those that `stats()` takes. */
  readonly memoryStatsInterval?: number;
  /** How many samples are kept, 128 bytes each: 1,440 by default, a day of minutes. */
  readonly historySize?: number;
  /**
   * The pressure ladder with these options, or `true` for its own defaults, which act: they decay, purge and collect. Where it is left
   * out, a listener of `pressure` is told of pressure and nothing is changed. `false`: neither.
   */
  readonly pressure?: PressureLadderOptions | boolean;
  readonly trend?: TrendOptions;
  /** Other processes of this user may ask this one (`jem stats`, `jem explain`) through a socket that only they can open; default true. */
  readonly observable?: boolean;
}

/** The options with their defaults. */
export interface CheckedMemoryOptions extends MemoryOptions {
  readonly memoryProfiling: boolean;
  readonly autoMemoryTuning: boolean;
  readonly memoryStatsInterval: number;
  readonly historySize: number;
  readonly trend: Required<TrendOptions>;
  readonly observable: boolean;
}

const KINDS: Readonly<Record<keyof MemoryOptions, readonly string[]>> = {
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

/** Timers of Node fire at once when they are set for longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function usage(message: string, hint: string): never {
  throw new JemkitError('ERR_JEM_USAGE', `createMemory: ${message}`, { hint });
}

function checkNames(given: object, known: readonly string[], where: string): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    usage(`no option '${where}${name}'`, nearest ? `did you mean '${nearest}'?` : `expected ${known.join(', ')}`);
  }
}

function checkRange(name: string, value: number, low: number, high: number, exception?: number): void {
  if ((Number.isInteger(value) && value >= low && value <= high) || value === exception) return;
  const also = exception === undefined ? '' : `${exception} or `;
  usage(`${name} is ${value} (expected ${also}a whole number from ${low} to ${high})`, 'leave it out for the default');
}

/**
 * Fills in the defaults.
 *
 * @throws JemkitError ERR_JEM_USAGE for an unknown option, or a value of the wrong kind or out of its range.
 */
export function checkMemoryOptions(options: MemoryOptions): CheckedMemoryOptions {
  if (typeof options !== 'object' || options === null)
    usage(`received ${String(options)}`, 'expected an object of options');
  checkNames(options, Object.keys(KINDS), '');
  for (const [name, kinds] of Object.entries(KINDS)) {
    const value = options[name as keyof MemoryOptions];
    const kind = value === null ? 'null' : typeof value;
    if (value !== undefined && !kinds.includes(kind))
      usage(`${name} is ${kind} (expected ${kinds.join(' or ')})`, 'leave it out for the default');
  }
  const { memoryStatsInterval = 60_000, historySize = 1440, tuning, trend = {} } = options;
  const { warmUpMs = 600_000, minimumSpanMs = 1_200_000, minimumSamples = Math.min(20, historySize) } = trend;
  checkNames(trend, ['warmUpMs', 'minimumSpanMs', 'minimumSamples'], 'trend.');
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
