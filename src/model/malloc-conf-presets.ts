/** A named set of MALLOC_CONF options. */
export interface MallocConfPreset {
  readonly name: string;
  /** The MALLOC_CONF string. */
  readonly conf: string;
  /** One line: what it is for. */
  readonly summary: string;
  /** What is given up for it. */
  readonly trades: string;
  /** Where it comes from, and what was measured. */
  readonly source: string;
}

/**
 * The named MALLOC_CONF strings of `--preset`. Every option in them exists in each release of the 5.x series (`metadata_thp` of
 * `throughput` since 5.1), so no version warns about them; `leak-hunt` needs a library built with profiling.
 *
 * @example
 * import { PRESETS } from 'jemkit';
 * spawn('node', ['server.js'], { env: { ...process.env, MALLOC_CONF: PRESETS['low-memory'].conf } });
 */
export const PRESETS = {
  balanced: {
    name: 'balanced',
    conf: 'background_thread:true,narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0',
    summary: 'Gives memory back within about a second, also at rest, with few arenas. For servers of any language.',
    trades:
      'One or a few sleeping threads per process, and pages that are needed again after a second are faulted in again. Four arenas ' +
      'are enough for dozens of threads, since each thread allocates from its own cache first; a program in which many ' +
      'cores allocate blocks over 32 KiB at once (a large MariaDB, for example) may wait for them: use throughput there.',
    source:
      "jemkit's measurements on four servers: background_thread, 1 s decay and narenas:2 lowered RSS at rest to 0.68 to 0.84 of " +
      'jemalloc’s defaults, within ±5 % of their CPU. Two arenas became four for programs with many threads: four is what Hadoop ' +
      'and others set for glibc (MALLOC_ARENA_MAX=4), whose arenas contend more. narenas:4 itself was not measured on many cores.',
  },
  'low-memory': {
    name: 'low-memory',
    conf: 'background_thread:true,narenas:2,lg_tcache_max:12,dirty_decay_ms:500,muzzy_decay_ms:0',
    summary:
      'The smallest RSS that is still reasonable for a server: two arenas, small thread caches, half a second of decay.',
    trades:
      'Threads wait for each other more often, blocks over 4 KiB go past the thread cache, and pages are faulted in again more ' +
      'often: some CPU for memory. Wrong for programs in which many threads allocate at once.',
    source:
      'jemalloc’s TUNING.md, “prioritizing memory usage” (tcache_max:4096, here by its name in every version) with the two arenas ' +
      'of jemkit’s measurements. The 500 ms are jemkit’s choice, not measured.',
  },
  throughput: {
    name: 'throughput',
    conf: 'background_thread:true,metadata_thp:auto,dirty_decay_ms:30000,muzzy_decay_ms:30000',
    summary:
      'Keeps freed memory for half a minute and all arenas: the least work per allocation. For busy, many-core machines.',
    trades:
      'RSS stays high for half a minute after each peak, and freed pages the kernel has not yet taken back (muzzy) still count ' +
      'as RSS. Memory of jemalloc’s own may grow by huge pages.',
    source: 'jemalloc’s TUNING.md, “high resource consumption application, prioritizing CPU utilization”.',
  },
  minimal: {
    name: 'minimal',
    conf: 'narenas:1,tcache:false,dirty_decay_ms:0,muzzy_decay_ms:0',
    summary:
      'Every freed page goes back at once; one arena, no thread caches, no extra thread. For programs that rarely allocate.',
    trades:
      'Every allocation takes a lock and every freed page a system call. dirty_decay_ms:0 alone cost 40 to 70 % more CPU in add-on ' +
      'loops: not for a busy server.',
    source: 'jemalloc’s TUNING.md, “extremely conservative — minimize memory usage at all costs”.',
  },
  'leak-hunt': {
    name: 'leak-hunt',
    conf: 'prof:true,prof_active:true,lg_prof_sample:17,lg_prof_interval:32,background_thread:true,narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0',
    summary:
      'Samples allocations from the start and writes a heap profile to the working directory after every 4 GiB allocated.',
    trades:
      'A few MB of RSS, 4 to 8 % of CPU on usual servers and up to 20 % where allocation is extreme, more at this finer sampling; ' +
      'jeprof.PID.*.heap files that nobody deletes. Needs a library with profiling compiled in (jem doctor shows it).',
    source:
      'jemkit’s measurements: small heaps need a sample per 128 KiB (lg 17); prof_final is left out because a Node process frees ' +
      'its Buffers before it writes that last profile.',
  },
} as const satisfies Record<string, MallocConfPreset>;

/** The name of a preset. */
export type MallocConfPresetName = keyof typeof PRESETS;

/** What `jem run` and `jem env` use where neither a preset nor options are named. */
export const DEFAULT_PRESET: MallocConfPresetName = 'balanced';
