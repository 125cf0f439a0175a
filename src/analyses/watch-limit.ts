/** When a limit counts as crossed, and how often something is done about it. */
export interface WatchRules {
  readonly limitBytes: number;
  /** Back at or below this, the next crossing counts again. */
  readonly rearmBytes: number;
  /** No two actions are nearer to each other than this. */
  readonly cooldownMs: number;
  /** Acts again this long after the last time while it stays above; undefined: only at the next crossing. */
  readonly everyMs: number | undefined;
}

/** What is remembered between two samples. */
export interface WatchState {
  /** Above the limit since this moment, and not back under the lower mark since; undefined while below. */
  readonly overSinceMs: number | undefined;
  /** This crossing still waits for its action. */
  readonly due: boolean;
  readonly lastActionMs: number | undefined;
}

/** What follows from a sample. */
export interface WatchStep {
  readonly state: WatchState;
  /** It went above the limit, or came back to the lower mark, with this sample. */
  readonly crossing: 'over' | 'under' | undefined;
  readonly act: boolean;
}

export const WATCH_START: WatchState = { overSinceMs: undefined, due: false, lastActionMs: undefined };

/**
 * One step of a watch. A crossing that falls into the cooldown is not forgotten: it is acted on when the cooldown is over, if the value is
 * still above the limit then.
 */
export function watchLimit(state: WatchState, bytes: number, nowMs: number, rules: WatchRules): WatchStep {
  const { limitBytes, rearmBytes, cooldownMs, everyMs } = rules;
  const isOver = bytes > limitBytes;
  const wasOver = state.overSinceMs !== undefined;
  const crossing = !wasOver && isOver ? 'over' : wasOver && bytes <= rearmBytes ? 'under' : undefined;
  const overSinceMs = crossing === 'over' ? nowMs : crossing === 'under' ? undefined : state.overSinceMs;
  const sinceAction = state.lastActionMs === undefined ? Number.POSITIVE_INFINITY : nowMs - state.lastActionMs;
  const again = everyMs !== undefined && sinceAction >= everyMs;
  const due = crossing === 'over' || (crossing !== 'under' && (state.due || (again && overSinceMs !== undefined)));
  const act = due && isOver && sinceAction >= cooldownMs;
  return {
    state: { overSinceMs, due: due && !act, lastActionMs: act ? nowMs : state.lastActionMs },
    crossing,
    act,
  };
}
