import { mallctlKeys } from './row.js';

const CACHE_OF_ANOTHER = 'a thread cache that is flushed or destroyed while in use corrupts memory';

const WITHOUT_STATISTICS = 'before 5.3.0 in a build without config.stats';

/** What belongs to the thread that asks, and explicit thread caches. */
export const THREAD_KEYS = {
  ...mallctlKeys(
    'thread.',
    { thread: true },
    {
      arena: {
        type: 'unsigned',
        access: 'read-write',
        unit: 'index',
        refused:
          'moving a thread to another arena purges the one it leaves, and mixes V8’s own memory into the new one',
        doc: 'The arena this thread allocates from.',
      },
      allocated: {
        type: 'uint64_t',
        unit: 'bytes',
        perhapsAbsent: WITHOUT_STATISTICS,
        doc: 'All bytes this thread ever allocated.',
      },
      allocatedp: {
        type: 'void *',
        perhapsAbsent: WITHOUT_STATISTICS,
        doc: 'Where thread.allocated lies in memory; gone when the thread ends.',
      },
      deallocated: {
        type: 'uint64_t',
        unit: 'bytes',
        perhapsAbsent: WITHOUT_STATISTICS,
        doc: 'All bytes this thread ever freed.',
      },
      deallocatedp: {
        type: 'void *',
        perhapsAbsent: WITHOUT_STATISTICS,
        doc: 'Where thread.deallocated lies in memory; gone when the thread ends.',
      },
      'peak.read': {
        type: 'uint64_t',
        unit: 'bytes',
        since: '5.3.0',
        needs: 'config.stats',
        doc: 'The most that allocated minus freed bytes of this thread came to since the last reset.',
      },
      'peak.reset': {
        type: 'void',
        access: 'trigger',
        since: '5.3.0',
        needs: 'config.stats',
        doc: 'Begins thread.peak.read anew.',
      },
      'tcache.enabled': {
        type: 'bool',
        access: 'read-write',
        doc: 'Whether this thread has a cache of freed blocks; switching it off flushes it.',
      },
      'tcache.flush': {
        type: 'void',
        access: 'trigger',
        doc: 'Gives this thread’s cached blocks back to their arenas.',
      },
      'tcache.max': {
        type: 'size_t',
        access: 'read-write',
        unit: 'bytes',
        since: '5.3.1',
        doc: 'The largest size this thread’s cache holds.',
      },
      'tcache.ncached_max.read_sizeclass': {
        type: 'size_t',
        access: 'call',
        unit: 'count',
        since: '5.3.1',
        refused: 'it takes a size and gives a count in one call',
        doc: 'How many blocks of a size this thread’s cache holds at most.',
      },
      'tcache.ncached_max.write': {
        type: 'const char *',
        access: 'write',
        since: '5.3.1',
        doc: 'Sets how many blocks of which sizes this thread’s cache holds: FROM-TO:COUNT, several joined by |.',
      },
      'prof.name': {
        type: 'const char *',
        access: 'read-write',
        needs: 'opt.prof',
        doc: 'The name of this thread in heap profiles.',
      },
      'prof.active': {
        type: 'bool',
        access: 'read-write',
        needs: 'config.prof',
        doc: 'Whether this thread’s allocations are sampled while prof.active is true.',
      },
      idle: {
        type: 'void',
        access: 'trigger',
        since: '5.3.0',
        doc: 'This thread will rest: flushes its cache and, where there are arenas enough, purges its arena.',
      },
    },
  ),
  ...mallctlKeys(
    'tcache.',
    {},
    {
      create: {
        type: 'unsigned',
        access: 'call',
        unit: 'index',
        refused: 'reading it makes a thread cache that someone must destroy',
        doc: 'Makes a thread cache for use by MALLOCX_TCACHE.',
      },
      flush: {
        type: 'unsigned',
        access: 'write',
        unit: 'index',
        refused: CACHE_OF_ANOTHER,
        doc: 'Empties an explicit thread cache.',
      },
      destroy: {
        type: 'unsigned',
        access: 'write',
        unit: 'index',
        refused: CACHE_OF_ANOTHER,
        doc: 'Ends an explicit thread cache.',
      },
    },
  ),
};
