import type { HeapProfile } from './heap-profile.js';
import type { ProfilerState } from './profiler-state.js';

/** Why this process has no heap profile, and what to do. */
export interface ProfilerRefusal {
  readonly kind: /** jemkit's addon is not there, or does not load. */
    | 'no-native-part'
    | 'no-jemalloc'
    /** jemalloc is there, and was built without profiling. */
    | 'not-compiled-in'
    /** The process was started without `prof:true`, which jemalloc takes at its start only. */
    | 'not-enabled'
    /** Everything is there, and profiling is off: `profiler.start()` was not called. */
    | 'not-active'
    /** Called in a worker thread; the switch is the process's. */
    | 'worker'
    /** Somebody outside of this library profiles the process: `jem profile`, or `jemkit/profile`. */
    | 'another-profiler'
    /** The native part refused for another cause, which `cause` names. */
    | 'failed';
  readonly cause: string;
  readonly remedy: string;
}

/** What `profiler.start()` came to. */
export type ProfilerStart =
  /** Allocations are sampled, and their stacks have JavaScript in them. */
  | {
      readonly kind: 'profiling';
      readonly sampleBytes: number;
      /** Whether work of the thread pool is put down to who asked for it; where that was asked for and is not, `threadPoolWhy` says why. */
      readonly threadPool: boolean;
      readonly threadPoolWhy: string | undefined;
    }
  /** Allocations are sampled; jemalloc walks the stacks, which end where V8's code begins. `remedy` names a library that can do better. */
  | {
      readonly kind: 'profiling-without-javascript';
      readonly sampleBytes: number;
      readonly cause: string;
      readonly remedy: string;
    }
  /** It was started before, and goes on with the options of then. */
  | { readonly kind: 'already-profiling'; readonly sampleBytes: number }
  | ProfilerRefusal;

/** Why a trigger wrote a capture. */
export type CaptureTrigger = 'bytes' | 'time' | 'peak' | 'signal';

/** What writing a capture came to. */
export type CaptureOutcome =
  | { readonly kind: 'captured'; readonly path: string }
  | ProfilerRefusal
  /** The file could not be written; nothing is left under its name. `reason` names the cause. */
  | { readonly kind: 'not-written'; readonly reason: string };

/** The profiler as it is now. */
export interface ProfilerStatus {
  /** `profiler.start()` is in force. */
  readonly started: boolean;
  /** Allocations are sampled, by whomever it was switched on. */
  readonly active: boolean;
  /** The mean distance between two samples; undefined without jemalloc's profiling. */
  readonly sampleBytes: number | undefined;
  /** What the native part tells; undefined without it, and without jemalloc. */
  readonly native: ProfilerState | undefined;
  /** Why there is no profile; undefined where there is one. */
  readonly whyNot: ProfilerRefusal | undefined;
}

/** A heap profile of this process, as it was at one moment. */
export interface ProfileSnapshot {
  readonly kind: 'snapshot';
  readonly profile: HeapProfile;
  /**
   * Writes it, readable by this user only and under its name when it is whole; an old file is replaced. By the name's end: `.heap` (as
   * it was captured, for `jem report`), `.pb.gz` (pprof), `.html` (one page with a flame graph), `.svg`.
   *
   * @throws JemkitError ERR_JEM_USAGE for another ending, ERR_JEM_FILE where it cannot be written.
   */
  save(path: string): Promise<void>;
}
