/* Keys whose value is a text. In memory it is an address, as large as a number of 64 bits, so a size cannot tell them apart. An index is
 * written as 0. A test holds the list against the types in src/model/mallctl-keys. */
#ifndef JM_TEXT_KEYS_H
#define JM_TEXT_KEYS_H

#include <stdbool.h>
#include <string.h>

static const char *const jm_text_keys[] = {
    "arena.0.dss",
    "arena.0.name",
    "config.malloc_conf",
    "opt.dss",
    "opt.hpa_hugify_style",
    "opt.junk",
    "opt.malloc_conf.env_var",
    "opt.malloc_conf.global_var",
    "opt.malloc_conf.global_var_2_conf_harder",
    "opt.malloc_conf.symlink",
    "opt.metadata_thp",
    "opt.percpu_arena",
    "opt.prof_prefix",
    "opt.prof_time_resolution",
    "opt.stats_interval_opts",
    "opt.stats_print_opts",
    "opt.thp",
    "opt.zero_realloc",
    "prof.dump",
    "prof.log_start",
    "prof.prefix",
    "stats.arenas.0.dss",
    "thread.prof.name",
    "thread.tcache.ncached_max.write",
    "version",
};

/* Those that may be written without one. */
static const char *const jm_optional_text_keys[] = {
    "prof.dump",
    "prof.log_start",
};

static inline bool jm_takes_no_text(const char *name) {
  for (size_t i = 0; i < sizeof jm_optional_text_keys / sizeof *jm_optional_text_keys; i++)
    if (strcmp(name, jm_optional_text_keys[i]) == 0) return true;
  return false;
}

static inline bool jm_is_text_key(const char *name) {
  for (size_t i = 0; i < sizeof jm_text_keys / sizeof *jm_text_keys; i++)
    if (strcmp(name, jm_text_keys[i]) == 0) return true;
  return false;
}

#endif
