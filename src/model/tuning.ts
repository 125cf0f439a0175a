/** What the auto tuner may move. `purge` is no setting: all arenas are purged once. */
export type TuningKey = 'dirty_decay_ms' | 'muzzy_decay_ms' | 'background_thread' | 'purge';

/** The rule of the guide page that a step follows. */
export type TuningRule =
  | 'near-limit'
  | 'dirty-share'
  | 'churn'
  | 'return'
  | 'background-on'
  | 'background-off'
  | 'idle-purge'
  | 'undo'
  | 'restore';

/** One thing the tuner did, or with `dryRun` would have done. */
export interface TuningStep {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly key: TuningKey;
  readonly from: number | boolean | undefined;
  readonly to: number | boolean | undefined;
  readonly rule: TuningRule;
  /** One sentence for people. */
  readonly reason: string;
  /** The measured numbers that the reason rests on, with the unit in the name. */
  readonly evidence: Readonly<Record<string, number>>;
  /** False with `dryRun`, and where jemalloc did not take the value: then `problem` says why. */
  readonly applied: boolean;
  readonly problem?: string;
}
