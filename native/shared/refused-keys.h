/* Keys that are not for a general read or write: they can take memory away from under their users, bind a thread, make something
 * that someone must destroy, or take addresses. An index is written as 0; an entry that ends in a dot stands for all below it.
 * src/model/mallctl-keys says the reason of each; a test holds the two against each other. */
#ifndef JM_REFUSED_KEYS_H
#define JM_REFUSED_KEYS_H

#include <stdbool.h>
#include <string.h>

static const char *const jm_refused_keys[] = {
    "arena.0.destroy",
    "arena.0.extent_hooks",
    "arena.0.reset",
    "arenas.create",
    "arenas.lookup",
    "experimental.arenas_create_ext",
    "experimental.batch_alloc",
    "experimental.hooks.",
    "experimental.prof_recent.alloc_dump",
    "experimental.thread.",
    "experimental.utilization.",
    "tcache.",
    "thread.arena",
    "thread.tcache.ncached_max.read_sizeclass",
};

/* Reading these is harmless all the same. */
static const char *const jm_readable_refused_keys[] = {
    "arena.0.extent_hooks",
    "thread.arena",
};

/* Of one arena's keys, those that also take 4096, which stands for all arenas. The others use it as an index behind their table of
 * arenas: 5.3.1 ends the process. */
static const char *const jm_all_arenas_keys[] = {
    "arena.0.decay",
    "arena.0.dss",
    "arena.0.initialized",
    "arena.0.purge",
};

static inline bool jm_takes_all_arenas(const char *name) {
  for (size_t i = 0; i < sizeof jm_all_arenas_keys / sizeof *jm_all_arenas_keys; i++)
    if (strcmp(name, jm_all_arenas_keys[i]) == 0) return true;
  return false;
}

static inline bool jm_is_refused_key(const char *name, bool writes) {
  for (size_t i = 0; !writes && i < sizeof jm_readable_refused_keys / sizeof *jm_readable_refused_keys; i++)
    if (strcmp(name, jm_readable_refused_keys[i]) == 0) return false;
  for (size_t i = 0; i < sizeof jm_refused_keys / sizeof *jm_refused_keys; i++) {
    size_t length = strlen(jm_refused_keys[i]);
    bool group = jm_refused_keys[i][length - 1] == '.';
    if (group ? strncmp(name, jm_refused_keys[i], length) == 0 : strcmp(name, jm_refused_keys[i]) == 0) return true;
  }
  return false;
}

#endif
