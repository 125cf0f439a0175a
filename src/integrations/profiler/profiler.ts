import { whyNoProfile } from '../../control/profiler/capture-folder.js';
import type { ProfilerOptions } from '../../control/profiler/profiler-options.js';
import { readProfilerStatus, startProfiler, stopProfiler } from '../../control/profiler/run-profiler.js';
import type { ProfilerRefusal, ProfilerStart, ProfilerStatus, ProfileSnapshot } from '../../model/profiler-outcome.js';
import { type PprofHandler, pprofHandler } from './pprof-handler.js';
import { type SnapshotOptions, takeSnapshot } from './take-snapshot.js';

/** The heap profiler of this process: which JavaScript holds its native memory. */
export interface Profiler {
  /**
   * Has jemalloc sample allocations, with the stacks that made them, until `stop()`. The process must have been started with `prof:true`:
   * `jem run --conf prof:true,prof_active:false -- node …`. In the main thread; memory of all threads is seen. At the default distance
   * it costs a few percent of the time of programs that allocate much.
   *
   * @returns what it came to. `profiling`: all is well. `profiling-without-javascript`: with `cause` and `remedy`. Everything else says why not: `no-native-part`, `no-jemalloc`,
   * `not-compiled-in`, `not-enabled`, `worker`, `already-profiling`, `another-profiler`, `failed`.
   * @throws JemkitError ERR_JEM_USAGE for an unknown option or a value out of its range.
   */
  start(options?: ProfilerOptions): ProfilerStart;
  /** Ends what `start()` began; false where nothing was. What a memory object, or `jem profile`, holds on stays on. */
  stop(): boolean;
  /**
   * Takes a profile of this moment (0.5 to 10 ms in which the thread stands still) and reads it.
   *
   * @returns a snapshot, or why there is none.
   * @throws JemkitError ERR_JEM_USAGE for wrong options; ERR_JEM_FILE where a file cannot be written.
   */
  snapshot(options?: SnapshotOptions): Promise<ProfileSnapshot | ProfilerRefusal>;
  /** What is the case. Costs some microseconds. */
  state(): ProfilerStatus;
  /**
   * A listener that serves `/debug/pprof/`, `/debug/pprof/heap` and `/debug/pprof/allocs` as Go programs do, for `go tool pprof`, Parca and Pyroscope. It shows names of functions and files to
   * everybody who reaches it: keep it off the public network.
   */
  handler(): PprofHandler;
}

/**
 * The heap profiler of this process.
 *
 * @example
 * const started = profiler.start({ sampleBytes: 65_536 });
 * if (started.kind !== 'profiling') console.error(started);
 * const snapshot = await profiler.snapshot({ path: '/tmp/heap.html' });
 */
export const profiler: Profiler = {
  start: startProfiler,
  stop: stopProfiler,
  snapshot: takeSnapshot,
  state: readProfilerStatus,
  handler: () =>
    pprofHandler({
      whyNot: () => whyNoProfile(true),
      async take() {
        const taken = await takeSnapshot();
        return taken.kind === 'snapshot' ? taken.profile : taken;
      },
      async encode(profile, name) {
        const { encodePprof } = await import('../../outputs/pprof/encode-pprof.js');
        return encodePprof(profile, name === 'allocs' ? 'alloc_space' : 'inuse_space');
      },
    }),
};
