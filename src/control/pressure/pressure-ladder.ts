import { climbRung } from './climb-rung.js';
import { observePressure } from './observe-pressure.js';
import type { PressureLadderOptions } from './pressure-options.js';
import { type PressureLadder, runLadder } from './run-ladder.js';

export type { PressureLadder, PressureLadderOptions };

/**
 * Watches the room up to the memory limit, and does what gives memory back, step by step: decay, purge, V8 collection and purge, a heap
 * profile, your own handler. The limit is that of the control groups (memory.max, memory.high, memory.limit_in_bytes) or `limitBytes`,
 * whichever is nearer; without one nothing happens. How the levels and the rungs work together: docs/guide/tuning-and-pressure.md.
 *
 * Works without jemalloc too, with the collection and the handler; the other rungs then say once that they are unavailable.
 *
 * @throws JemkitError ERR_JEM_USAGE for an option that does not fit.
 *
 * @example
 * let shedding = false;
 * const ladder = openPressureLadder({
 *   onPressure: ({ kind, level }) => { shedding = kind !== 'end' && level === 'critical'; },
 *   onEvent: (event) => console.log(event.reason),
 * });
 */
export function openPressureLadder(options: PressureLadderOptions = {}): PressureLadder {
  const observe = observePressure(options.limitBytes);
  return runLadder(
    {
      observe,
      climb: (rung) => climbRung(rung, options.dumpFolder),
      residentBytes: () => {
        try {
          return process.memoryUsage.rss();
        } catch {
          return undefined;
        }
      },
      now: () => Date.now(),
      every(intervalMs, callback) {
        const timer = setInterval(callback, intervalMs).unref();
        return () => clearInterval(timer);
      },
      warn: (message) => process.emitWarning(message, { type: 'JemkitWarning', code: 'JEMKIT_PRESSURE' }),
    },
    options,
  );
}
