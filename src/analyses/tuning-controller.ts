import type { TuningKey, TuningRule } from '../model/tuning.js';
import { loadBetween, meanLoad, type TuningLoad, type TuningObservation, type TuningSettings } from './tuning-load.js';
import { TUNING_OPTIONS, type TuningOptions } from './tuning-options.js';
import { TUNING_RULES, type TuningProposal } from './tuning-rules.js';

interface KeyState {
  /** No step before. */
  readonly readyMs: number;
  readonly lastDirection: 'more' | 'less' | undefined;
  /** How often it went back the other way. */
  readonly reversals: number;
}

interface Ban {
  readonly untilMs: number;
  readonly times: number;
}

interface Trial {
  readonly step: TuningProposal;
  readonly before: TuningLoad;
  readonly after: readonly TuningLoad[];
}

/** What the controller remembers. */
export interface TuningState {
  /** Its own clock: only forward, and never far in one look. */
  readonly clockMs: number;
  readonly last: TuningObservation | undefined;
  readonly found: TuningSettings | undefined;
  /** The last looks, at most as many as a condition must hold. */
  readonly loads: readonly TuningLoad[];
  readonly wish: { readonly name: string; readonly times: number } | undefined;
  readonly trial: Trial | undefined;
  readonly keys: Readonly<Partial<Record<TuningKey, KeyState>>>;
  /** By rule and key: steps that were undone. */
  readonly bans: Readonly<Record<string, Ban>>;
  readonly lastStepMs: number;
  readonly purgedIdle: boolean;
}

/** The state to begin with. */
export function beginTuning(): TuningState {
  return {
    clockMs: 0,
    last: undefined,
    found: undefined,
    loads: [],
    wish: undefined,
    trial: undefined,
    keys: {},
    bans: {},
    lastStepMs: 0,
    purgedIdle: false,
  };
}

const nameOf = (rule: TuningRule, key: TuningKey) => `${rule} ${key}`;

/** Steps of these are watched: an `undo` or a purge has nothing that could be undone. */
const isOnTrial = ({ key }: TuningProposal) => key !== 'purge';

/**
 * Why a step is to be undone. System time is where purging and faulting in again show: it counts when more was purged than before (or less, for
 * fewer purges), and only as far as the load did not grow too.
 */
function objection(
  trial: Trial,
  after: TuningLoad,
  options: TuningOptions,
): Pick<TuningProposal, 'reason' | 'evidence'> | undefined {
  const { before } = trial;
  const grown =
    before.allocationsPerSecond > 0 ? Math.max(1, after.allocationsPerSecond / before.allocationsPerSecond) : 1;
  const rise = after.systemShare - before.systemShare * grown;
  if (rise > options.mostSystemShareRise && after.purgedBytesPerSecond > before.purgedBytesPerSecond) {
    return {
      reason: `system time rose by ${(rise * 100).toFixed(1)} % of a core after the step, and more was purged`,
      evidence: {
        systemShareBefore: before.systemShare,
        systemShareAfter: after.systemShare,
        loadRatio: grown,
        purgedBytesPerSecondBefore: before.purgedBytesPerSecond,
        purgedBytesPerSecondAfter: after.purgedBytesPerSecond,
      },
    };
  }
  if (before.delayMs === undefined || after.delayMs === undefined) return undefined;
  const bound = Math.max(before.delayMs * options.mostDelayRatio, before.delayMs + options.mostDelayRiseMs);
  if (after.delayMs <= bound) return undefined;
  return {
    reason: `the event loop’s delay (p99) rose from ${before.delayMs.toFixed(1)} to ${after.delayMs.toFixed(1)} ms after the step`,
    evidence: { delayMsBefore: before.delayMs, delayMsAfter: after.delayMs },
  };
}

function undo(
  state: TuningState,
  { step }: Trial,
  why: Pick<TuningProposal, 'reason' | 'evidence'>,
  options: TuningOptions,
): TuningOutcome {
  return {
    state: {
      ...state,
      trial: undefined,
      wish: undefined,
      lastStepMs: state.clockMs,
      bans: ban(state, step, options),
      keys: { ...state.keys, [step.key]: { ...keyOf(state, step.key), readyMs: state.clockMs + options.restMs } },
    },
    step: {
      key: step.key,
      rule: 'undo',
      from: step.to,
      to: step.from,
      direction: step.direction === 'more' ? 'less' : 'more',
      ...why,
    },
  };
}

const keyOf = (state: TuningState, key: TuningKey): KeyState =>
  state.keys[key] ?? { readyMs: 0, lastDirection: undefined, reversals: 0 };

/** A step back the other way must wait, each time twice as long. */
function isReady(state: TuningState, { key, rule, direction }: TuningProposal, options: TuningOptions): boolean {
  const { readyMs, lastDirection, reversals } = keyOf(state, key);
  if ((state.bans[nameOf(rule, key)]?.untilMs ?? 0) > state.clockMs) return false;
  const back = lastDirection !== undefined && lastDirection !== direction;
  const restMs = back ? Math.min(options.reversalRestMs * 2 ** reversals, options.longestRestMs) : 0;
  return state.clockMs >= readyMs + restMs;
}

function ban(state: TuningState, { rule, key }: TuningProposal, options: TuningOptions): TuningState['bans'] {
  const name = nameOf(rule, key);
  const times = (state.bans[name]?.times ?? 0) + 1;
  const untilMs = state.clockMs + Math.min(options.banMs * 2 ** (times - 1), options.longestBanMs);
  return { ...state.bans, [name]: { untilMs, times } };
}

function take(
  state: TuningState,
  step: TuningProposal,
  load: TuningLoad,
  options: TuningOptions,
  tries: boolean,
): TuningOutcome {
  const key = keyOf(state, step.key);
  const back = key.lastDirection !== undefined && key.lastDirection !== step.direction;
  return {
    state: {
      ...state,
      wish: undefined,
      lastStepMs: state.clockMs,
      purgedIdle: state.purgedIdle || step.key === 'purge',
      trial: tries && isOnTrial(step) ? { step, before: load, after: [] } : undefined,
      // What is only said changes nothing, and would be said again and again.
      bans: tries ? state.bans : ban(state, step, options),
      keys: {
        ...state.keys,
        [step.key]: {
          readyMs: state.clockMs + options.restMs,
          lastDirection: step.direction,
          reversals: key.reversals + (back ? 1 : 0),
        },
      },
    },
    step,
  };
}

/** What follows from one look: at most one step. */
export interface TuningOutcome {
  readonly state: TuningState;
  readonly step: TuningProposal | undefined;
}

/**
 * One look. A step that is proposed is taken to be done: where it could not be, say so with {@link refuseStep}.
 *
 * @param tries false where nothing is really changed (`dryRun`): then there is nothing to try.
 */
export function stepTuning(
  before: TuningState,
  now: TuningObservation,
  options: TuningOptions = TUNING_OPTIONS,
  tries = true,
): TuningOutcome {
  const passed = before.last ? now.monotonicMs - before.last.monotonicMs : 0;
  const load = before.last && passed <= options.longestStepMs ? loadBetween(before.last, now) : undefined;
  const base: TuningState = {
    ...before,
    clockMs: before.clockMs + Math.min(Math.max(passed, 0), options.longestStepMs),
    last: now,
    found: before.found ?? now.settings,
  };
  // After a gap, or a counter that went backwards, nothing that was seen before can be compared.
  if (!load || !base.found)
    return { state: { ...base, loads: [], wish: undefined, trial: retrial(base.trial) }, step: undefined };
  const loads = [...base.loads, load].slice(-options.holds);
  const idle = load.allocationsPerSecond < options.idleAllocationsPerSecond;
  const state = { ...base, loads, purgedIdle: base.purgedIdle && idle };
  if (state.trial) return judgeTrial(state, state.trial, load, options);
  const mean = meanLoad(loads)!;
  const view = {
    now,
    // Not the mean: one burst would be in several of them.
    load,
    found: base.found,
    quietMs: state.clockMs - state.lastStepMs,
    purgedIdle: state.purgedIdle,
  };
  const wishes = TUNING_RULES.map((rule) => rule(view, options)).filter((wish) => wish !== undefined);
  const wish = wishes.find((one) => isReady(state, one, options));
  if (!wish) return { state: { ...state, wish: undefined }, step: undefined };
  const name = nameOf(wish.rule, wish.key);
  const times = state.wish?.name === name ? state.wish.times + 1 : 1;
  if (times < options.holds) return { state: { ...state, wish: { name, times } }, step: undefined };
  return take(state, wish, mean, options, tries);
}

const retrial = (trial: Trial | undefined): Trial | undefined => trial && { ...trial, after: [] };

function judgeTrial(state: TuningState, trial: Trial, load: TuningLoad, options: TuningOptions): TuningOutcome {
  const after = [...trial.after, load];
  if (after.length < options.trial) return { state: { ...state, trial: { ...trial, after } }, step: undefined };
  const mean = meanLoad(after)!;
  const why = objection(trial, mean, options);
  if (why) return undo(state, trial, why, options);
  const { [nameOf(trial.step.rule, trial.step.key)]: _stood, ...bans } = state.bans;
  return { state: { ...state, trial: undefined, loads: [load], bans }, step: undefined };
}

/** The last step could not be done: it is not asked for again soon, and is not on trial. */
export function refuseStep(
  state: TuningState,
  { rule, key }: TuningProposal,
  options: TuningOptions = TUNING_OPTIONS,
): TuningState {
  return {
    ...state,
    trial: undefined,
    bans: { ...state.bans, [nameOf(rule, key)]: { untilMs: state.clockMs + options.longestBanMs, times: 1 } },
  };
}
