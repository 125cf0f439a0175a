import { mallctlKeys } from './row.js';

/** Statistics of the whole process, as of the last epoch. */
export const STATS_KEYS = {
  ...mallctlKeys(
    'stats.',
    { needs: 'config.stats' },
    {
      allocated: { type: 'size_t', unit: 'bytes', doc: 'What the program holds, in size classes.' },
      active: { type: 'size_t', unit: 'bytes', doc: 'Whole pages that hold at least one allocation.' },
      metadata: { type: 'size_t', unit: 'bytes', doc: 'jemalloc’s own structures.' },
      metadata_edata: {
        type: 'size_t',
        unit: 'bytes',
        since: '5.3.1',
        doc: 'The part of metadata that describes extents.',
      },
      metadata_rtree: {
        type: 'size_t',
        unit: 'bytes',
        since: '5.3.1',
        doc: 'The part of metadata that finds extents by address.',
      },
      metadata_thp: { type: 'size_t', unit: 'count', since: '5.1.0', doc: 'Huge pages that metadata uses.' },
      resident: {
        type: 'size_t',
        unit: 'bytes',
        doc: 'An upper bound of jemalloc’s memory in RAM: active, dirty and muzzy pages and all metadata, touched or not.',
      },
      mapped: { type: 'size_t', unit: 'bytes', doc: 'Active extents with their mappings; not retained ones.' },
      retained: {
        type: 'size_t',
        unit: 'bytes',
        since: '4.2.0',
        doc: 'Address space that is kept without memory behind it.',
      },
      pinned: {
        type: 'size_t',
        unit: 'bytes',
        since: '5.4.0',
        doc: 'Unused memory of extent hooks that cannot be given back.',
      },
      zero_reallocs: { type: 'size_t', unit: 'count', since: '5.3.0', doc: 'How often realloc was asked for 0 bytes.' },
    },
  ),
  ...mallctlKeys(
    'stats.background_thread.',
    { since: '5.0.0', needs: 'config.stats' },
    {
      num_threads: { type: 'size_t', unit: 'count', doc: 'Background threads that run.' },
      num_runs: { type: 'uint64_t', unit: 'count', doc: 'How often they woke up.' },
      run_interval: { type: 'uint64_t', unit: 'ns', doc: 'The mean time between two runs.' },
    },
  ),
};
