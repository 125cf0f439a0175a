import { mallctlKeys } from './row.js';

const SLABS = {
  npageslabs_huge: { type: 'size_t', unit: 'count', doc: 'Page slabs, those that are huge pages.' },
  npageslabs_nonhuge: { type: 'size_t', unit: 'count', doc: 'Page slabs, those that are not huge pages.' },
  nactive_huge: { type: 'size_t', unit: 'pages', doc: 'Active pages in slabs that are huge pages.' },
  nactive_nonhuge: { type: 'size_t', unit: 'pages', doc: 'Active pages in slabs that are not huge pages.' },
  ndirty_huge: { type: 'size_t', unit: 'pages', doc: 'Dirty pages in slabs that are huge pages.' },
  ndirty_nonhuge: { type: 'size_t', unit: 'pages', doc: 'Dirty pages in slabs that are not huge pages.' },
} as const;

const SINCE_5_3_0 = { since: '5.3.0', needs: 'config.stats' } as const;

/** The huge page allocator's statistics of one arena; all 0 where opt.hpa is false. */
export const STATS_HPA_KEYS = {
  ...mallctlKeys('stats.arenas.<i>.', SINCE_5_3_0, {
    hpa_sec_bytes: { type: 'size_t', unit: 'bytes', doc: 'Bytes in the small extent cache.' },
    hpa_sec_hits: {
      type: 'size_t',
      unit: 'count',
      since: '5.3.1',
      doc: 'Requests the small extent cache could serve.',
    },
    hpa_sec_misses: {
      type: 'size_t',
      unit: 'count',
      since: '5.3.1',
      doc: 'Requests the small extent cache could not serve.',
    },
    hpa_sec_dalloc_flush: {
      type: 'size_t',
      unit: 'count',
      since: '5.3.1',
      doc: 'Frees after which the small extent cache was emptied.',
    },
    hpa_sec_dalloc_noflush: {
      type: 'size_t',
      unit: 'count',
      since: '5.3.1',
      doc: 'Frees that the small extent cache took.',
    },
    hpa_sec_overfills: {
      type: 'size_t',
      unit: 'count',
      since: '5.3.1',
      doc: 'Fills beyond the limit of the small extent cache.',
    },
  }),
  ...mallctlKeys('stats.arenas.<i>.hpa_shard.', SINCE_5_3_0, {
    npageslabs: { type: 'size_t', unit: 'count', since: '5.3.1', doc: 'Page slabs.' },
    nactive: { type: 'size_t', unit: 'pages', since: '5.3.1', doc: 'Active pages.' },
    ndirty: { type: 'size_t', unit: 'pages', since: '5.3.1', doc: 'Dirty pages.' },
    npurge_passes: { type: 'uint64_t', unit: 'count', doc: 'Passes of purging.' },
    npurges: { type: 'uint64_t', unit: 'count', doc: 'Slabs purged.' },
    nhugifies: { type: 'uint64_t', unit: 'count', doc: 'Slabs made huge pages.' },
    nhugify_failures: {
      type: 'uint64_t',
      unit: 'count',
      since: '5.3.1',
      doc: 'Slabs the kernel did not make huge pages.',
    },
    ndehugifies: { type: 'uint64_t', unit: 'count', doc: 'Slabs that ceased to be huge pages.' },
  }),
  ...mallctlKeys('stats.arenas.<i>.hpa_shard.slabs.', { ...SINCE_5_3_0, since: '5.3.1' }, SLABS),
  ...mallctlKeys('stats.arenas.<i>.hpa_shard.full_slabs.', SINCE_5_3_0, SLABS),
  ...mallctlKeys('stats.arenas.<i>.hpa_shard.empty_slabs.', SINCE_5_3_0, SLABS),
  ...mallctlKeys('stats.arenas.<i>.hpa_shard.nonfull_slabs.<j>.', SINCE_5_3_0, SLABS),
  ...mallctlKeys(
    'stats.arenas.<i>.hpa_shard.alloc.<j>.',
    { ...SINCE_5_3_0, since: '5.4.0' },
    {
      min_extents: { type: 'uint64_t', unit: 'count', doc: 'The fewest extents asked for by requests of this class.' },
      max_extents: { type: 'uint64_t', unit: 'count', doc: 'The most extents asked for by requests of this class.' },
      extents: { type: 'uint64_t', unit: 'count', doc: 'Extents allocated by requests of this class.' },
      ps: { type: 'uint64_t', unit: 'count', doc: 'Page slabs used by requests of this class.' },
      pages_per_ps: { type: 'uint64_t', unit: 'pages', doc: 'Pages by number of page slabs used.' },
      extents_per_ps: { type: 'uint64_t', unit: 'count', doc: 'Extents by number of page slabs used.' },
      total_elapsed_ns_per_ps: { type: 'uint64_t', unit: 'ns', doc: 'Time spent by number of page slabs used.' },
    },
  ),
};
