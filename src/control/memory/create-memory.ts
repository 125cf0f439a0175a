import { isMainThread } from 'node:worker_threads';
import { explainProfilingOff } from '../../analyses/explain-profiling.js';
import type {
  AllocatorInfo,
  ObservableInfo,
  ProfilingInfo,
  Reason,
  RequestedState,
} from '../../model/allocator-info.js';
import { type AgentStart, nativeStatus, readInProcessJemalloc } from '../../native.js';
import { type HeadroomReader, openHeadroomReader } from '../../sources/cgroup/headroom.js';
import { readProcessMemory } from '../../sources/procfs/process-memory.js';
import { wasFallbackHandled } from '../launch/ensure-jemalloc.js';
import { observeProcess } from '../observe/observe-process.js';
import { openPressureLadder } from '../pressure/pressure-ladder.js';
import { holdProfiling } from '../profiler/profiling-hold.js';
import { type AutoTunerOptions, openAutoTuner } from '../tuning/auto-tuner.js';
import { type AllocatorFacts, readAllocatorFacts } from './allocator-facts.js';
import type { Memory } from './memory.js';
import { type CheckedMemoryOptions, checkMemoryOptions, type MemoryOptions } from './memory-options.js';
import { type Closable, type MemoryWorld, openMemory } from './open-memory.js';
import { optimizeMemory } from './optimize-memory.js';
import { type ProfilingState, readProfilingState } from './profiling-switch.js';
import { openSelfSampler } from './self-sampler.js';
import { whyNoSwitch } from './switch-outlook.js';

/** More open objects than this in one thread are an oversight: each keeps its samples and its timer until it is closed. */
const EXPECTED_OPEN = 10;

let openCount = 0;
const warned = new Set<string>();

function warn(code: string, message: string): void {
  process.emitWarning(message, { type: 'JemkitWarning', code });
}

function warnOnce(code: string, message: string): void {
  if (warned.has(code)) return;
  warned.add(code);
  warn(code, message);
}

function countOpen(): Closable {
  if (++openCount > EXPECTED_OPEN) {
    warnOnce(
      'JEMKIT_MEMORY_OBJECTS',
      `${openCount} memory objects are open in this thread; each takes samples until it is closed: memory.close()`,
    );
  }
  return { close: () => openCount-- };
}

const NO_RUNG = { decay: false, purge: false, collect: false, dump: false, handler: false } as const;

/** A worker may be terminated at any moment, and would leave the process's switch on for good. */
function explainOfWorker({ enabled, active }: ProfilingState): Reason | undefined {
  if (isMainThread || !enabled || active) return undefined;
  return {
    cause: 'this is a worker thread, and the switch is the process’s',
    remedy: 'createMemory({ memoryProfiling: true }) in the main thread',
  };
}

function profilingInfo(requested: boolean): ProfilingInfo {
  const state = readProfilingState();
  const whyNot = requested ? (explainOfWorker(state) ?? explainProfilingOff(state)) : undefined;
  return { requested, on: state.active === true, whyNot, compiledIn: state.compiledIn, enabled: state.enabled };
}

function observableInfo(wanted: boolean, agent: AgentStart | undefined): ObservableInfo {
  if (!wanted) return { kind: 'off' };
  if (agent) return agent.kind === 'open' ? { kind: 'on', path: agent.path } : { kind: 'failed', reason: agent.reason };
  const native = nativeStatus();
  const reason = native.kind === 'missing' ? native.reason : 'it was built without the agent';
  return { kind: 'failed', reason: `the native part of jemkit: ${reason}` };
}

/**
 * Its settings are the process's: two tuners would undo each other's steps. On globalThis, since a thread may hold several copies of jemkit;
 * other threads tune nothing.
 */
const TUNED = Symbol.for('jemkit.tuned');
const shared = globalThis as { [TUNED]?: boolean };

/** Why no tuner can be opened here; undefined where one can. */
function whyNoTuner(): Reason | undefined {
  if (!readInProcessJemalloc()?.serves) {
    return {
      cause: 'jemalloc does not serve this process: there is nothing to tune',
      remedy: 'start the process with: jem run -- node …',
    };
  }
  if (!isMainThread) {
    return {
      cause: 'this is a worker thread, and what is tuned is the process',
      remedy: 'createMemory({ autoMemoryTuning: true }) in the main thread',
    };
  }
  if (shared[TUNED]) return { cause: 'another memory object tunes this process', remedy: 'nothing needs to be done' };
  return undefined;
}

function openTuner(options: AutoTunerOptions): Closable | undefined {
  const tuner = whyNoTuner() ? undefined : openAutoTuner(options);
  if (!tuner) return undefined;
  shared[TUNED] = true;
  return {
    close() {
      shared[TUNED] = false;
      tuner.close();
    },
  };
}

function tuningInfo(requested: boolean, on: boolean, open: boolean): RequestedState {
  const closed = { cause: 'the memory object is closed', remedy: 'createMemory({ autoMemoryTuning: true })' };
  return { requested, on, whyNot: !requested || on ? undefined : open ? whyNoTuner() : closed };
}

function openWorld(options: CheckedMemoryOptions): MemoryWorld {
  const sampler = openSelfSampler();
  const pressure = typeof options.pressure === 'object' ? options.pressure : {};
  let headroom: HeadroomReader | undefined;
  const hasJemalloc = readInProcessJemalloc()?.serves === true;
  let facts: AllocatorFacts | undefined;
  let observable: ObservableInfo = { kind: 'off' };
  return {
    hasJemalloc,
    sample: sampler.sample,
    readProcess: (wanted) => readProcessMemory('self', wanted) ?? peakByUsage(),
    readHeadroom() {
      headroom ??= openHeadroomReader('self', { limitBytes: pressure.limitBytes });
      return headroom.headroom();
    },
    optimize: optimizeMemory,
    every(intervalMs, callback) {
      const timer = setInterval(callback, intervalMs).unref();
      return { close: () => clearInterval(timer) };
    },
    warn,
    openTuner: (onStep) =>
      openTuner({
        limitBytes: pressure.limitBytes,
        ...options.tuning,
        onStep(step) {
          options.tuning?.onStep?.(step);
          onStep(step);
        },
      }),
    openLadder: (watchOnly, onEvent) =>
      openPressureLadder({
        ...pressure,
        ...(watchOnly && { rungs: NO_RUNG }),
        onEvent(event) {
          pressure.onEvent?.(event);
          onEvent(event);
        },
      }),
    allocatorInfo({ open, tuning }): AllocatorInfo {
      facts ??= readAllocatorFacts(process.env);
      const { identity, serves } = facts;
      const noSwitch = serves
        ? { cause: 'jemalloc serves this process already', remedy: 'nothing needs to be done' }
        : whyNoSwitch(
            process.env,
            facts.available.some(({ allocator }) => allocator === 'jemalloc'),
          );
      return {
        current: serves ? 'jemalloc' : identity?.allocator,
        version: facts.version,
        libraryPath: identity?.file?.path,
        arrival: identity?.arrival,
        available: facts.available,
        requested: options.useJemalloc,
        enabled: serves,
        whyNot: facts.whyNot,
        canSwitch: noSwitch === undefined,
        whyNoSwitch: noSwitch,
        profiling: profilingInfo(options.memoryProfiling),
        tuning: tuningInfo(options.autoMemoryTuning, tuning, open),
        conf: facts.conf,
        observable,
      };
    },
    hold() {
      const hold = options.memoryProfiling && isMainThread ? holdProfiling() : undefined;
      const profiling = hold?.kind === 'held' ? hold : undefined;
      const observation = options.observable ? observeProcess() : undefined;
      observable = observableInfo(options.observable, observation?.agent);
      const unobserved = {
        close: () => {
          observable = { kind: 'off' };
        },
      };
      return [countOpen(), profiling, observation, unobserved].filter((closable) => closable !== undefined);
    },
  };
}

/** Where there is no /proc: the peak as getrusage has it. */
function peakByUsage(): ReturnType<typeof readProcessMemory> {
  const { maxRSS } = process.resourceUsage();
  return { residentBytes: undefined, peakResidentBytes: maxRSS > 0 ? maxRSS * 1024 : undefined };
}

function warnWithoutJemalloc(options: CheckedMemoryOptions): void {
  // Each of a pool of workers would say it again.
  if (!options.useJemalloc || !isMainThread) return;
  // What ensureJemalloc() has said, or was told to keep to itself, and what was switched off on purpose, is known.
  if (wasFallbackHandled() || process.env['JEMKIT_DISABLE'] === '1' || process.env['JEMKIT_FALLBACK'] === 'silent')
    return;
  if (readInProcessJemalloc()?.serves) return;
  warnOnce(
    'JEMKIT_NO_JEMALLOC',
    "createMemory({ useJemalloc: true }): this process does not run under jemalloc; start it with 'jem run -- node …', or import 'jemkit/auto' first of all (memory.allocatorInfo().whyNot tells why it does not; JEMKIT_FALLBACK=silent keeps this quiet)",
  );
}

/**
 * Makes the object through which an application sees and steers the memory of its process: statistics, trend, leak suspicion, giving
 * memory back, events. It works under every allocator; what only jemalloc tells is undefined elsewhere. It lives until `close()`, as a
 * timer does, and does not keep the process alive. In a worker thread V8's figures are those of the worker, all else the process's.
 *
 * Making the first takes 3 to 10 ms, a third of them to load the native part; it changes nothing of the process but what the options ask
 * for, and starts nothing again.
 *
 * @throws JemkitError ERR_JEM_USAGE for an unknown option, or a value of the wrong kind or out of its range.
 *
 * @example
 * const memory = createMemory({ useJemalloc: true, memoryStatsInterval: 60_000 });
 * memory.on('growth', ({ resident }) => console.log('RSS grows by', resident?.bytesPerHour, 'bytes an hour'));
 * console.log(memory.stats().process.residentBytes);
 * memory.close();
 */
export function createMemory(options: MemoryOptions = {}): Memory {
  const checked = checkMemoryOptions(options);
  warnWithoutJemalloc(checked);
  return openMemory(checked, openWorld(checked));
}
