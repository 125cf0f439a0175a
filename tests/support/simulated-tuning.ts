import type { TuningSettings } from '../../src/analyses/tuning-load.js';
import { type AutoTuner, runTuner } from '../../src/control/tuning/run-tuner.js';
import type { AutoTunerOptions } from '../../src/control/tuning/tuner-options.js';
import type { TuningKey, TuningStep } from '../../src/model/tuning.js';

const MIB = 2 ** 20;

/** What a simulated program does in the next second. */
export interface SimulatedLoad {
  /** MiB it holds. */
  live: number;
  /** MiB a second that it frees and asks for again. */
  churn: number;
  allocationsPerSecond: number;
  /** Shares of a core, without the cost of purging. */
  userShare: number;
  systemShare: number;
  /** p99 of the event loop's delay in ms, without the cost of purging. */
  delayMs: number;
  limit: number | undefined;
  /** Share of a core that purging 100 MiB a second costs. */
  purgeCost: number;
  /** Delay in ms that it costs. */
  purgeDelay: number;
  /** jemalloc refuses to be written. */
  refuses: boolean;
  /** Added to the clock now. */
  clockShiftMs: number;
}

export interface SimulatedTuning {
  readonly steps: readonly (TuningStep & { readonly second: number })[];
  readonly writes: number;
  readonly settings: TuningSettings;
  /** Before it was closed. */
  readonly lastSettings: TuningSettings;
  readonly purges: number;
  readonly warnings: readonly string[];
  /** Mean of dirty MiB over the run. */
  readonly meanDirty: number;
  of(key: TuningKey): readonly (TuningStep & { readonly second: number })[];
}

/** Runs the tuner for so many seconds of simulated time beside a jemalloc that decays, and closes it. */
export function simulateTuning(
  seconds: number,
  live: (load: SimulatedLoad, second: number) => void,
  options: AutoTunerOptions & { readonly found?: Partial<TuningSettings> } = {},
): SimulatedTuning {
  const { found, ...tunerOptions } = options;
  const start: TuningSettings = { dirty_decay_ms: 10_000, muzzy_decay_ms: 0, background_thread: true, ...found };
  const intervalS = (options.intervalMs ?? 10_000) / 1000;
  const settings = { ...start } as Record<keyof TuningSettings, number | boolean | undefined>;
  const steps: (TuningStep & { second: number })[] = [];
  const warnings: string[] = [];
  const load: SimulatedLoad = {
    live: 200,
    churn: 0,
    allocationsPerSecond: 0,
    userShare: 0,
    systemShare: 0,
    delayMs: 1,
    limit: undefined,
    purgeCost: 0.02,
    purgeDelay: 0.1,
    refuses: false,
    clockShiftMs: 0,
  };
  const total = { allocations: 0, purged: 0, sweeps: 0, runs: 0, userMs: 0, systemMs: 0 };
  let [dirty, delay, second, shift, writes, purges, dirtySum] = [0, 1, 0, 0, 0, 0, 0];
  let tick = () => {};

  const oneSecond = () => {
    dirty += load.churn;
    const decayS = Number(settings.dirty_decay_ms) / 1000;
    const purges = settings.background_thread === true || load.allocationsPerSecond > 2000;
    const share = decayS < 0 || !purges ? 0 : decayS === 0 ? 1 : Math.min(1, 1 - Math.exp(-2 / decayS));
    const purged = dirty * share;
    // What is kept is used again: up to all that is asked for.
    dirty = Math.max(0, dirty - purged - Math.min(load.churn, dirty - purged));
    dirty += decayS < 0 ? load.churn * 0.5 : load.churn * Math.min(0.9, decayS / 20);
    total.purged += purged * MIB;
    total.sweeps += purged > 0.5 ? 4 : 0;
    total.runs += settings.background_thread === true ? 5 : 0;
    total.allocations += load.allocationsPerSecond;
    total.userMs += load.userShare * 1000;
    total.systemMs += (load.systemShare + (load.purgeCost * purged) / 100) * 1000;
    delay = Math.max(delay, load.delayMs + (load.purgeDelay * purged) / 100);
    dirtySum += dirty;
  };

  const tuner: AutoTuner = runTuner(
    {
      observe() {
        const seen = delay;
        delay = 0;
        const usedShare = load.limit === undefined ? undefined : (load.live + dirty) / load.limit;
        return {
          monotonicMs: second * 1000 + shift,
          settings: { ...settings } as TuningSettings,
          activeBytes: load.live * MIB,
          dirtyBytes: dirty * MIB,
          muzzyBytes: 0,
          allocations: total.allocations,
          purgedBytes: total.purged,
          sweeps: total.sweeps,
          backgroundRuns: total.runs,
          userMs: total.userMs,
          systemMs: total.systemMs,
          delayMs: seen,
          usedShare,
        };
      },
      apply({ key, to }) {
        if (load.refuses) return 'jemalloc refuses';
        writes++;
        if (key === 'purge') {
          purges++;
          dirty = 0;
        } else settings[key] = to;
        return undefined;
      },
      restore() {
        return (['dirty_decay_ms', 'muzzy_decay_ms', 'background_thread'] as const).flatMap((key) => {
          if (settings[key] === start[key]) return [];
          writes++;
          const step = { key, from: settings[key], to: start[key] };
          settings[key] = start[key];
          return [{ step }];
        });
      },
      now: () => second * 1000,
      every(_intervalMs, callback) {
        tick = callback;
        return () => {
          tick = () => {};
        };
      },
      warn: (message) => warnings.push(message),
      close: () => {},
    },
    {
      ...tunerOptions,
      onStep(step) {
        steps.push({ ...step, second });
        options.onStep?.(step);
      },
    },
  );
  for (second = 1; second <= seconds; second++) {
    live(load, second);
    shift += load.clockShiftMs;
    load.clockShiftMs = 0;
    oneSecond();
    if (second % intervalS === 0) tick();
  }
  const lastSettings = { ...settings } as TuningSettings;
  tuner.close();
  return {
    steps,
    writes,
    settings: { ...settings } as TuningSettings,
    lastSettings,
    purges,
    warnings,
    meanDirty: dirtySum / seconds,
    of: (key) => steps.filter((step) => step.key === key),
  };
}
