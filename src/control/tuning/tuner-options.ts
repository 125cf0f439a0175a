import { TUNING_OPTIONS, type TuningOptions } from '../../analyses/tuning-options.js';
import { JemkitError } from '../../errors.js';
import type { TuningStep } from '../../model/tuning.js';

/** Options of {@link openAutoTuner}. */
export interface AutoTunerOptions {
  /** Only says what it would do: nothing is written. */
  readonly dryRun?: boolean | undefined;
  /** How often it looks, in milliseconds: 10,000. */
  readonly intervalMs?: number | undefined;
  /** A limit in bytes for this process's anonymous memory, beside those of its control groups. */
  readonly limitBytes?: number | undefined;
  /** The least and the most that it may set, in milliseconds: 100 to 30,000. */
  readonly dirtyDecayMs?: readonly [least: number, most: number] | undefined;
  /** The same for muzzy pages: 0 to 10,000. */
  readonly muzzyDecayMs?: readonly [least: number, most: number] | undefined;
  /** May it switch background threads on and off? Yes. */
  readonly backgroundThread?: boolean | undefined;
  /** May it purge an idle process? Yes. */
  readonly idlePurge?: boolean | undefined;
  /** A step is undone when system time rises by more than this share of one core after it: 0.05. */
  readonly mostSystemShareRise?: number | undefined;
  /** A step is undone when the event loop's delay (p99) rises by more than this many milliseconds, and half of what it was: 10. */
  readonly mostDelayRiseMs?: number | undefined;
  /** close() puts the settings back that were found: true. */
  readonly restore?: boolean | undefined;
  /** Each step, as it is taken. */
  readonly onStep?: ((step: TuningStep) => void) | undefined;
}

function usage(message: string, expected: string): never {
  throw new JemkitError('ERR_JEM_USAGE', `auto tuner: ${message} (expected ${expected})`, {
    hint: 'leave it out for the default',
  });
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

function checkBounds(name: string, bounds: readonly [number, number]): void {
  const [least, most] = Array.isArray(bounds) ? bounds : [];
  const fits = Number.isInteger(least) && Number.isInteger(most) && least! >= 0 && least! <= most!;
  if (!fits || most! > LONGEST_TIMER_MS)
    usage(`${name} is ${JSON.stringify(bounds)}`, '[least, most] in whole milliseconds from 0');
}

function checkNumber(name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) usage(`${name} is ${value}`, `a number from ${low} to ${high}`);
}

/**
 * Fills in the defaults.
 *
 * @throws JemkitError ERR_JEM_USAGE
 */
export function checkTunerOptions(options: AutoTunerOptions): {
  readonly core: TuningOptions;
  readonly intervalMs: number;
  readonly dryRun: boolean;
  readonly restore: boolean;
} {
  const { intervalMs = 10_000, dryRun = false, restore = true, limitBytes } = options;
  const dirtyDecayMs = options.dirtyDecayMs ?? TUNING_OPTIONS.dirtyDecayMs;
  const muzzyDecayMs = options.muzzyDecayMs ?? TUNING_OPTIONS.muzzyDecayMs;
  const mostSystemShareRise = options.mostSystemShareRise ?? TUNING_OPTIONS.mostSystemShareRise;
  const mostDelayRiseMs = options.mostDelayRiseMs ?? TUNING_OPTIONS.mostDelayRiseMs;
  checkNumber('intervalMs', intervalMs, 10, LONGEST_TIMER_MS);
  if (limitBytes !== undefined) checkNumber('limitBytes', limitBytes, 1, Number.MAX_SAFE_INTEGER);
  checkBounds('dirtyDecayMs', dirtyDecayMs);
  checkBounds('muzzyDecayMs', muzzyDecayMs);
  checkNumber('mostSystemShareRise', mostSystemShareRise, 0, 1024);
  checkNumber('mostDelayRiseMs', mostDelayRiseMs, 0, LONGEST_TIMER_MS);
  return {
    intervalMs,
    dryRun,
    restore,
    core: {
      ...TUNING_OPTIONS,
      dirtyDecayMs,
      muzzyDecayMs,
      mostSystemShareRise,
      mostDelayRiseMs,
      backgroundThread: options.backgroundThread ?? TUNING_OPTIONS.backgroundThread,
      idlePurge: options.idlePurge ?? TUNING_OPTIONS.idlePurge,
      longestStepMs: Math.max(TUNING_OPTIONS.longestStepMs, 5 * intervalMs),
    },
  };
}
