/** How an agent introduces itself. */
export interface AgentHello {
  /** The process's id as it sees itself: in a container not the one it was asked by. */
  readonly pid: number;
  /** The jemkit the agent is from. */
  readonly jemkitVersion: string;
  /** jemalloc's `version`; undefined where the process has no jemalloc. */
  readonly jemallocVersion: string | undefined;
  /** `config.prof`: profiling is compiled in. */
  readonly profilingCompiledIn: boolean;
  /** `opt.prof`: it was switched on at start. */
  readonly profilingEnabled: boolean;
  /** Part of the addon in a Node process, or preloaded. */
  readonly place: 'addon' | 'preloaded';
  /** How long the agent has been there, in milliseconds. */
  readonly ageMs: number;
}

/** Why there is nobody to talk to in a process. */
export type AgentAbsence =
  /** There is no such process (any more). */
  | { readonly kind: 'gone' }
  /** It is another user's; only that user and root may ask. */
  | { readonly kind: 'not-permitted'; readonly uid: number | undefined }
  /** The process runs without an agent, or its agent has not opened its socket yet, or could not. */
  | { readonly kind: 'no-agent' }
  /** A socket is there, and whoever holds it is not the process: `detail` says what was found. */
  | { readonly kind: 'foreign'; readonly path: string; readonly detail: string }
  /** The two sides speak different versions. */
  | { readonly kind: 'version-mismatch'; readonly theirs: number; readonly ours: number }
  /** It took the connection and gave no (or no whole, or no sensible) answer. */
  | { readonly kind: 'unresponsive'; readonly detail: string };
