import { LADDER_OPTIONS, type LadderOptions } from '../../analyses/pressure-ladder.js';
import { PRESSURE_THRESHOLDS, type PressureThresholds, type Threshold } from '../../analyses/pressure-level.js';
import {
  PRESSURE_RUNGS,
  type PressureEvent,
  type PressureRung,
  type PressureSignal,
} from '../../model/memory-pressure.js';
import { checkOptions, type OptionKinds, refuseOption, writtenOut } from '../memory/check-options.js';

const LEVELS = ['elevated', 'high', 'critical'] as const;

/** Options of {@link openPressureLadder}, and of `createMemory({ pressure })`. */
export interface PressureLadderOptions {
  /** A limit in bytes for this process's anonymous memory, beside those of its control groups; the nearer one counts. */
  readonly limitBytes?: number | undefined;
  /** How often it looks, in milliseconds: 1,000. */
  readonly intervalMs?: number | undefined;
  /** `false` switches a rung off. */
  readonly rungs?: { readonly [Rung in PressureRung]?: boolean | undefined } | undefined;
  /** From where on a level holds and below what it is left: shares of the limit (0 to 1). 0.80/0.75, 0.90/0.85, 0.95/0.92. */
  readonly thresholds?: { readonly [Level in (typeof LEVELS)[number]]?: Threshold | undefined } | undefined;
  /** How long a level must not be needed before it is left, in milliseconds: 30,000. Doubles when pressure comes back soon. */
  readonly leaveAfterMs?: number | undefined;
  /** Where heap profiles go; without it none is written. */
  readonly dumpFolder?: string | undefined;
  /** At most one heap profile in this time, in milliseconds: 3,600,000; and ten in all. */
  readonly dumpEveryMs?: number | undefined;
  /** Called when the ladder has come to its last rung, when the level changes after that, and when the pressure is over. */
  readonly onPressure?: ((signal: PressureSignal) => void | Promise<void>) | undefined;
  /** Each change of level and each rung climbed. */
  readonly onEvent?: ((event: PressureEvent) => void) | undefined;
}

const HERE = { caller: 'pressure ladder' };

const KINDS: OptionKinds<PressureLadderOptions> = {
  limitBytes: ['number'],
  intervalMs: ['number'],
  rungs: ['object'],
  thresholds: ['object'],
  leaveAfterMs: ['number'],
  dumpFolder: ['string'],
  dumpEveryMs: ['number'],
  onPressure: ['function'],
  onEvent: ['function'],
};

const RUNG_KINDS: OptionKinds<NonNullable<PressureLadderOptions['rungs']>> = {
  decay: ['boolean'],
  purge: ['boolean'],
  collect: ['boolean'],
  dump: ['boolean'],
  handler: ['boolean'],
};

const THRESHOLD_KINDS: OptionKinds<NonNullable<PressureLadderOptions['thresholds']>> = {
  elevated: ['object'],
  high: ['object'],
  critical: ['object'],
};

/** A timer of more milliseconds fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function checkNumber(name: string, value: number | undefined, low: number, high = Number.MAX_SAFE_INTEGER): void {
  if (value === undefined || (Number.isFinite(value) && value >= low && value <= high)) return;
  const range = high === Number.MAX_SAFE_INTEGER ? `from ${low}` : `from ${low} to ${high}`;
  refuseOption(HERE, `${name} is ${value} (expected a number ${range})`);
}

const isShare = (value: unknown): value is number => typeof value === 'number' && value > 0 && value <= 1;

function checkThresholds(used: PressureThresholds['used']): void {
  let below: Threshold | undefined;
  for (const level of LEVELS) {
    const threshold = used[level];
    const { enter, leave } = threshold;
    if (!isShare(enter) || !isShare(leave) || leave >= enter)
      refuseOption(
        HERE,
        `thresholds.${level} is ${writtenOut(threshold)} (expected { enter, leave }, shares of the limit with 0 < leave < enter ≤ 1)`,
      );
    if (below && !(enter > below.enter && leave > below.leave))
      refuseOption(
        HERE,
        `thresholds.${level} is ${writtenOut(threshold)} (expected more than those of the level below it)`,
      );
    below = threshold;
  }
}

/**
 * Fills in the defaults.
 *
 * @throws JemkitError ERR_JEM_USAGE
 */
export function checkLadderOptions(options: PressureLadderOptions): { core: LadderOptions; intervalMs: number } {
  checkOptions(HERE, options, KINDS);
  const {
    limitBytes,
    intervalMs = 1_000,
    rungs = {},
    thresholds = {},
    leaveAfterMs,
    dumpEveryMs,
    dumpFolder,
  } = options;
  checkNumber('limitBytes', limitBytes, 1);
  checkNumber('intervalMs', intervalMs, 10, LONGEST_TIMER_MS);
  checkNumber('leaveAfterMs', leaveAfterMs, 0);
  checkNumber('dumpEveryMs', dumpEveryMs, 0);
  checkOptions({ ...HERE, prefix: 'rungs.' }, rungs, RUNG_KINDS);
  checkOptions({ ...HERE, prefix: 'thresholds.' }, thresholds, THRESHOLD_KINDS);
  const used = { ...PRESSURE_THRESHOLDS.used };
  // One that is given as undefined is left out.
  for (const level of LEVELS) used[level] = thresholds[level] ?? used[level];
  checkThresholds(used);
  const leaveDwellMs = leaveAfterMs ?? LADDER_OPTIONS.leaveDwellMs;
  const off = PRESSURE_RUNGS.filter((rung) => rungs[rung] === false);
  // What was not asked for is not missed: no folder, no handler.
  if (dumpFolder === undefined && rungs.dump !== true) off.push('dump');
  if (!options.onPressure) off.push('handler');
  return {
    intervalMs,
    core: {
      ...LADDER_OPTIONS,
      thresholds: { ...PRESSURE_THRESHOLDS, used },
      off: new Set(off),
      leaveDwellMs,
      longestLeaveDwellMs: Math.max(leaveDwellMs, LADDER_OPTIONS.longestLeaveDwellMs),
      longestStepMs: Math.max(LADDER_OPTIONS.longestStepMs, 5 * intervalMs),
      cooldownMs: { ...LADDER_OPTIONS.cooldownMs, dump: dumpEveryMs ?? LADDER_OPTIONS.cooldownMs.dump },
    },
  };
}
