import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { TuningObservation } from '../../analyses/tuning-load.js';
import type { TuningKey } from '../../model/tuning.js';
import { readInProcessJemalloc } from '../../native.js';
import { openHeadroomReader } from '../../sources/cgroup/headroom.js';
import { readMallctl } from '../../sources/mallctl/read-mallctl.js';
import { openMallctlSampler } from '../../sources/mallctl/sampler.js';
import { updateMallctl, writeMallctl } from '../mallctl/write-mallctl.js';
import { openArenaDecay } from './arena-decay.js';
import { type AutoTuner, runTuner, type TuningWorld } from './run-tuner.js';
import { type AutoTunerOptions, checkTunerOptions } from './tuner-options.js';

export type { AutoTuner, AutoTunerOptions };

/** The event loop is looked at every so often: 50 timers a second, which cost less than a thousandth of a core. */
const DELAY_RESOLUTION_MS = 20;

/** What the loop was late by; a timer that is on time measures its own interval. */
function takeDelay(histogram: IntervalHistogram): number | undefined {
  if (histogram.count === 0) return undefined;
  const late = histogram.percentile(99) / 1e6 - DELAY_RESOLUTION_MS;
  histogram.reset();
  return Math.max(0, late);
}

const backgroundThread = (): boolean | undefined => {
  const read = readMallctl('background_thread');
  return read.kind === 'value' ? read.value : undefined;
};

function openWorld(limitBytes: number | undefined): TuningWorld | undefined {
  // A jemalloc that is mapped and serves nobody is not this process's.
  const sampler = readInProcessJemalloc()?.serves ? openMallctlSampler() : undefined;
  if (!sampler) return undefined;
  const decay = { dirty_decay_ms: openArenaDecay('dirty_decay_ms'), muzzy_decay_ms: openArenaDecay('muzzy_decay_ms') };
  const reader = openHeadroomReader('self', { limitBytes });
  const histogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  histogram.enable();
  const foundBackground = backgroundThread();
  let lastBackground = foundBackground;

  const observe = (): TuningObservation => {
    sampler.sample();
    const page = sampler.valueOf('pageBytes') ?? 4096;
    const bytes = (pages: 'dirtyPages' | 'muzzyPages' | 'dirtyPurgedPages' | 'muzzyPurgedPages') => {
      const count = sampler.valueOf(pages);
      return count === undefined ? undefined : count * page;
    };
    const dirtyPurged = bytes('dirtyPurgedPages');
    const muzzyPurged = bytes('muzzyPurgedPages');
    const { user, system } = process.cpuUsage();
    const headroom = reader.headroom();
    return {
      monotonicMs: performance.now(),
      settings: {
        dirty_decay_ms: decay.dirty_decay_ms.current(),
        muzzy_decay_ms: decay.muzzy_decay_ms.current(),
        background_thread: backgroundThread(),
      },
      activeBytes: sampler.valueOf('activeBytes'),
      dirtyBytes: bytes('dirtyPages'),
      muzzyBytes: bytes('muzzyPages'),
      allocations: sampler.valueOf('allocations'),
      purgedBytes: dirtyPurged === undefined ? undefined : dirtyPurged + (muzzyPurged ?? 0),
      sweeps: sampler.valueOf('dirtySweeps'),
      backgroundRuns: sampler.valueOf('backgroundRuns'),
      userMs: user / 1000,
      systemMs: system / 1000,
      delayMs: takeDelay(histogram),
      usedShare: headroom && headroom.usedBytes / headroom.limitBytes,
    };
  };
  const setBackground = (to: boolean): string | undefined => {
    const written = updateMallctl('background_thread', to);
    if (written.kind !== 'value') return `jemalloc did not take background_thread ${to} (${written.kind})`;
    lastBackground = to;
    return undefined;
  };
  return {
    observe,
    apply({ key, to }) {
      if (key === 'purge') {
        const { kind } = writeMallctl('arena.4096.purge');
        return kind === 'done' ? undefined : `jemalloc did not purge (${kind})`;
      }
      return key === 'background_thread' ? setBackground(to === true) : decay[key].set(Number(to));
    },
    restore() {
      const restored: ReturnType<TuningWorld['restore']>[number][] = [];
      const note = (
        key: TuningKey,
        from: number | boolean | undefined,
        to: number | boolean | undefined,
        problem?: string,
      ) => {
        if (problem !== undefined) restored.push({ step: { key, from, to }, problem });
        else if (from !== to) restored.push({ step: { key, from, to } });
      };
      for (const key of ['dirty_decay_ms', 'muzzy_decay_ms'] as const) {
        const from = decay[key].current();
        const problem = decay[key].restore();
        note(key, from, decay[key].current(), problem);
      }
      if (foundBackground !== undefined && lastBackground !== foundBackground) {
        const now = backgroundThread();
        if (now === lastBackground) note('background_thread', now, foundBackground, setBackground(foundBackground));
        else note('background_thread', now, now, `somebody else has switched background_thread ${now ? 'on' : 'off'}`);
      }
      return restored;
    },
    now: () => Date.now(),
    every(intervalMs, callback) {
      const timer = setInterval(callback, intervalMs).unref();
      return () => clearInterval(timer);
    },
    warn: (message) => process.emitWarning(message, { type: 'JemkitWarning', code: 'JEMKIT_TUNING' }),
    close: () => histogram.disable(),
  };
}

/**
 * Tunes this process's jemalloc while it runs: decay times of the arenas there are and of new ones, background threads, a purge of an idle
 * process, by rules that docs/guide/tuning-and-pressure.md lists. At most one thing is changed at a time, each step is logged with its reason
 * and undone when system time or the event loop's delay rises after it. undefined where jemalloc does not serve this process.
 *
 * The settings are the process's, not the thread's: open one tuner in a process, in the main thread.
 *
 * @throws JemkitError ERR_JEM_USAGE for an option that does not fit.
 *
 * @example
 * const tuner = openAutoTuner({ dryRun: true, onStep: ({ key, from, to, reason }) => console.log(key, from, to, reason) });
 */
export function openAutoTuner(options: AutoTunerOptions = {}): AutoTuner | undefined {
  checkTunerOptions(options);
  const world = openWorld(options.limitBytes);
  return world && runTuner(world, options);
}
