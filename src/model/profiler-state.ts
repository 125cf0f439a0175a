/** The heap profiler of a process, as its native part tells it (`native/shared/profiler.h`). */
export interface ProfilerState {
  /** `config.prof`, `opt.prof` and `prof.active`. */
  readonly compiledIn: boolean;
  readonly enabled: boolean;
  readonly active: boolean;
  /** Who walks the stacks; `jemalloc` sees no JavaScript. `none`: not asked for yet. */
  readonly unwinder: 'none' | 'jemalloc' | 'jemkit';
  /** Why jemkit does not walk; empty where it does. */
  readonly why: string;
  /** The mean distance between two samples is 2^lgSample bytes. */
  readonly lgSample: number;
  /** Stacks are carried into libuv's thread pool. */
  readonly threadPool: boolean;
  /** Why they are not, as far as that is known. */
  readonly threadPoolWhy: string;
  /** Monotonic; 0: never. */
  readonly startedNs: number;
  readonly samples: number;
  /** Walks that ended early. */
  readonly truncated: number;
  readonly withoutJavascript: number;
  readonly isolatesListening: number;
  readonly codeEvents: number;
  readonly framesNumbered: number;
  /** What all of it takes. */
  readonly memoryBytes: number;
}
