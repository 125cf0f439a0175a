import type { JemallocVersion } from '../jemalloc-version.js';
import { type GroupRows, mallctlKeys } from './row.js';

const COUNTERS = {
  num_ops: { type: 'uint64_t', unit: 'count', doc: 'How often it was taken.' },
  num_wait: { type: 'uint64_t', unit: 'count', doc: 'How often a thread slept for it.' },
  num_spin_acq: { type: 'uint64_t', unit: 'count', doc: 'How often a thread got it by spinning.' },
  num_owner_switch: { type: 'uint64_t', unit: 'count', doc: 'How often it was taken by another thread than before.' },
  total_wait_time: { type: 'uint64_t', unit: 'ns', doc: 'All time threads slept for it.' },
  max_wait_time: { type: 'uint64_t', unit: 'ns', doc: 'The longest time a thread slept for it.' },
  max_num_thds: { type: 'uint32_t', unit: 'count', doc: 'The most threads that waited for it at once.' },
} as const;

/** A lock's release, and what it guards. */
type Mutexes = Readonly<Record<string, readonly [since: JemallocVersion, guards: string]>>;

const PROCESS_MUTEXES = {
  background_thread: ['5.0.0', 'background threads'],
  max_per_bg_thd: ['5.3.0', 'one background thread: the most contended of them'],
  ctl: ['5.0.0', 'mallctl itself'],
  prof: ['5.0.0', 'the table of profiled stacks'],
  prof_thds_data: ['5.3.0', 'profiling’s data of threads'],
  prof_dump: ['5.3.0', 'dumps of profiles'],
  prof_recent_alloc: ['5.3.0', 'the list of recent samples'],
  prof_recent_dump: ['5.3.0', 'dumps of recent samples'],
  prof_stats: ['5.3.0', 'profiling’s statistics'],
} as const satisfies Mutexes;

const ARENA_MUTEXES = {
  large: ['5.0.0', 'the list of large allocations'],
  extent_avail: ['5.0.0', 'unused extent structures'],
  extents_dirty: ['5.0.0', 'dirty extents'],
  extents_muzzy: ['5.0.0', 'muzzy extents'],
  extents_retained: ['5.0.0', 'retained extents'],
  extents_pinned: ['5.4.0', 'pinned extents'],
  decay_dirty: ['5.0.0', 'the decay of dirty pages'],
  decay_muzzy: ['5.0.0', 'the decay of muzzy pages'],
  base: ['5.0.0', 'jemalloc’s own structures'],
  tcache_list: ['5.0.0', 'the list of thread caches'],
  hpa_shard: ['5.3.0', 'the huge page allocator'],
  hpa_shard_grow: ['5.3.0', 'growth of the huge page allocator'],
  hpa_sec: ['5.3.0', 'the small extent cache'],
} as const satisfies Mutexes;

type MutexKeys<Prefix extends string, List> = GroupRows<
  '',
  { readonly [Name in `${Prefix}${keyof List & string}.${keyof typeof COUNTERS}`]: CounterOf<Name> }
>;
type CounterOf<Name extends string> = Name extends `${string}.max_num_thds`
  ? (typeof COUNTERS)['max_num_thds']
  : (typeof COUNTERS)['num_ops'];

function mutexKeys<const Prefix extends string, const List extends Mutexes>(
  prefix: Prefix,
  list: List,
): MutexKeys<Prefix, List> {
  const groups = Object.entries(list).map(([name, [since, guards]]) => {
    const rows = Object.entries(COUNTERS).map(([counter, row]) => [
      counter,
      { ...row, doc: `The lock of ${guards}. ${row.doc}` },
    ]);
    return mallctlKeys(`${prefix}${name}.`, { since, needs: 'config.stats' }, Object.fromEntries(rows));
  });
  return Object.assign({}, ...groups) as MutexKeys<Prefix, List>;
}

/** Contention of jemalloc's locks. Those of an arena's size class are the sum or the most of its shards. */
export const MUTEX_KEYS = {
  ...mutexKeys('stats.mutexes.', PROCESS_MUTEXES),
  ...mutexKeys('stats.arenas.<i>.mutexes.', ARENA_MUTEXES),
  ...mutexKeys('stats.arenas.<i>.bins.<j>.', { mutex: ['5.0.0', 'this size class'] }),
  ...mallctlKeys(
    'stats.mutexes.',
    { since: '5.0.0', needs: 'config.stats' },
    { reset: { type: 'void', access: 'trigger', doc: 'Sets the counters of all locks to 0.' } },
  ),
};
