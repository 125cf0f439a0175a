import type { LeakSuspicion } from '../../analyses/leak-suspicion.js';
import type { AllocatorInfo } from '../../model/allocator-info.js';
import type { PressureEvent } from '../../model/memory-pressure.js';
import type { MemorySample } from '../../model/memory-sample.js';
import type { MemoryStats } from '../../model/memory-stats.js';
import type { MemoryTrend } from '../../model/memory-trend.js';
import type { OptimizeOptions, OptimizeOutcome } from '../../model/optimize-outcome.js';
import type { TuningStep } from '../../model/tuning.js';

/** What a {@link Memory} tells its listeners. */
export interface MemoryEvents {
  /** A sample was taken, each `memoryStatsInterval`. */
  sample: MemorySample;
  /**
   * RSS grows, and was seen growing for 20 minutes (`trend.minimumSpanMs`): once, and again only after it has not for as long and then
   * rose beyond where it stood.
   */
  growth: MemoryTrend;
  /** The level of memory pressure changed, or a rung of the ladder was climbed. */
  pressure: PressureEvent;
  /** The auto tuner took a step. */
  tuning: TuningStep;
}

/** Options of {@link Memory.stats}. */
export interface StatsOptions {
  /** Reads PSS too, for which the kernel walks the page tables: 1 to 24 ms. Default false. */
  readonly proportional?: boolean | undefined;
}

/** The memory of this process as an application holds it: see {@link createMemory}. */
export interface Memory {
  /** jemalloc serves this process's malloc: measured, not told from its name. */
  readonly hasJemalloc: boolean;
  /** The option of this name: the application means to run under jemalloc. */
  readonly useJemalloc: boolean;
  /** False once it is closed. */
  readonly open: boolean;
  /**
   * Which allocator serves, how it came here, why not jemalloc when not, and what is in effect. The first call looks as
   * `jem doctor` does (30 to 300 ms; it keeps what it read of library files in jemkit's cache folder); later ones take below 1 ms.
   *
   * @example
   * const { current, whyNot } = memory.allocatorInfo();
   * if (whyNot) console.log(`${current}: ${whyNot.cause}; ${whyNot.remedy}`);
   */
  allocatorInfo(): AllocatorInfo;
  /**
   * A fresh sample and what follows from it: 100 to 200 µs; 3 to 8 ms more once, under jemalloc, to prepare its counters by size class. Works without jemalloc too; what was not measured is undefined.
   *
   * @throws JemkitError ERR_JEM_USAGE for another option than `proportional`.
   *
   * @example
   * const { process, jemalloc } = memory.stats();
   * console.log(process.residentBytes, jemalloc?.fragmentation);
   */
  stats(options?: StatsOptions): MemoryStats;
  /** Growth is counted from now on: `stats().process.baselineBytes`. Before the first call, from the first sample. */
  setBaseline(): void;
  /**
   * Whether memory grows, by the samples kept, and when the memory limit is reached: up to 10 ms. `too early` in the first half hour (option
   * `trend`).
   *
   * @example
   * const { verdict, resident, limit } = memory.trend();
   * if (verdict === 'growing') console.log(resident?.bytesPerHour, limit?.reachedInMs);
   */
  trend(): MemoryTrend;
  /** What grows, or lies unused, with its evidence: JavaScript, native memory, fragmentation, pages that were not given back. */
  suspicion(): LeakSuspicion;
  /**
   * Gives unused memory back to the system and says what came of it. JavaScript stands still meanwhile: a purge takes about 0.1 ms per MB
   * of unused pages, a collection by the size of the heap.
   *
   * @throws JemkitError ERR_JEM_USAGE for another `how` than 'purge', 'decay' or 'none', or another option.
   *
   * @example
   * const { returnedBytes, summary } = memory.optimize({ gc: true });
   */
  optimize(options?: OptimizeOptions): OptimizeOutcome;
  /**
   * Calls `listener` at each event until `close()`; after that nothing comes, and nothing is added. One that throws or rejects is reported once as a warning of the process (`JEMKIT_LISTENER`), and
   * called again the next time. The first listener of `pressure` begins to watch the memory limit, unless the option `pressure` is false.
   *
   * @throws JemkitError ERR_JEM_USAGE for another event, or a listener that is no function.
   *
   * @example
   * memory.on('growth', ({ resident }) => console.log('grows by', resident?.bytesPerHour, 'bytes an hour'));
   */
  on<Name extends keyof MemoryEvents>(name: Name, listener: (event: MemoryEvents[Name]) => unknown): this;
  /** As `on`, for one event. */
  once<Name extends keyof MemoryEvents>(name: Name, listener: (event: MemoryEvents[Name]) => unknown): this;
  /** Takes a listener away; the last added of equal ones. */
  off<Name extends keyof MemoryEvents>(name: Name, listener: (event: MemoryEvents[Name]) => unknown): this;
  /**
   * Ends sampling, events, tuning and what else the options switched on, and puts profiling back as it was. What asks (`stats()`,
   * `allocatorInfo()` …) goes on to work. May be called again.
   */
  close(): void;
  [Symbol.dispose](): void;
}
