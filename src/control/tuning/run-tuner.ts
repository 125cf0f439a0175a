import { beginTuning, refuseStep, stepTuning } from '../../analyses/tuning-controller.js';
import type { TuningObservation } from '../../analyses/tuning-load.js';
import type { TuningProposal } from '../../analyses/tuning-rules.js';
import type { TuningStep } from '../../model/tuning.js';
import { type AutoTunerOptions, checkTunerOptions } from './tuner-options.js';

/** A running tuner. */
export interface AutoTuner {
  /** The last 1,000 steps, oldest first. */
  steps(): readonly TuningStep[];
  /** Ends it, and puts the settings back that it found (unless `restore: false`). May be called again. */
  close(): void;
}

/** The outside of a tuner. */
export interface TuningWorld {
  observe(): TuningObservation;
  /** Changes a setting, or purges; gives why not, where it could not be done. */
  apply(step: Pick<TuningProposal, 'key' | 'to'>): string | undefined;
  /** Puts back what was found; gives what was not put back, and why. */
  restore(): readonly { readonly step: Pick<TuningProposal, 'key' | 'from' | 'to'>; readonly problem?: string }[];
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back again and again, without keeping the process alive; gives what ends it. */
  every(intervalMs: number, callback: () => void): () => void;
  /** Tells a person what nobody else can be told. */
  warn(message: string): void;
  close(): void;
}

const KEPT = 1000;

/** The tuner with its outside as an argument. */
export function runTuner(world: TuningWorld, options: AutoTunerOptions): AutoTuner {
  const { core, intervalMs, dryRun, restore } = checkTunerOptions(options);
  const steps: TuningStep[] = [];
  let state = beginTuning();
  let open = true;
  let warned = false;

  const warnOnce = (what: string, error: unknown) => {
    if (warned) return;
    warned = true;
    world.warn(`${what} failed (told once): ${error instanceof Error ? error.message : String(error)}`);
  };
  const log = (step: TuningStep) => {
    steps.push(step);
    if (steps.length > KEPT) steps.shift();
    try {
      options.onStep?.(step);
    } catch (error) {
      warnOnce('onStep of the auto tuner', error);
    }
  };

  const look = () => {
    if (!open) return;
    const outcome = stepTuning(state, world.observe(), core, !dryRun);
    state = outcome.state;
    const { step } = outcome;
    if (!step) return;
    const { key, from, to, rule, reason, evidence } = step;
    const said = { atMs: world.now(), key, from, to, rule, reason, evidence };
    if (dryRun) return log({ ...said, applied: false });
    const problem = world.apply(step);
    if (problem !== undefined) state = refuseStep(state, step, core);
    log(problem === undefined ? { ...said, applied: true } : { ...said, applied: false, problem });
  };
  const lookSafely = () => {
    try {
      look();
    } catch (error) {
      warnOnce('the auto tuner', error);
    }
  };

  const stop = world.every(intervalMs, lookSafely);
  lookSafely();
  return {
    steps: () => [...steps],
    close() {
      if (!open) return;
      open = false;
      stop();
      if (restore && !dryRun) {
        for (const { step, problem } of world.restore()) {
          const reason =
            problem === undefined ? 'the tuner was closed' : 'the tuner was closed; this was left as it is';
          const said = { atMs: world.now(), ...step, rule: 'restore', reason, evidence: {} } as const;
          log(problem === undefined ? { ...said, applied: true } : { ...said, applied: false, problem });
        }
      }
      world.close();
    },
  };
}
