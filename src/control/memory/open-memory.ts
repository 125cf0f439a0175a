import { analyseLeakSuspicion, type PurgeEvidence } from '../../analyses/leak-suspicion.js';
import { analyseMemoryStats, type CountedSample } from '../../analyses/memory-stats.js';
import { leastChange } from '../../analyses/trend.js';
import { JemkitError } from '../../errors.js';
import type { AllocatorInfo } from '../../model/allocator-info.js';
import type { MemoryHeadroom, PressureEvent } from '../../model/memory-pressure.js';
import type { ProcessMemory } from '../../model/memory-sample.js';
import type { OptimizeOptions, OptimizeOutcome } from '../../model/optimize-outcome.js';
import type { TuningStep } from '../../model/tuning.js';
import { checkOptions, type OptionKinds, writtenOut } from './check-options.js';
import type { Memory, MemoryEvents, StatsOptions } from './memory.js';
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

const STATS_KINDS: OptionKinds<StatsOptions> = { proportional: ['boolean'] };

const EVENTS: Readonly<Record<keyof MemoryEvents, true>> = { sample: true, growth: true, pressure: true, tuning: true };

function checkEvent(name: string): void {
  if (Object.hasOwn(EVENTS, name)) return;
  throw new JemkitError(
    'ERR_JEM_USAGE',
    `memory has no event '${String(name)}' (expected ${Object.keys(EVENTS).join(', ')})`,
    {
      hint: "memory.on('growth', …)",
    },
  );
}

function checkListener(name: string, listener: unknown): void {
  if (typeof listener === 'function') return;
  throw new JemkitError(
    'ERR_JEM_USAGE',
    `memory: the listener of '${name}' is ${writtenOut(listener)} (expected a function)`,
    { hint: `memory.on('${name}', (event) => …)` },
  );
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
  /** Since when RSS was seen growing at each check; undefined where it was not at the last. */
  let growingSinceMs: number | undefined;
  /** When RSS was last seen growing since it was told; undefined where growth is yet to be told. */
  let lastGrowingMs: number | undefined;
  /** Where RSS stood when the last growth had ended: the next one is what goes beyond it. */
  let restedBytes = 0;
  let growthCheckedMs = Number.NEGATIVE_INFINITY;
  let ladder: Closable | undefined;
  let purge: PurgeEvidence | undefined;

  const checkGrowth = ({ monotonicMs, process: { residentBytes = 0 } }: CountedSample) => {
    if (events.count('growth') === 0) {
      growingSinceMs = undefined;
      return;
    }
    if (monotonicMs - growthCheckedMs < Math.min(CHECK_GROWTH_MS, trend.minimumSpanMs / 10)) return;
    growthCheckedMs = monotonicMs;
    const isGrowing = history.series('residentBytes')?.verdict === 'growing';
    growingSinceMs = isGrowing ? (growingSinceMs ?? monotonicMs) : undefined;
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
    // Asked once a minute, what only wanders passes for growth now and then, and seldom for long: it costs 20 minutes to be four times as sure.
    if (growingSinceMs === undefined || monotonicMs - growingSinceMs < trend.minimumSpanMs) return;
    if (residentBytes > restedBytes + leastChange(restedBytes)) {
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
  const noteReturned = (returnedBytes: number) => {
    purge = { monotonicMs: world.sample().monotonicMs, returnedBytes };
  };
  /** Of the ladder's rungs: 'collect' purges too, and what that gives back had been garbage, mostly. */
  const notePurge = (event: PressureEvent) => {
    if (event.kind !== 'rung' || event.rung !== 'purge' || event.outcome.kind !== 'done') return;
    const { beforeBytes, afterBytes } = event;
    if (beforeBytes !== undefined && afterBytes !== undefined) noteReturned(beforeBytes - afterBytes);
  };
  const held: Closable[] = [];
  const openLadder = (watchOnly: boolean) => {
    if (ladder) return;
    ladder = world.openLadder(watchOnly, (event) => {
      notePurge(event);
      events.emit('pressure', event);
    });
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

  const add = (name: keyof MemoryEvents, listener: unknown) => {
    checkEvent(name);
    checkListener(name, listener);
    if (isOpen && name === 'pressure' && options.pressure === undefined) openLadder(true);
  };
  const memory: Memory = {
    hasJemalloc: world.hasJemalloc,
    useJemalloc: options.useJemalloc ?? false,
    get open() {
      return isOpen;
    },
    allocatorInfo: () => world.allocatorInfo({ open: isOpen, tuning: isOpen && tuner !== undefined }),
    stats(how = {}) {
      checkOptions({ caller: 'stats' }, how, STATS_KINDS);
      const { proportional = false } = how;
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
      const { kind, gc, returnedBytes, dirtyBeforeBytes = 0, muzzyBeforeBytes = 0 } = outcome;
      // What a collection has freed a moment ago was in use until then: no purge would have taken it.
      const most = gc === 'done' ? dirtyBeforeBytes + muzzyBeforeBytes : Number.POSITIVE_INFINITY;
      if (kind === 'purged' && returnedBytes !== undefined) noteReturned(Math.min(returnedBytes, most));
      return outcome;
    },
    on(name, listener) {
      add(name, listener);
      if (isOpen) events.on(name, listener);
      return memory;
    },
    once(name, listener) {
      add(name, listener);
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
