/**
 * One thing that was noticed: what it is, why it is so, and what to do about it.
 * `problem` makes a check fail (exit code 1); `warning` and `info` do not.
 */
export interface Finding {
  /** Stable, kebab-case, for scripts: `preload-not-inherited`. */
  readonly id: string;
  readonly severity: 'problem' | 'warning' | 'info';
  /** One line: what is the case. */
  readonly title: string;
  /** Why it is so, as far as was measured. */
  readonly cause?: string;
  /** What to type or change, ready to paste. */
  readonly remedy?: string;
}
