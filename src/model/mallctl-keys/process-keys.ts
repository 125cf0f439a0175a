import { mallctlKeys } from './row.js';

/** How this copy of jemalloc was built, and what holds for the whole process. */
export const PROCESS_KEYS = {
  ...mallctlKeys(
    '',
    {},
    {
      version: { type: 'const char *', doc: 'The release, with the number of commits since and the commit.' },
      epoch: {
        type: 'uint64_t',
        access: 'read-write',
        unit: 'count',
        doc: 'How often statistics were taken; writing anything takes them anew, and stats.* then answer from that moment.',
      },
      background_thread: {
        type: 'bool',
        access: 'read-write',
        since: '5.0.0',
        doc: 'Whether threads of jemalloc’s own purge unused memory; writing starts or ends them.',
      },
      max_background_threads: {
        type: 'size_t',
        access: 'read-write',
        unit: 'count',
        since: '5.1.0',
        doc: 'The most background threads; can be lowered below opt.max_background_threads, not raised above it.',
      },
      'approximate_stats.active': {
        type: 'size_t',
        unit: 'bytes',
        since: '5.3.1',
        doc: 'An estimate of stats.active that needs no epoch; not to be compared with other statistics.',
      },
    },
  ),
  ...mallctlKeys(
    'config.',
    {},
    {
      cache_oblivious: { type: 'bool', doc: 'Built so that large allocations may begin at any cache line of a page.' },
      debug: { type: 'bool', doc: 'Built with jemalloc’s own assertions: slow.' },
      fill: { type: 'bool', doc: 'Built with the options junk and zero.' },
      lazy_lock: { type: 'bool', doc: 'Built so that locks begin with the first further thread.' },
      malloc_conf: { type: 'const char *', since: '4.1.0', doc: 'The options compiled in by configure.' },
      opt_safety_checks: {
        type: 'bool',
        since: '5.2.1',
        doc: 'Built with checks of the fast paths, such as for double frees.',
      },
      prof: { type: 'bool', doc: 'Built with heap profiling.' },
      prof_frameptr: { type: 'bool', since: '5.3.1', doc: 'Profiling can walk stacks by frame pointers.' },
      prof_libgcc: { type: 'bool', doc: 'Profiling walks stacks by libgcc.' },
      prof_libunwind: { type: 'bool', doc: 'Profiling walks stacks by libunwind.' },
      stats: { type: 'bool', doc: 'Built with statistics: without them stats.* are absent.' },
      thp: { type: 'bool', since: '4.5.0', removedIn: '5.1.0', doc: 'Built to control transparent huge pages.' },
      utrace: { type: 'bool', doc: 'Built with the option utrace.' },
      xmalloc: { type: 'bool', doc: 'Built with the option xmalloc.' },
    },
  ),
};
