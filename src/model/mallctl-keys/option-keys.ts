import type { JemallocVersion } from '../jemalloc-version.js';
import { MALLOC_CONF_OPTIONS, type OptionName, type OptionRow } from '../malloc-conf-options.js';
import { type MallctlRow, type MallctlType, type MallctlUnit, mallctlKeys, type TypedRow } from './row.js';

/** Where a key came or went in another release than the option. */
interface OptionKey {
  readonly type: MallctlType;
  readonly since?: JemallocVersion;
  readonly removedIn?: JemallocVersion;
}

/** The options of jemalloc 5 whose value can be asked for. Everything else about them stands in MALLOC_CONF_OPTIONS. */
const OPTION_KEYS_BY_NAME = {
  abort: { type: 'bool' },
  abort_conf: { type: 'bool' },
  background_thread: { type: 'bool' },
  cache_oblivious: { type: 'bool', since: '5.3.0' },
  confirm_conf: { type: 'bool' },
  debug_double_free_max_scan: { type: 'unsigned' },
  dirty_decay_ms: { type: 'ssize_t' },
  disable_large_size_classes: { type: 'bool' },
  dss: { type: 'const char *' },
  experimental_hpa_enforce_hugify: { type: 'bool' },
  experimental_hpa_max_purge_nhp: { type: 'ssize_t' },
  experimental_hpa_start_huge_if_thp_always: { type: 'bool' },
  experimental_infallible_new: { type: 'bool' },
  experimental_tcache_gc: { type: 'bool' },
  hpa: { type: 'bool' },
  hpa_dirty_mult: { type: 'uint32_t' },
  hpa_hugification_threshold: { type: 'size_t' },
  hpa_hugify_delay_ms: { type: 'uint64_t' },
  hpa_hugify_style: { type: 'const char *' },
  hpa_hugify_sync: { type: 'bool' },
  hpa_min_purge_delay_ms: { type: 'uint64_t' },
  hpa_min_purge_interval_ms: { type: 'uint64_t' },
  hpa_purge_threshold: { type: 'size_t' },
  hpa_sec_batch_fill_extra: { type: 'size_t' },
  hpa_sec_bytes_after_flush: { type: 'size_t' },
  hpa_sec_max_alloc: { type: 'size_t' },
  hpa_sec_max_bytes: { type: 'size_t' },
  hpa_sec_nshards: { type: 'size_t' },
  hpa_slab_max_alloc: { type: 'size_t' },
  huge_arena_pac_thp: { type: 'bool' },
  junk: { type: 'const char *' },
  lg_extent_max_active_fit: { type: 'size_t' },
  lg_prof_interval: { type: 'ssize_t' },
  lg_prof_sample: { type: 'size_t' },
  lg_san_uaf_align: { type: 'ssize_t' },
  lg_tcache_flush_large_div: { type: 'unsigned' },
  lg_tcache_flush_small_div: { type: 'unsigned' },
  lg_tcache_max: { type: 'ssize_t', removedIn: '5.3.0' },
  lg_tcache_nslots_mul: { type: 'ssize_t' },
  max_background_threads: { type: 'size_t' },
  metadata_thp: { type: 'const char *' },
  mutex_max_spin: { type: 'int64_t' },
  muzzy_decay_ms: { type: 'ssize_t' },
  narenas: { type: 'unsigned' },
  oversize_threshold: { type: 'size_t' },
  percpu_arena: { type: 'const char *' },
  process_madvise_max_batch: { type: 'size_t' },
  prof: { type: 'bool' },
  prof_accum: { type: 'bool' },
  prof_active: { type: 'bool' },
  prof_bt_max: { type: 'unsigned' },
  prof_final: { type: 'bool' },
  prof_gdump: { type: 'bool' },
  prof_leak: { type: 'bool' },
  prof_leak_error: { type: 'bool' },
  prof_pid_namespace: { type: 'bool' },
  prof_prefix: { type: 'const char *' },
  prof_recent_alloc_max: { type: 'ssize_t' },
  prof_stats: { type: 'bool' },
  prof_sys_thread_name: { type: 'bool' },
  prof_thread_active_init: { type: 'bool' },
  prof_time_resolution: { type: 'const char *' },
  retain: { type: 'bool' },
  stats_interval: { type: 'int64_t' },
  stats_interval_opts: { type: 'const char *' },
  stats_print: { type: 'bool' },
  stats_print_opts: { type: 'const char *' },
  tcache: { type: 'bool' },
  tcache_gc_delay_bytes: { type: 'size_t' },
  tcache_gc_incr_bytes: { type: 'size_t' },
  tcache_max: { type: 'size_t' },
  tcache_nslots_large: { type: 'unsigned' },
  tcache_nslots_small_max: { type: 'unsigned' },
  tcache_nslots_small_min: { type: 'unsigned' },
  thp: { type: 'const char *' },
  trust_madvise: { type: 'bool' },
  utrace: { type: 'bool' },
  xmalloc: { type: 'bool' },
  zero: { type: 'bool' },
  zero_realloc: { type: 'const char *' },
} as const satisfies Partial<Readonly<Record<OptionName, OptionKey>>>;

type ByName = typeof OPTION_KEYS_BY_NAME;

/** Build switches that are keys themselves; of the others nothing tells. */
const NEEDS: Partial<Record<NonNullable<OptionRow['build']>, string>> = {
  prof: 'config.prof',
  fill: 'config.fill',
  utrace: 'config.utrace',
  xmalloc: 'config.xmalloc',
};

function unitOf(name: string, row: OptionRow, type: MallctlType): MallctlUnit | undefined {
  if (row.unit === 'ms' || row.unit === 'bytes' || row.unit === 'log2 bytes') return row.unit;
  // The one ratio among them is a fixed-point number.
  if (row.type === 'ratio') return '1/65536';
  if (type === 'bool' || type === 'const char *') return undefined;
  return name.startsWith('lg_') ? 'log2' : 'count';
}

function optionKey(name: string, row: OptionRow, key: OptionKey): MallctlRow {
  const unit = unitOf(name, row, key.type);
  const removedIn = key.removedIn ?? row.removedIn;
  const needs = row.build && NEEDS[row.build];
  return {
    type: key.type,
    access: 'read',
    doc: `The option ${name} as it is in force since start. ${row.doc}`,
    since: key.since ?? row.since,
    ...(unit && { unit }),
    ...(removedIn && { removedIn }),
    ...(needs && { needs }),
    ...(row.build && !needs && { perhapsAbsent: `in a build without ${row.build}` }),
    ...(name.startsWith('experimental_') && { experimental: true as const }),
  };
}

const fromOptions = Object.fromEntries(
  Object.entries(OPTION_KEYS_BY_NAME).map(([name, key]) => [
    `opt.${name}`,
    optionKey(name, MALLOC_CONF_OPTIONS[name as keyof ByName], key),
  ]),
) as { readonly [Name in keyof ByName as `opt.${Name}`]: TypedRow<ByName[Name]['type'], 'read'> };

/** The options in force. */
export const OPT_KEYS = {
  ...fromOptions,
  ...mallctlKeys(
    'opt.malloc_conf.',
    { since: '5.3.1' },
    {
      symlink: {
        type: 'const char *',
        perhapsAbsent: 'where nothing is set there',
        doc: 'What the symbolic link /etc/malloc.conf says.',
      },
      env_var: {
        type: 'const char *',
        perhapsAbsent: 'where nothing is set there',
        doc: 'What the variable MALLOC_CONF said at start.',
      },
      global_var: {
        type: 'const char *',
        perhapsAbsent: 'where nothing is set there',
        doc: 'What the program’s symbol malloc_conf says.',
      },
      global_var_2_conf_harder: {
        type: 'const char *',
        perhapsAbsent: 'where nothing is set there',
        doc: 'What the program’s symbol malloc_conf_2_conf_harder says.',
      },
    },
  ),
};
