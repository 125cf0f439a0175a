import { analyseLeakSuspicion, type PurgeEvidence } from '../../analyses/leak-suspicion.js';
import { analyseMemoryStats, type CountedSample } from '../../analyses/memory-stats.js';
import { leastChange } from '../../analyses/trend.js';
import { JemkitError } from '../../errors.js';
import type { AllocatorInfo } from '../../model/allocator-info.js';
import type { MemoryHeadroom, PressureEvent } from '../../model/memory-pressure.js';
import type { ProcessMemory } from '../../model/memory-sample.js';
import type { OptimizeOptions, OptimizeOutcome } from '../../model/optimize-outcome.js';
import type { TuningStep } from '../../model/tuning.js';
import type { Memory, MemoryEvents } from './memory.js';
import { openEventSource } from './memory-events.js';
import { openMemoryHistory } from './memory-history.js';
import type { CheckedMemoryOptions } from './memory-options.js';

/** What must be closed. */
export interface Closable {
  close(): void;
}

/** The outside of a memory object: what it reads, changes and is woken by. */
export interface MemoryWorld {
  readonly hasJemalloc: boolean;
  sample(): CountedSample;
  readProcess(options: { readonly proportional: boolean }): ProcessMemory | undefined;
  readHeadroom(): MemoryHeadroom | undefined;
  optimize(options?: OptimizeOptions): OptimizeOutcome;
  /** Calls back again and again, without keeping the process alive. */
  every(intervalMs: number, callback: () => void): Closable;
  /** Tells a person: once, and not as an exception. */
  warn(code: string, message: string): void;
  openTuner(onStep: (step: TuningStep) => void): Closable | undefined;
  /** `watchOnly`: it tells, and changes nothing. */
  openLadder(watchOnly: boolean, onEvent: (event: PressureEvent) => void): Closable;
  allocatorInfo(state: { readonly open: boolean; readonly tuning: boolean }): AllocatorInfo;
  /** What lasts as long as the object: profiling, the socket for others. */
  hold(): readonly Closable[];
}

const EVENTS: Readonly<Record<keyof MemoryEvents, true>> = { sample: true, growth: true, pressure: true, tuning: true };

function checkEvent(name: string): void {
  if (Object.hasOwn(EVENTS, name)) return;
  throw new JemkitError('ERR_JEM_USAGE', `memory has no event '${name}' (expected ${Object.keys(EVENTS).join(', ')})`, {
    hint: "memory.on('growth', …)",
  });
}

/** A slope takes a millisecond to find and changes slowly. */
const CHECK_GROWTH_MS = 60_000;

const FELL_FAR = 0.9;

/** Makes the object from checked options. Takes the first sample. */
export function openMemory(options: CheckedMemoryOptions, world: MemoryWorld): Memory {
  const { memoryStatsInterval, historySize, trend } = options;
  const history = openMemoryHistory(historySize, trend);
  const events = openEventSource<MemoryEvents>((name, error) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.warn('JEMKIT_LISTENER', `a listener of memory's '${String(name)}' failed (told once): ${text}`);
  });
  let isOpen = true;
  /** When RSS was last seen growing since it was told; undefined where growth is yet to be told. */
  let lastGrowingMs: number | undefined;
  /** Where RSS stood when the last growth had ended: the next one is what goes beyond it. */
  let restedBytes = 0;
  let growthCheckedMs = Number.NEGATIVE_INFINITY;
  let ladder: Closable | undefined;
  let purge: PurgeEvidence | undefined;

  const checkGrowth = ({ monotonicMs, process: { residentBytes = 0 } }: CountedSample) => {
    if (events.count('growth') === 0) return;
    if (monotonicMs - growthCheckedMs < Math.min(CHECK_GROWTH_MS, trend.minimumSpanMs / 10)) return;
    growthCheckedMs = monotonicMs;
    const isGrowing = history.series('residentBytes')?.verdict === 'growing';
    if (lastGrowingMs !== undefined) {
      if (isGrowing) lastGrowingMs = monotonicMs;
      // At the end of a growth the verdict goes to and fro.
      if (monotonicMs - lastGrowingMs < trend.minimumSpanMs) return;
      lastGrowingMs = undefined;
      restedBytes = residentBytes;
      return;
    }
    // Memory that fell far may grow again from there.
    if (residentBytes < FELL_FAR * restedBytes) restedBytes = residentBytes;
    if (isGrowing && residentBytes > restedBytes + leastChange(restedBytes)) {
      lastGrowingMs = monotonicMs;
      events.emit('growth', history.trend(world.readHeadroom()));
    }
  };
  const take = (): CountedSample => {
    const sample = world.sample();
    history.add(sample);
    events.emit('sample', sample);
    checkGrowth(sample);
    return sample;
  };
  const held: Closable[] = [];
  const openLadder = (watchOnly: boolean) => {
    if (ladder) return;
    ladder = world.openLadder(watchOnly, (event) => events.emit('pressure', event));
    held.push(ladder);
  };
  const closeAll = () => {
    for (const closable of held.splice(0).reverse()) closable.close();
  };

  take();
  let tuner: Closable | undefined;
  try {
    if (options.autoMemoryTuning) tuner = world.openTuner((step) => events.emit('tuning', step));
    if (tuner) held.push(tuner);
    if (options.pressure === true || typeof options.pressure === 'object') openLadder(false);
    if (memoryStatsInterval > 0) held.push(world.every(memoryStatsInterval, take));
    held.push(...world.hold());
  } catch (error) {
    closeAll();
    throw error;
  }

  const add = (name: keyof MemoryEvents) => {
    checkEvent(name);
    if (isOpen && name === 'pressure' && options.pressure === undefined) openLadder(true);
  };
  const memory: Memory = {
    hasJemalloc: world.hasJemalloc,
    useJemalloc: options.useJemalloc ?? false,
    get open() {
      return isOpen;
    },
    allocatorInfo: () => world.allocatorInfo({ open: isOpen, tuning: isOpen && tuner !== undefined }),
    stats({ proportional = false } = {}) {
      const before = history.last;
      const sample = memoryStatsInterval > 0 ? world.sample() : take();
      history.see(sample);
      return analyseMemoryStats({
        sample,
        before,
        peaks: history.peaks,
        baseline: history.baseline,
        kernel: world.readProcess({ proportional }),
      });
    },
    setBaseline: () => history.startFrom(world.sample()),
    trend: () => history.trend(world.readHeadroom()),
    suspicion: () => analyseLeakSuspicion(history.samples(), purge, trend),
    optimize(how) {
      const outcome = world.optimize(how);
      const { residentBeforeBytes, residentAfterBytes } = outcome;
      if (outcome.kind === 'purged' && residentBeforeBytes !== undefined && residentAfterBytes !== undefined)
        purge = { monotonicMs: world.sample().monotonicMs, residentBeforeBytes, residentAfterBytes };
      return outcome;
    },
    on(name, listener) {
      add(name);
      if (isOpen) events.on(name, listener);
      return memory;
    },
    once(name, listener) {
      add(name);
      if (isOpen) events.once(name, listener);
      return memory;
    },
    off(name, listener) {
      checkEvent(name);
      events.off(name, listener);
      return memory;
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      // An open pressure ends with its event: listeners go last.
      closeAll();
      events.clear();
    },
    [Symbol.dispose]: () => memory.close(),
  };
  return memory;
}
