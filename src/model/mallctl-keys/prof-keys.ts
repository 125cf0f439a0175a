import { mallctlKeys } from './row.js';

/** Heap profiling. */
export const PROF_KEYS = {
  ...mallctlKeys(
    'prof.',
    { needs: 'config.prof' },
    {
      thread_active_init: {
        type: 'bool',
        access: 'read-write',
        doc: 'The thread.prof.active of threads that start from now on.',
      },
      active: {
        type: 'bool',
        access: 'read-write',
        doc: 'Whether allocations are sampled; only where the process began with opt.prof.',
      },
      dump: {
        type: 'const char *',
        access: 'write',
        needs: 'opt.prof',
        withoutValue: 'names the file by the prefix',
        doc: 'Writes a heap profile into the file named.',
      },
      gdump: {
        type: 'bool',
        access: 'read-write',
        doc: 'Whether a profile is dumped each time mapped memory reaches a new peak.',
      },
      reset: {
        type: 'size_t',
        access: 'write',
        unit: 'log2 bytes',
        needs: 'opt.prof',
        withoutValue: 'keeps the sampling distance',
        doc: 'Forgets all samples and sets the mean distance between samples.',
      },
      interval: {
        type: 'uint64_t',
        unit: 'bytes',
        doc: 'After how many allocated bytes a profile is dumped; 0 never.',
      },
      lg_sample: { type: 'size_t', unit: 'log2 bytes', doc: 'The mean distance between samples in force.' },
      prefix: {
        type: 'const char *',
        access: 'write',
        since: '5.3.0',
        needs: 'opt.prof',
        doc: 'The beginning of the names of dumps.',
      },
      log_start: {
        type: 'const char *',
        access: 'write',
        since: '5.2.0',
        needs: 'opt.prof',
        withoutValue: 'names the file by the prefix',
        doc: 'Begins to log each sampled allocation and its end.',
      },
      log_stop: {
        type: 'void',
        access: 'trigger',
        since: '5.2.0',
        needs: 'opt.prof',
        doc: 'Writes the log and ends it.',
      },
    },
  ),
  ...mallctlKeys(
    'prof.stats.',
    { since: '5.3.0', needs: 'opt.prof_stats' },
    {
      'bins.<i>.live': {
        type: 'prof_stats_t',
        doc: 'Sampled live allocations of this small class: bytes asked for, and count.',
      },
      'bins.<i>.accum': {
        type: 'prof_stats_t',
        doc: 'All sampled allocations of this small class: bytes asked for, and count.',
      },
      'lextents.<i>.live': {
        type: 'prof_stats_t',
        doc: 'Sampled live allocations of this large class: bytes asked for, and count.',
      },
      'lextents.<i>.accum': {
        type: 'prof_stats_t',
        doc: 'All sampled allocations of this large class: bytes asked for, and count.',
      },
    },
  ),
};
