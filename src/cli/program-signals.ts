import type { RawCapture } from '../control/profiling/take-capture.js';
import type { Captures } from './program-captures.js';

/** How long a program may be kept waiting for its signal. */
const BEFORE_SIGNAL_MS = 10_000;
/** After these most programs end. SIGQUIT is to end them as they are. */
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP']);

/** What was captured before a signal was handed on. */
export interface BeforeSignal {
  raws: readonly RawCapture[];
  atMs: number;
}

/** Handles the signals that are sent here while the program runs. */
export function openSignals(captures: () => Captures | undefined) {
  const before: BeforeSignal = { raws: [], atMs: Number.NEGATIVE_INFINITY };
  let waiting = false;
  return {
    before,
    onSignal(signal: NodeJS.Signals, pass: () => void): boolean {
      const ready = captures();
      if (!ready) return false;
      if (signal === 'SIGUSR2') {
        void ready.captureNow('asked');
        return true;
      }
      // Who sends a second one does not want to wait.
      if (!ENDING.has(signal) || waiting) return false;
      waiting = true;
      const taken = ready.take().then((raws) => {
        for (const raw of before.raws) raw.discard();
        Object.assign(before, { raws, atMs: performance.now() });
      });
      const late = new Promise((resolve) => setTimeout(resolve, BEFORE_SIGNAL_MS).unref());
      void Promise.race([taken, late]).finally(() => {
        waiting = false;
        pass();
      });
      return true;
    },
  };
}
