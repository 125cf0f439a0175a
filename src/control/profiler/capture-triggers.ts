import type { CaptureOutcome, CaptureTrigger } from '../../model/profiler-outcome.js';
import { type AllocationLook, followProcess } from '../profiling/follow-process.js';

/** What makes a capture, and how many are kept. */
export interface TriggerOptions {
  readonly everyBytes?: number | undefined;
  readonly everyMs?: number | undefined;
  readonly atPeak?: boolean | undefined;
  readonly signal?: 'SIGUSR2' | undefined;
  readonly keep: number;
  readonly onCapture?: ((outcome: CaptureOutcome, trigger: CaptureTrigger) => void) | undefined;
}

/** The outside of the triggers. */
export interface TriggerWorld {
  capture(): CaptureOutcome;
  remove(path: string): void;
  /** Undefined where jemalloc does not tell. */
  look(): AllocationLook | undefined;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** Calls back once, without keeping the process alive; gives what ends it. */
  after(ms: number, callback: () => void): () => void;
  /** Gives what takes the handler away again. */
  onSignal(signal: NodeJS.Signals, callback: () => void): () => void;
  warn(message: string): void;
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Sleeps that end at once when all is over. */
function openSleeps(world: TriggerWorld) {
  let wake = () => {};
  return {
    sleep: (ms: number) =>
      new Promise<void>((resolve) => {
        const cancel = world.after(ms, resolve);
        wake = () => {
          cancel();
          resolve();
        };
      }),
    end: () => wake(),
  };
}

/** Writes captures when their moment has come, until it is closed. */
export function openCaptureTriggers(world: TriggerWorld, options: TriggerOptions): { close(): void } {
  const { everyBytes, everyMs, atPeak = false, signal, keep, onCapture } = options;
  const kept: string[] = [];
  let open = true;
  let warned = false;
  const warnOnce = (message: string) => {
    if (!warned) world.warn(`${message} (told once)`);
    warned = true;
  };
  const tell = (outcome: CaptureOutcome, trigger: CaptureTrigger) => {
    if (onCapture) onCapture(outcome, trigger);
    else if (outcome.kind !== 'captured')
      warnOnce(`no heap profile was written: ${'cause' in outcome ? outcome.cause : outcome.reason}`);
  };
  /** Whatever goes wrong: a timer or a signal's handler that throws would end the program. */
  const capture = (trigger: CaptureTrigger) => {
    if (!open) return;
    try {
      const outcome = world.capture();
      if (outcome.kind === 'captured') kept.push(outcome.path);
      while (kept.length > keep) world.remove(kept.shift() ?? '');
      tell(outcome, trigger);
    } catch (error) {
      warnOnce(`a capture of profiler.start, or its onCapture, failed: ${textOf(error)}`);
    }
  };

  const endSignal = signal && world.onSignal(signal, () => capture('signal'));
  const { sleep, end } = openSleeps(world);
  if (everyMs !== undefined || everyBytes !== undefined || atPeak) {
    void followProcess(
      { everyMs, everyBytes, atPeak },
      {
        now: world.now,
        sleep,
        isAlive: () => true,
        isOver: () => !open,
        look: async () => world.look(),
        // What else makes a capture there is not asked for here.
        capture: async (reason) => capture(reason === 'bytes' || reason === 'peak' ? reason : 'time'),
      },
    ).catch((error: unknown) => warnOnce(`the triggers of profiler.start ended: ${textOf(error)}`));
  }
  return {
    close() {
      open = false;
      end();
      endSignal?.();
    },
  };
}
