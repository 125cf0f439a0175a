import { LADDER_OPTIONS, type LadderOptions } from '../../analyses/pressure-ladder.js';
import { PRESSURE_THRESHOLDS, type PressureThresholds, type Threshold } from '../../analyses/pressure-level.js';
import { JemkitError } from '../../errors.js';
import {
  PRESSURE_RUNGS,
  type PressureEvent,
  type PressureRung,
  type PressureSignal,
} from '../../model/memory-pressure.js';

/** Options of {@link openPressureLadder}. */
export interface PressureLadderOptions {
  /** A limit in bytes for this process's anonymous memory, beside those of its control groups; the nearer one counts. */
  readonly limitBytes?: number | undefined;
  /** How often it looks, in milliseconds: 1,000. */
  readonly intervalMs?: number | undefined;
  /** `false` switches a rung off. */
  readonly rungs?: Partial<Readonly<Record<PressureRung, boolean>>> | undefined;
  /** From where on a level holds and below what it is left: shares of the limit (0 to 1). 0.80/0.75, 0.90/0.85, 0.95/0.92. */
  readonly thresholds?: Partial<PressureThresholds['used']> | undefined;
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

function usage(message: string, expected: string): never {
  throw new JemkitError('ERR_JEM_USAGE', `pressure ladder: ${message} (expected ${expected})`, {
    hint: 'leave it out for the default',
  });
}

/** A timer of more milliseconds fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function checkNumber(name: string, value: number | undefined, low: number, high = Number.MAX_SAFE_INTEGER): void {
  if (value === undefined || (Number.isFinite(value) && value >= low && value <= high)) return;
  usage(
    `${name} is ${value}`,
    high === Number.MAX_SAFE_INTEGER ? `a number from ${low}` : `a number from ${low} to ${high}`,
  );
}

const LEVELS = ['elevated', 'high', 'critical'] as const;

function checkThresholds(used: PressureThresholds['used']): void {
  let below: Threshold | undefined;
  for (const level of LEVELS) {
    const { enter, leave } = used[level];
    if (!(leave > 0 && leave < enter && enter <= 1))
      usage(`thresholds.${level} is enter ${enter}, leave ${leave}`, 'shares of the limit with 0 < leave < enter ≤ 1');
    if (below && !(enter > below.enter && leave > below.leave))
      usage(`thresholds.${level} does not lie above the level below it`, 'rising thresholds');
    below = used[level];
  }
}

/**
 * Fills in the defaults.
 *
 * @throws JemkitError ERR_JEM_USAGE
 */
export function checkLadderOptions(options: PressureLadderOptions): { core: LadderOptions; intervalMs: number } {
  const { limitBytes, intervalMs = 1_000, rungs = {}, leaveAfterMs, dumpEveryMs, dumpFolder } = options;
  checkNumber('limitBytes', limitBytes, 1);
  checkNumber('intervalMs', intervalMs, 10, LONGEST_TIMER_MS);
  checkNumber('leaveAfterMs', leaveAfterMs, 0);
  checkNumber('dumpEveryMs', dumpEveryMs, 0);
  if (dumpFolder !== undefined && typeof dumpFolder !== 'string')
    usage(`dumpFolder is ${String(dumpFolder)}`, 'a path');
  for (const rung of Object.keys(rungs))
    if (!(PRESSURE_RUNGS as readonly string[]).includes(rung)) usage(`no rung '${rung}'`, PRESSURE_RUNGS.join(', '));
  const used = { ...PRESSURE_THRESHOLDS.used, ...options.thresholds };
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
