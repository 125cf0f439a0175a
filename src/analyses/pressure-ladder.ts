import type {
  PressureLevel,
  PressureLevelEvent,
  PressureObservation,
  PressureRung,
  PressureSignal,
  RungOutcome,
} from '../model/memory-pressure.js';
import {
  PRESSURE_THRESHOLDS,
  type PressureReading,
  type PressureThresholds,
  rankOf,
  readPressure,
} from './pressure-level.js';

/** The numbers of the ladder. All times in milliseconds. */
export interface LadderOptions {
  readonly thresholds: PressureThresholds;
  /** Rungs that are not climbed. */
  readonly off: ReadonlySet<PressureRung>;
  /** A level below critical must be asked for this long before it holds. */
  readonly riseDwellMs: number;
  /** A level is left when it was not asked for this long. Doubles when pressure comes back soon, up to the second number. */
  readonly leaveDwellMs: number;
  readonly longestLeaveDwellMs: number;
  /** Coming back within this time is 'soon'; after an hour without, the dwell is as at first. */
  readonly soonMs: number;
  /** Between two rungs, by level. */
  readonly settleMs: Readonly<Record<Exclude<PressureLevel, 'none'>, number>>;
  /** Before a rung is climbed again; doubles each time it gave nothing back, up to an hour. */
  readonly cooldownMs: Readonly<Record<Exclude<PressureRung, 'handler'>, number>>;
  /** After the handler was told, V8's heap is collected again: requests that have ended leave garbage. */
  readonly collectAfterHandlerMs: number;
  /** A rung that gave back less than this, and less than 1 % of the limit, gave nothing back. */
  readonly leastGainBytes: number;
  /** The most heap profiles one process writes. */
  readonly mostDumps: number;
  /** A rung that has not ended by then has failed. */
  readonly rungTimeoutMs: number;
  /** What one step may add to the ladder's clock: a machine that slept, or a clock that jumped, is no evidence of anything. */
  readonly longestStepMs: number;
}

const HOUR_MS = 3_600_000;

/** The defaults. */
export const LADDER_OPTIONS: LadderOptions = {
  thresholds: PRESSURE_THRESHOLDS,
  off: new Set(),
  riseDwellMs: 2_000,
  leaveDwellMs: 30_000,
  longestLeaveDwellMs: 600_000,
  soonMs: 600_000,
  settleMs: { elevated: 5_000, high: 2_000, critical: 0 },
  cooldownMs: { decay: 10_000, purge: 30_000, collect: 60_000, dump: HOUR_MS },
  collectAfterHandlerMs: 10_000,
  leastGainBytes: 2 ** 20,
  mostDumps: 10,
  rungTimeoutMs: 60_000,
  longestStepMs: 5_000,
};

/** Which rungs a level allows. Purging takes all that decaying takes and more. */
const RUNGS_OF: Readonly<Record<PressureLevel, readonly PressureRung[]>> = {
  none: [],
  elevated: ['decay'],
  high: ['purge', 'collect'],
  critical: ['purge', 'collect', 'dump', 'handler'],
};

/** After a rung was unavailable, it is asked again only then. */
const UNAVAILABLE_MS = 600_000;

interface RungState {
  /** It is not climbed before. */
  readonly readyMs: number;
  /** How often in a row it gave nothing back. */
  readonly fruitless: number;
  /** What was left to work on when it last gave nothing back. */
  readonly leftBytes: number | undefined;
  /** The last reason for its being unavailable, which is reported once. */
  readonly unavailable: string | undefined;
}

/** What the ladder remembers. */
export interface LadderState {
  /** The ladder's own clock: it only goes forward, and never far in one step. */
  readonly clockMs: number;
  readonly monotonicMs: number | undefined;
  /** undefined before a limit was seen, and after it was removed. */
  readonly level: PressureLevel | undefined;
  readonly reading: PressureReading | undefined;
  readonly risingSinceMs: number | undefined;
  readonly falling: { readonly sinceMs: number; readonly to: PressureLevel } | undefined;
  /** The headroom cannot be read since then. */
  readonly missingSinceMs: number | undefined;
  readonly leaveDwellMs: number;
  readonly lastFallMs: number | undefined;
  readonly rungs: Readonly<Record<PressureRung, RungState>>;
  readonly lastRungMs: number | undefined;
  readonly climbing: { readonly rung: PressureRung; readonly sinceMs: number } | undefined;
  readonly handlerTold: boolean;
  readonly dumps: number;
  readonly usedBytes: number | undefined;
  readonly limitBytes: number | undefined;
}

const FRESH_RUNG: RungState = { readyMs: 0, fruitless: 0, leftBytes: undefined, unavailable: undefined };

/** The state to begin with. */
export function beginLadder(options: LadderOptions = LADDER_OPTIONS): LadderState {
  return {
    clockMs: 0,
    monotonicMs: undefined,
    level: undefined,
    reading: undefined,
    risingSinceMs: undefined,
    falling: undefined,
    missingSinceMs: undefined,
    leaveDwellMs: options.leaveDwellMs,
    lastFallMs: undefined,
    rungs: { decay: FRESH_RUNG, purge: FRESH_RUNG, collect: FRESH_RUNG, dump: FRESH_RUNG, handler: FRESH_RUNG },
    lastRungMs: undefined,
    climbing: undefined,
    handlerTold: false,
    dumps: 0,
    usedBytes: undefined,
    limitBytes: undefined,
  };
}

/** A change of level, without its moment. */
export type LevelChange = Omit<PressureLevelEvent, 'atMs' | 'kind'>;

/** What follows from one look. */
export interface LadderStep {
  readonly state: LadderState;
  readonly changes: readonly LevelChange[];
  /** For the handler, in order. */
  readonly signals: readonly PressureSignal[];
  /** The rung to climb now; its end is told with {@link endRung}. */
  readonly climb: { readonly rung: PressureRung; readonly level: PressureLevel; readonly reason: string } | undefined;
  /** A rung that did not end in time. */
  readonly timedOut: PressureRung | undefined;
}

function advance(state: LadderState, observation: PressureObservation, options: LadderOptions): LadderState {
  const passed = observation.monotonicMs - (state.monotonicMs ?? observation.monotonicMs);
  const counted = Math.min(Math.max(passed, 0), options.longestStepMs);
  return {
    ...state,
    clockMs: state.clockMs + counted,
    monotonicMs: observation.monotonicMs,
    usedBytes: observation.headroom?.usedBytes,
    limitBytes: observation.headroom?.limitBytes,
  };
}

interface Moved {
  readonly state: LadderState;
  readonly change: LevelChange | undefined;
}

/** What gave nothing back in one time of pressure may well do so in the next. What limits profiles goes on. */
function afresh({ rungs, clockMs }: LadderState, { cooldownMs }: LadderOptions): LadderState['rungs'] {
  const fresh = (rung: 'decay' | 'purge' | 'collect'): RungState => {
    const { readyMs, unavailable } = rungs[rung];
    const keeps = unavailable === undefined ? Math.min(readyMs, clockMs + cooldownMs[rung]) : readyMs;
    return { ...FRESH_RUNG, readyMs: keeps, unavailable };
  };
  return { ...rungs, decay: fresh('decay'), purge: fresh('purge'), collect: fresh('collect') };
}

function moveTo(state: LadderState, to: PressureLevel | undefined, reason: string, options: LadderOptions): Moved {
  const from = state.level ?? 'none';
  const level = to ?? 'none';
  const settled = { ...state, level: to, risingSinceMs: undefined, falling: undefined };
  if (from === level) return { state: settled, change: undefined };
  const { usedBytes, limitBytes, clockMs, lastFallMs } = state;
  const change = { from, level, reason, usedBytes, limitBytes };
  if (rankOf(level) < rankOf(from)) {
    const rungs = level === 'none' ? afresh(state, options) : state.rungs;
    return { state: { ...settled, rungs, lastFallMs: clockMs }, change };
  }
  const quietMs = lastFallMs === undefined ? Infinity : clockMs - lastFallMs;
  const leaveDwellMs =
    quietMs < options.soonMs
      ? Math.min(state.leaveDwellMs * 2, options.longestLeaveDwellMs)
      : quietMs < HOUR_MS
        ? state.leaveDwellMs
        : options.leaveDwellMs;
  return { state: { ...settled, leaveDwellMs }, change };
}

/** Without a limit there is no level; one that cannot be read for a moment changes nothing. */
function withoutLimit(state: LadderState, options: LadderOptions): Moved {
  const missingSinceMs = state.missingSinceMs ?? state.clockMs;
  const waiting = { ...state, missingSinceMs, reading: undefined, risingSinceMs: undefined };
  const inDoubt = state.level !== undefined && state.clockMs - missingSinceMs < options.riseDwellMs;
  return inDoubt
    ? { state: waiting, change: undefined }
    : moveTo(waiting, undefined, 'there is no limit any more', options);
}

function judge(state: LadderState, observation: PressureObservation, options: LadderOptions): Moved {
  const current = state.level ?? 'none';
  const reading = readPressure(observation, current, options.thresholds);
  if (!reading) return withoutLimit(state, options);
  const seen = { ...state, level: current, reading, missingSinceMs: undefined };
  const { clockMs } = state;
  const rise = rankOf(reading.level) - rankOf(current);
  if (rise === 0) {
    const settled = state.risingSinceMs === undefined && state.falling === undefined;
    return { state: settled ? seen : { ...seen, risingSinceMs: undefined, falling: undefined }, change: undefined };
  }
  if (rise > 0) {
    const risingSinceMs = state.risingSinceMs ?? clockMs;
    const holds = reading.level === 'critical' || clockMs - risingSinceMs >= options.riseDwellMs;
    if (holds) return moveTo(seen, reading.level, reading.reason, options);
    return { state: { ...seen, risingSinceMs, falling: undefined }, change: undefined };
  }
  const { sinceMs, to } = state.falling ?? { sinceMs: clockMs, to: reading.level };
  const falling = { sinceMs, to: rankOf(reading.level) > rankOf(to) ? reading.level : to };
  if (clockMs - sinceMs >= state.leaveDwellMs) return moveTo(seen, falling.to, reading.reason, options);
  return { state: { ...seen, risingSinceMs: undefined, falling }, change: undefined };
}

function signalsOf(
  state: LadderState,
  change: LevelChange | undefined,
): { state: LadderState; signals: PressureSignal[] } {
  if (!change || !state.handlerTold) return { state, signals: [] };
  const { level, reason, usedBytes, limitBytes } = change;
  const kind = level === 'none' ? 'end' : 'change';
  return {
    state: kind === 'end' ? { ...state, handlerTold: false } : state,
    signals: [{ kind, level, reason, usedBytes, limitBytes }],
  };
}

const leastGain = (limitBytes: number | undefined, options: LadderOptions) =>
  Math.max(options.leastGainBytes, (limitBytes ?? 0) * 0.01);

/** What a rung works on: nothing, or nothing new, is no reason to climb it. */
function workOf(rung: PressureRung, observation: PressureObservation): number | undefined {
  if (rung === 'decay' || rung === 'purge') return observation.undecayedBytes;
  return rung === 'collect' ? observation.v8Bytes : undefined;
}

function isWorthwhile(
  rung: PressureRung,
  state: LadderState,
  observation: PressureObservation,
  options: LadderOptions,
): boolean {
  if (rung === 'dump') return state.dumps < options.mostDumps;
  if (rung === 'handler') return !state.handlerTold;
  // A service that turns requests away allocates too little for V8 to collect by itself, and its garbage cannot be seen.
  if (rung === 'collect' && state.handlerTold) return true;
  const work = workOf(rung, observation);
  if (work === undefined) return true;
  const least = leastGain(observation.headroom?.limitBytes, options);
  return work >= least && work >= (state.rungs[rung].leftBytes ?? -Infinity) + least;
}

function nextRung(
  state: LadderState,
  observation: PressureObservation,
  options: LadderOptions,
): PressureRung | undefined {
  const { level, clockMs, reading } = state;
  if (level === undefined || level === 'none' || state.climbing || !reading) return undefined;
  // On its way out of a level, nothing more needs doing for it.
  if (state.falling) return undefined;
  if (clockMs - (state.lastRungMs ?? -Infinity) < options.settleMs[level]) return undefined;
  return RUNGS_OF[level].find(
    (rung) =>
      !options.off.has(rung) && clockMs >= state.rungs[rung].readyMs && isWorthwhile(rung, state, observation, options),
  );
}

/** One look: the level moves, the handler is told, and at most one rung is climbed. */
export function stepLadder(
  before: LadderState,
  observation: PressureObservation,
  options: LadderOptions = LADDER_OPTIONS,
): LadderStep {
  const advanced = advance(before, observation, options);
  const { climbing } = advanced;
  const timedOut = climbing && advanced.clockMs - climbing.sinceMs >= options.rungTimeoutMs ? climbing.rung : undefined;
  const freed = timedOut ? rest(advanced, timedOut, HOUR_MS) : advanced;
  const moved = judge(freed, observation, options);
  const told = signalsOf(moved.state, moved.change);
  const changes = moved.change ? [moved.change] : [];
  const rung = nextRung(told.state, observation, options);
  const { level, reading, clockMs, usedBytes, limitBytes } = told.state;
  if (!rung || !level || !reading)
    return { state: told.state, changes, signals: told.signals, climb: undefined, timedOut };
  const begin: PressureSignal = { kind: 'begin', level, reason: reading.reason, usedBytes, limitBytes };
  return {
    state: {
      ...told.state,
      climbing: { rung, sinceMs: clockMs },
      handlerTold: told.state.handlerTold || rung === 'handler',
      dumps: told.state.dumps + (rung === 'dump' ? 1 : 0),
    },
    changes,
    signals: rung === 'handler' ? [...told.signals, begin] : told.signals,
    climb: { rung, level, reason: reading.reason },
    timedOut,
  };
}

function rest(state: LadderState, rung: PressureRung, forMs: number, changes: Partial<RungState> = {}): LadderState {
  const { clockMs, rungs } = state;
  return {
    ...state,
    climbing: undefined,
    lastRungMs: clockMs,
    rungs: { ...rungs, [rung]: { ...rungs[rung], ...changes, readyMs: clockMs + forMs } },
  };
}

/** How a rung ended: resident memory of the process before and after, and what is left for it to work on. */
export interface RungEnd {
  readonly outcome: RungOutcome;
  readonly beforeBytes: number | undefined;
  readonly afterBytes: number | undefined;
  readonly leftBytes: number | undefined;
}

/** Takes note of a rung's end; `isNews` is false for an unavailability that was told before. */
export function endRung(
  state: LadderState,
  { outcome, beforeBytes, afterBytes, leftBytes }: RungEnd,
  options: LadderOptions = LADDER_OPTIONS,
): { readonly state: LadderState; readonly isNews: boolean } {
  const rung = state.climbing?.rung;
  if (!rung) return { state, isNews: false };
  const known = state.rungs[rung];
  if (outcome.kind === 'unavailable') {
    const { reason } = outcome;
    const freed = rung === 'dump' ? { ...state, dumps: state.dumps - 1 } : state;
    // The next rung need not wait for one that did nothing.
    const rested = { ...rest(freed, rung, UNAVAILABLE_MS, { unavailable: reason }), lastRungMs: state.lastRungMs };
    return { state: rested, isNews: known.unavailable !== reason };
  }
  if (rung === 'handler') {
    // What ends from now on leaves something to collect.
    const { rungs, clockMs } = state;
    const collect = { ...rungs.collect, fruitless: 0, readyMs: clockMs + options.collectAfterHandlerMs };
    const asked = rungs.collect.unavailable === undefined ? { ...rungs, collect } : rungs;
    return { state: rest({ ...state, rungs: asked }, rung, 0), isNews: true };
  }
  const cooldownMs = options.cooldownMs[rung];
  const gained = beforeBytes !== undefined && afterBytes !== undefined ? beforeBytes - afterBytes : undefined;
  const fruitless =
    outcome.kind === 'failed' ||
    (rung !== 'dump' && gained !== undefined && gained < leastGain(state.limitBytes, options));
  if (!fruitless) {
    return {
      state: rest(state, rung, cooldownMs, { fruitless: 0, leftBytes: undefined, unavailable: undefined }),
      isNews: true,
    };
  }
  const times = known.fruitless + 1;
  const forMs = Math.max(cooldownMs, Math.min(cooldownMs * 2 ** times, HOUR_MS));
  return { state: rest(state, rung, forMs, { fruitless: times, leftBytes, unavailable: undefined }), isNews: true };
}

/** The end of the ladder: an open pressure is left, and a handler that was told of it is told of its end. */
export function endLadder(
  state: LadderState,
  options: LadderOptions = LADDER_OPTIONS,
): { readonly changes: readonly LevelChange[]; readonly signals: readonly PressureSignal[] } {
  const moved = moveTo(state, undefined, 'the ladder was closed', options);
  const { signals } = signalsOf(moved.state, moved.change);
  return { changes: moved.change ? [moved.change] : [], signals };
}
