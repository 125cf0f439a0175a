import { beginLadder, endLadder, endRung, type LevelChange, stepLadder } from '../../analyses/pressure-ladder.js';
import {
  PRESSURE_RUNGS,
  type PressureEvent,
  type PressureLevel,
  type PressureObservation,
  type PressureRung,
  type PressureSignal,
  type RungOutcome,
} from '../../model/memory-pressure.js';
import { checkLadderOptions, type PressureLadderOptions } from './pressure-options.js';

/** A running ladder. */
export interface PressureLadder {
  /** undefined without a limit, and before the first look. */
  level(): PressureLevel | undefined;
  /** Ends it: an open pressure ends with its event and its signal. May be called again. */
  close(): void;
}

/** The outside of a ladder. */
export interface PressureWorld {
  observe(): PressureObservation;
  climb(rung: Exclude<PressureRung, 'handler'>): RungOutcome | Promise<RungOutcome>;
  residentBytes(): number | undefined;
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back again and again, without keeping the process alive; gives what ends it. */
  every(intervalMs: number, callback: () => void): () => void;
  /** Tells a person what nobody else can be told. */
  warn(message: string): void;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The ladder with its outside as an argument. */
export function runLadder(world: PressureWorld, options: PressureLadderOptions): PressureLadder {
  const { core, intervalMs } = checkLadderOptions(options);
  let state = beginLadder(core);
  let open = true;
  /** Which climb is under way: one that was given up for lost may still end. */
  let climbs = 0;
  let warned = false;

  const warnOnce = (what: string, error: unknown) => {
    if (warned) return;
    warned = true;
    world.warn(`${what} failed (told once): ${messageOf(error)}`);
  };
  const emit = (event: PressureEvent) => {
    try {
      options.onEvent?.(event);
    } catch (error) {
      // The ladder must go on: what comes next may be the end of the pressure.
      warnOnce('onEvent of the pressure ladder', error);
    }
  };
  const emitChange = (change: LevelChange) => emit({ kind: 'level', atMs: world.now(), ...change });
  const emitRung = (
    rung: PressureRung,
    reason: string,
    outcome: RungOutcome,
    beforeBytes?: number,
    afterBytes?: number,
    level: PressureLevel = state.level ?? 'none',
  ) => emit({ kind: 'rung', atMs: world.now(), level, rung, reason, outcome, beforeBytes, afterBytes });

  /** Nobody waits for the handler; where it fails at once, that is its outcome. */
  const tell = (signal: PressureSignal): RungOutcome => {
    try {
      const answer: unknown = options.onPressure?.(signal);
      if (answer instanceof Promise)
        answer.catch((error: unknown) =>
          emitRung('handler', signal.reason, { kind: 'failed', reason: messageOf(error) }),
        );
      return { kind: 'done' };
    } catch (error) {
      return { kind: 'failed', reason: messageOf(error) };
    }
  };
  const tellOf = (signal: PressureSignal) => {
    const outcome = tell(signal);
    if (outcome.kind === 'failed') emitRung('handler', signal.reason, outcome);
  };

  const climb = async (rung: PressureRung, level: PressureLevel, reason: string, begin: PressureSignal | undefined) => {
    const mine = ++climbs;
    const beforeBytes = world.residentBytes();
    let outcome: RungOutcome;
    try {
      const result = rung === 'handler' ? begin && tell(begin) : world.climb(rung);
      // Most rungs are over at once, and then so is the step.
      outcome = result instanceof Promise ? await result : (result ?? { kind: 'done' });
    } catch (error) {
      outcome = { kind: 'failed', reason: messageOf(error) };
    }
    if (!open || mine !== climbs || !state.climbing) return;
    const afterBytes = world.residentBytes();
    const left = rung === 'handler' || rung === 'dump' ? undefined : world.observe();
    const leftBytes = rung === 'collect' ? left?.v8Bytes : left?.undecayedBytes;
    const ended = endRung(state, { outcome, beforeBytes, afterBytes, leftBytes }, core);
    state = ended.state;
    if (ended.isNews) emitRung(rung, reason, outcome, beforeBytes, afterBytes, level);
  };

  /** Gives whether a rung was climbed to its end. */
  const lookOnce = (): boolean => {
    const step = stepLadder(state, world.observe(), core);
    state = step.state;
    if (step.timedOut) {
      climbs++;
      const reason = `it did not end within ${core.rungTimeoutMs / 1000} s`;
      emitRung(step.timedOut, 'the rung was given up', { kind: 'failed', reason });
    }
    step.changes.forEach(emitChange);
    const begin = step.climb?.rung === 'handler' ? step.signals.at(-1) : undefined;
    for (const signal of step.signals) if (signal !== begin) tellOf(signal);
    // A listener may have closed the ladder.
    if (!step.climb || !open) return false;
    void climb(step.climb.rung, step.climb.level, step.climb.reason, begin);
    return state.climbing === undefined;
  };
  const look = () => {
    // Where memory runs out, the next look may come too late for the next rung: all that help are climbed in one.
    for (let rungs = 0; open && rungs <= PRESSURE_RUNGS.length; rungs++) {
      if (!lookOnce() || state.level !== 'critical') return;
    }
  };
  const lookSafely = () => {
    try {
      look();
    } catch (error) {
      warnOnce('the pressure ladder', error);
    }
  };

  const stop = world.every(intervalMs, lookSafely);
  lookSafely();
  return {
    level: () => state.level,
    close() {
      if (!open) return;
      open = false;
      stop();
      const { changes, signals } = endLadder(state, core);
      changes.forEach(emitChange);
      signals.forEach(tellOf);
    },
  };
}
