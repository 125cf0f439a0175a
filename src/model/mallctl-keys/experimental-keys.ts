import { mallctlKeys } from './row.js';

const TAKES_AN_ADDRESS = 'it takes the address of a function or a structure';

/** Not part of jemalloc's promises. */
export const EXPERIMENTAL_KEYS = mallctlKeys(
  'experimental.',
  { experimental: true },
  {
    'hooks.install': { type: 'void *', access: 'call', since: '5.2.0', removedIn: '5.4.0', refused: TAKES_AN_ADDRESS, doc: 'Installs functions that are called on every allocation and free.' },
    'hooks.remove': { type: 'void *', access: 'write', since: '5.2.0', removedIn: '5.4.0', refused: TAKES_AN_ADDRESS, doc: 'Takes such functions out again.' },
    'hooks.prof_backtrace': { type: 'void *', access: 'call', since: '5.3.0', needs: 'opt.prof', refused: TAKES_AN_ADDRESS, doc: 'The function that takes the stack of a sample.' },
    'hooks.prof_dump': { type: 'void *', access: 'call', since: '5.3.0', needs: 'opt.prof', refused: TAKES_AN_ADDRESS, doc: 'A function that is called with the name of each dump.' },
    'hooks.prof_sample': { type: 'void *', access: 'call', since: '5.3.1', needs: 'opt.prof', refused: TAKES_AN_ADDRESS, doc: 'A function that is called for each sampled allocation.' },
    'hooks.prof_sample_free': { type: 'void *', access: 'call', since: '5.3.1', needs: 'opt.prof', refused: TAKES_AN_ADDRESS, doc: 'A function that is called when a sampled allocation is freed.' },
    'hooks.safety_check_abort': { type: 'void *', access: 'write', since: '5.3.0', refused: TAKES_AN_ADDRESS, doc: 'The function that is called instead of abort where a safety check fails.' },
    'hooks.thread_event': { type: 'void *', access: 'write', since: '5.3.1', refused: TAKES_AN_ADDRESS, doc: 'A function that is called each time a thread has allocated so many bytes.' },
    'thread.activity_callback': { type: 'void *', access: 'call', since: '5.3.0', removedIn: '5.3.1', thread: true, refused: TAKES_AN_ADDRESS, doc: 'A function that is called now and then as a thread allocates.' },
    'utilization.query': { type: 'void *', access: 'call', since: '5.2.1', refused: TAKES_AN_ADDRESS, doc: 'How full the slab of an allocation and its size class are.' },
    'utilization.batch_query': { type: 'void *', access: 'call', since: '5.2.1', refused: TAKES_AN_ADDRESS, doc: 'How full the slabs of several allocations are.' },
    'arenas.<i>.pactivep': { type: 'void *', since: '5.2.1', needs: 'config.stats', doc: 'Where the number of active pages of an arena lies in memory.' },
    arenas_create_ext: { type: 'unsigned', access: 'call', unit: 'index', since: '5.3.0', refused: TAKES_AN_ADDRESS, doc: 'Makes an arena with more settings than arenas.create.' },
    'prof_recent.alloc_max': { type: 'ssize_t', access: 'read-write', unit: 'count', since: '5.3.0', needs: 'opt.prof', doc: 'How many recent samples are kept one by one; -1 without limit.' },
    'prof_recent.alloc_dump': { type: 'void *', access: 'write', since: '5.3.0', needs: 'opt.prof', refused: TAKES_AN_ADDRESS, doc: 'Gives the recent samples as JSON to a function.' },
    batch_alloc: { type: 'size_t', access: 'call', unit: 'count', since: '5.3.0', refused: TAKES_AN_ADDRESS, doc: 'Allocates many blocks of one size at once.' },
  },
);
