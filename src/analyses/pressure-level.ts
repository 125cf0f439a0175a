import { PRESSURE_LEVELS, type PressureLevel, type PressureObservation } from '../model/memory-pressure.js';

/** From where on a level holds, and below what it no longer does. Between the two nothing changes. */
export interface Threshold {
  readonly enter: number;
  readonly leave: number;
}

/** What makes a level, each by itself. */
export interface PressureThresholds {
  /** Used bytes as a share of the limit (0 to 1). */
  readonly used: Readonly<Record<Exclude<PressureLevel, 'none'>, Threshold>>;
  /** PSI avg10 in per cent. `groupSome` and `machineSome` make it elevated, `groupFull` high; never critical. */
  readonly stall: Readonly<Record<'groupSome' | 'groupFull' | 'machineSome', Threshold>>;
}

/** The defaults. */
export const PRESSURE_THRESHOLDS: PressureThresholds = {
  used: {
    elevated: { enter: 0.8, leave: 0.75 },
    high: { enter: 0.9, leave: 0.85 },
    critical: { enter: 0.95, leave: 0.92 },
  },
  stall: {
    groupSome: { enter: 20, leave: 10 },
    groupFull: { enter: 10, leave: 5 },
    machineSome: { enter: 40, leave: 20 },
  },
};

export const rankOf = (level: PressureLevel): number => PRESSURE_LEVELS.indexOf(level);

/** A level with its reason in words. */
export interface PressureReading {
  readonly level: PressureLevel;
  readonly reason: string;
}

const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
const percent = (share: number) => `${Math.round(share * 100)} %`;

interface Sign {
  readonly level: PressureLevel;
  readonly value: number | undefined;
  readonly threshold: Threshold;
  /** undefined where the room itself is the reason. */
  readonly who: string | undefined;
}

function signsOf({ headroom, stall, stallOf }: PressureObservation, thresholds: PressureThresholds): Sign[] {
  if (!headroom) return [];
  const share = headroom.usedBytes / headroom.limitBytes;
  const { used } = thresholds;
  const signs: Sign[] = [
    { level: 'elevated', value: share, threshold: used.elevated, who: undefined },
    { level: 'high', value: share, threshold: used.high, who: undefined },
    { level: 'critical', value: share, threshold: used.critical, who: undefined },
  ];
  const [some, full] = [stall?.some?.avg10, stall?.full?.avg10];
  const { groupSome, groupFull, machineSome } = thresholds.stall;
  if (stallOf === 'group') {
    signs.push({ level: 'elevated', value: some, threshold: groupSome, who: 'tasks of the group' });
    signs.push({ level: 'high', value: full, threshold: groupFull, who: 'all tasks of the group' });
  } else if (stallOf === 'machine') {
    signs.push({ level: 'elevated', value: some, threshold: machineSome, who: 'tasks of the machine' });
  }
  return signs;
}

function describeSign(sign: Sign | undefined, { headroom }: PressureObservation): string {
  if (sign?.who) return `${sign.who} waited for memory ${sign.value} % of the last 10 s`;
  if (!headroom) return '';
  const { usedBytes, limitBytes, measured } = headroom;
  return `${mib(usedBytes)} of ${mib(limitBytes)} used (${percent(usedBytes / limitBytes)}; ${measured})`;
}

/**
 * The level that an observation asks for, seen from the level that holds: a level that has been entered stays until its lower
 * threshold. Without a limit there is none.
 */
export function readPressure(
  observation: PressureObservation,
  current: PressureLevel,
  thresholds: PressureThresholds = PRESSURE_THRESHOLDS,
): PressureReading | undefined {
  const signs = signsOf(observation, thresholds);
  if (signs.length === 0) return undefined;
  const holds = ({ level, value, threshold }: Sign) =>
    value !== undefined && value >= (rankOf(level) <= rankOf(current) ? threshold.leave : threshold.enter);
  let worst: Sign | undefined;
  // Of equals the first: the room is the better reason.
  for (const sign of signs) if (holds(sign) && rankOf(sign.level) > rankOf(worst?.level ?? 'none')) worst = sign;
  return {
    level: worst?.level ?? 'none',
    get reason() {
      return describeSign(worst, observation);
    },
  };
}
