import type { PressureLadderOptions } from '../../src/control/pressure/pressure-options.js';
import { runLadder } from '../../src/control/pressure/run-ladder.js';
import type {
  PressureEvent,
  PressureLevel,
  PressureLevelEvent,
  PressureRung,
  PressureRungEvent,
  PressureSignal,
  RungOutcome,
} from '../../src/model/memory-pressure.js';

export const MIB = 2 ** 20;
export const HOUR_S = 3600;
export const DAY_S = 24 * HOUR_S;

/** A process as the ladder sees it, second by second. All in MiB. */
export interface SimulatedProcess {
  limit: number | undefined;
  /** What is really in use. */
  live: number;
  /** JavaScript garbage that a collection frees. */
  garbage: number;
  /** What V8 says it uses, if not its garbage and a little more. */
  v8: number | undefined;
  /** jemalloc's dirty pages. */
  dirty: number;
  stall: { some: number; full: number; of: 'group' | 'machine' } | undefined;
  /** What the rungs do; the default works as the real ones do. */
  climb: (rung: Exclude<PressureRung, 'handler'>) => RungOutcome | Promise<RungOutcome>;
  /** Added to the monotonic clock from now on, in milliseconds. */
  clockShiftMs: number;
  shedding: boolean;
}

export interface SimulatedDay {
  readonly events: readonly (PressureEvent & { readonly second: number })[];
  readonly signals: readonly (PressureSignal & { readonly second: number })[];
  readonly warnings: readonly string[];
  readonly levels: readonly (PressureLevelEvent & { readonly second: number })[];
  rungs(rung: PressureRung): readonly (PressureRungEvent & { readonly second: number })[];
  readonly lastLevel: PressureLevel | undefined;
}

/** Runs the ladder for so many seconds of simulated time, and closes it. */
export function simulatePressure(
  seconds: number,
  live: (process: SimulatedProcess, second: number) => void,
  options: PressureLadderOptions = {},
): SimulatedDay {
  const events: (PressureEvent & { second: number })[] = [];
  const signals: (PressureSignal & { second: number })[] = [];
  const warnings: string[] = [];
  let second = 0;
  let tick = () => {};
  const process: SimulatedProcess = {
    limit: 1000,
    live: 100,
    garbage: 0,
    v8: undefined,
    dirty: 0,
    stall: undefined,
    clockShiftMs: 0,
    shedding: false,
    climb(rung) {
      if (rung === 'decay') process.dirty *= 0.6;
      if (rung === 'purge') process.dirty = 0;
      if (rung === 'collect') process.garbage = process.dirty = 0;
      return { kind: 'done' };
    },
  };
  const used = () => (process.live + process.garbage + process.dirty) * MIB;
  const share = (avg10: number) => ({ avg10, avg60: 0, avg300: 0, totalMicroseconds: 0 });
  live(process, 0);
  const ladder = runLadder(
    {
      observe: () => ({
        monotonicMs: second * 1000 + process.clockShiftMs,
        headroom:
          process.limit === undefined
            ? undefined
            : { limitBytes: process.limit * MIB, usedBytes: used(), source: 'group', measured: 'simulated' },
        stall: process.stall && { some: share(process.stall.some), full: share(process.stall.full) },
        stallOf: process.stall?.of,
        undecayedBytes: process.dirty * MIB,
        v8Bytes: (process.v8 ?? process.garbage + 20) * MIB,
      }),
      climb: (rung) => process.climb(rung),
      residentBytes: used,
      now: () => second * 1000,
      every(_intervalMs, callback) {
        tick = callback;
        return () => {
          tick = () => {};
        };
      },
      warn: (message) => warnings.push(message),
    },
    {
      dumpFolder: '/dumps',
      onPressure: (signal) => {
        process.shedding = signal.kind !== 'end';
        signals.push({ ...signal, second });
      },
      ...options,
      onEvent(event) {
        events.push({ ...event, second });
        options.onEvent?.(event);
      },
    },
  );
  for (second = 1; second <= seconds; second++) {
    live(process, second);
    tick();
  }
  const lastLevel = ladder.level();
  ladder.close();
  return {
    events,
    signals,
    warnings,
    lastLevel,
    levels: events.filter((event) => event.kind === 'level'),
    rungs: (rung) => events.filter((event) => event.kind === 'rung' && event.rung === rung) as never,
  };
}

/** The most events of a kind within any hour. */
export function mostPerHour(events: readonly { readonly second: number }[]): number {
  let most = 0;
  let from = 0;
  events.forEach(({ second }, at) => {
    while (second - events[from]!.second >= HOUR_S) from++;
    most = Math.max(most, at - from + 1);
  });
  return most;
}
