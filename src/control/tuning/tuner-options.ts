import { TUNING_OPTIONS, type TuningOptions } from '../../analyses/tuning-options.js';
import type { TuningStep } from '../../model/tuning.js';
import { checkOptions, type OptionKinds, refuseOption, writtenOut } from '../memory/check-options.js';

/** Options of {@link openAutoTuner}, and of `createMemory({ tuning })`. */
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

const HERE = { caller: 'auto tuner' };

const KINDS: OptionKinds<AutoTunerOptions> = {
  dryRun: ['boolean'],
  intervalMs: ['number'],
  limitBytes: ['number'],
  dirtyDecayMs: ['array'],
  muzzyDecayMs: ['array'],
  backgroundThread: ['boolean'],
  idlePurge: ['boolean'],
  mostSystemShareRise: ['number'],
  mostDelayRiseMs: ['number'],
  restore: ['boolean'],
  onStep: ['function'],
};

const LONGEST_TIMER_MS = 2 ** 31 - 1;

function checkBounds(name: string, bounds: readonly [number, number]): void {
  const [least, most] = bounds;
  const fits = bounds.length === 2 && Number.isInteger(least) && Number.isInteger(most) && least >= 0 && least <= most;
  if (!fits || most > LONGEST_TIMER_MS)
    refuseOption(HERE, `${name} is ${writtenOut(bounds)} (expected [least, most] in whole milliseconds from 0)`);
}

function checkNumber(name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high))
    refuseOption(HERE, `${name} is ${value} (expected a number from ${low} to ${high})`);
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
  checkOptions(HERE, options, KINDS);
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
