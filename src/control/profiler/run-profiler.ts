import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { explainPlainStacks } from '../../analyses/explain-profiler.js';
import type { ProfilerRefusal, ProfilerStart, ProfilerStatus } from '../../model/profiler-outcome.js';
import type { ProfilerState } from '../../model/profiler-state.js';
import { profilerAddon, readInProcessJemalloc } from '../../native.js';
import { parseProfilerState } from '../../sources/agent/parse-profiler-state.js';
import { openAllocationSampler } from '../../sources/mallctl/allocation-sampler.js';
import { readMallctl } from '../../sources/mallctl/read-mallctl.js';
import type { AllocationLook } from '../profiling/follow-process.js';
import { captureInto, whyNoProfile, wordsForErrno } from './capture-folder.js';
import { openCaptureTriggers, type TriggerWorld } from './capture-triggers.js';
import { type CheckedProfilerOptions, checkProfilerOptions, type ProfilerOptions } from './profiler-options.js';
import { holdProfiling } from './profiling-hold.js';

/** What the native part tells of itself; undefined where it is missing. */
export function readProfilerState(): ProfilerState | undefined {
  const text = profilerAddon()?.profilerState();
  return text === undefined ? undefined : parseProfilerState(text);
}

/** On globalThis: a thread may hold several copies of jemkit, and there is one profiler. */
const STARTED = Symbol.for('jemkit.profiler');
const shared = globalThis as { [STARTED]?: { close(): void } | undefined };

function sampleBytesNow(): number | undefined {
  const read = readMallctl('prof.lg_sample');
  return read.kind === 'value' ? 2 ** read.value : undefined;
}

const WORKER: ProfilerRefusal = {
  kind: 'worker',
  cause: 'this is a worker thread, and the switch is the process’s',
  remedy: 'profiler.start() in the main thread; --import jemkit/profile names the functions of every worker',
};

function refusalOf(errno: number): ProfilerRefusal {
  if (errno === constants.errno.EALREADY) {
    return {
      kind: 'another-profiler',
      cause: 'somebody else profiles this process: jem profile, or jemkit/profile with JEMKIT_PROFILE=1',
      remedy: 'profiler.snapshot() works meanwhile; start again when the other one has ended',
    };
  }
  return { kind: 'failed', cause: wordsForErrno(errno), remedy: `jem doctor ${process.pid}` };
}

/** Each look asks for all size classes: about 40 µs. */
function openLook(): () => AllocationLook | undefined {
  const sampler = openAllocationSampler();
  return () => {
    if (!sampler?.sample()) return undefined;
    const totals = sampler.totals();
    if (!totals) return undefined;
    return { everBytes: totals.allocatedBytes, heldBytes: totals.allocatedBytes - totals.deallocatedBytes };
  };
}

function triggerWorld(folder: string): TriggerWorld {
  let look: ReturnType<typeof openLook> | undefined;
  return {
    capture: () => captureInto(folder, new Date()),
    remove: (path) => rmSync(path, { force: true }),
    look() {
      look ??= openLook();
      return look();
    },
    now: () => performance.now(),
    after(ms, callback) {
      const timer = setTimeout(callback, ms).unref();
      return () => clearTimeout(timer);
    },
    onSignal(signal, callback) {
      process.on(signal, callback);
      return () => process.off(signal, callback);
    },
    warn: (message) => process.emitWarning(message, { type: 'JemkitWarning', code: 'JEMKIT_PROFILER' }),
  };
}

const NEEDS_START =
  'it must be asked for before the process starts: jem profile --thread-pool, or JEMKIT_PROFILE=1 JEMKIT_PROFILE_THREAD_POOL=1 jem run --conf prof:true,prof_active:false -- node …';

function describeStart(wantsThreadPool: boolean): ProfilerStart {
  const sampleBytes = sampleBytesNow() ?? Number.NaN;
  const state = readProfilerState();
  if (state?.unwinder === 'jemkit') {
    const { threadPool } = state;
    const threadPoolWhy = wantsThreadPool && !threadPool ? state.threadPoolWhy || NEEDS_START : undefined;
    return { kind: 'profiling', sampleBytes, threadPool, threadPoolWhy };
  }
  const why = state ? state.why : 'the native part was built without it';
  return {
    kind: 'profiling-without-javascript',
    sampleBytes,
    ...explainPlainStacks(why, readInProcessJemalloc()?.version),
  };
}

function begin(options: CheckedProfilerOptions): ProfilerStart {
  const { lgSample, threadPool = false, folder } = options;
  const hold = holdProfiling({ lgSample, threadPool, alone: true });
  if (hold.kind === 'refused') return refusalOf(hold.errno);
  const triggers = openCaptureTriggers(triggerWorld(folder), options);
  shared[STARTED] = {
    close() {
      triggers.close();
      hold.close();
    },
  };
  return describeStart(threadPool);
}

/** See `Profiler.start`. */
export function startProfiler(options: ProfilerOptions = {}): ProfilerStart {
  const checked = checkProfilerOptions(options);
  const refusal = whyNoProfile(false);
  if (refusal) return refusal;
  if (!isMainThread) return WORKER;
  if (shared[STARTED]) return { kind: 'already-profiling', sampleBytes: sampleBytesNow() ?? Number.NaN };
  return begin(checked);
}

/** See `Profiler.stop`. */
export function stopProfiler(): boolean {
  const started = shared[STARTED];
  if (!started) return false;
  shared[STARTED] = undefined;
  started.close();
  return true;
}

/** See `Profiler.state`. */
export function readProfilerStatus(): ProfilerStatus {
  const whyNot = whyNoProfile(true);
  return {
    started: shared[STARTED] !== undefined,
    active: whyNot === undefined,
    sampleBytes: sampleBytesNow(),
    native: readProfilerState(),
    whyNot,
  };
}
