/* From names to numbers. A name's numbers never change, and only those at its indices differ between arenas and size classes: so
 * what is kept is one entry per pattern. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mallctl.h"

/* Twice the keys there are; a power of two. The table of names has fewer than entries may be: only what exists is kept. */
#define JM_SLOTS 1024
#define JM_ENTRIES_MAX 768

struct jm_entry {
  struct jm_mib mib;
  /* The part that is the index of a size class, and how many of those there are; no part: JM_NO_INDEX. */
  size_t class_part;
  size_t classes;
  char pattern[];
};

struct jm_mallctl_state {
  size_t count;
  struct jm_entry *slots[JM_SLOTS];
};

struct jm_mallctl_state *jm_mallctl_state_create(void) { return calloc(1, sizeof(struct jm_mallctl_state)); }

void jm_mallctl_state_destroy(struct jm_mallctl_state *state) {
  if (!state) return;
  for (size_t i = 0; i < JM_SLOTS; i++) free(state->slots[i]);
  free(state);
}

static struct jm_entry **jm_slot(struct jm_mallctl_state *state, const char *pattern) {
  uint32_t hash = 2166136261u;
  for (const char *at = pattern; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619u;
  size_t slot = hash & (JM_SLOTS - 1);
  while (state->slots[slot] && strcmp(state->slots[slot]->pattern, pattern) != 0) slot = (slot + 1) & (JM_SLOTS - 1);
  return &state->slots[slot];
}

int jm_mallctl_pattern(const char *name, char pattern[JM_NAME_MAX], struct jm_mib *indices) {
  size_t out = 0;
  indices->length = 0;
  for (const char *at = name;;) {
    size_t width = strcspn(at, ".");
    if (width == 0) return ENOENT;
    if (indices->length == JM_MIB_MAX || out + width + 2 > JM_NAME_MAX) return ENOENT;
    size_t index = JM_NO_INDEX;
    if (strspn(at, "0123456789") == width) {
      /* Arenas are counted by an unsigned; ten digits cannot overflow. */
      if (width > 10) return ENOENT;
      index = strtoull(at, NULL, 10);
      pattern[out++] = '0';
    } else {
      memcpy(pattern + out, at, width);
      out += width;
    }
    indices->parts[indices->length++] = index;
    at += width;
    if (!*at) break;
    pattern[out++] = *at++;
  }
  pattern[out] = 0;
  return 0;
}

/* jemalloc up to 5.3 takes an index of one too many for a size class, and answers with the memory behind its table: so the count is
 * asked for and kept. */
static void jm_find_classes(const struct jm_jemalloc *jemalloc, struct jm_entry *entry) {
  entry->class_part = JM_NO_INDEX;
  size_t part = 0;
  for (const char *at = entry->pattern; at; at = strchr(at, '.'), part++) {
    if (*at == '.') at++;
    bool small = strncmp(at, "bin.0", 5) == 0 || strncmp(at, "bins.0", 6) == 0;
    bool large = strncmp(at, "lextent.0", 9) == 0 || strncmp(at, "lextents.0", 10) == 0;
    if (!small && !large) continue;
    size_t mib[JM_MIB_MAX], length = JM_MIB_MAX;
    unsigned classes = 0;
    size_t size = sizeof classes;
    bool known = jemalloc->name_to_mib(small ? "arenas.nbins" : "arenas.nlextents", mib, &length) == 0 &&
                 jemalloc->by_mib(mib, length, &classes, &size, NULL, 0) == 0;
    entry->class_part = part + 1;
    entry->classes = known ? classes : 0;
    return;
  }
}

int jm_mallctl_translate(struct jm_mallctl_state *state, const struct jm_jemalloc *jemalloc, const char *pattern,
                         const struct jm_mib *indices, struct jm_mib *mib) {
  struct jm_entry **slot = jm_slot(state, pattern);
  if (!*slot) {
    if (state->count >= JM_ENTRIES_MAX) return ENOMEM;
    mib->length = JM_MIB_MAX;
    int error = jemalloc->name_to_mib(pattern, mib->parts, &mib->length);
    if (error) return error;
    if (mib->length != indices->length) return ENOENT;
    size_t size = strlen(pattern) + 1;
    struct jm_entry *entry = malloc(sizeof *entry + size);
    if (!entry) return ENOMEM;
    entry->mib = *mib;
    memcpy(entry->pattern, pattern, size);
    jm_find_classes(jemalloc, entry);
    *slot = entry;
    state->count++;
  }
  const struct jm_entry *found = *slot;
  if (found->class_part != JM_NO_INDEX && indices->parts[found->class_part] >= found->classes) return ENOENT;
  *mib = found->mib;
  for (size_t i = 0; i < mib->length; i++)
    if (indices->parts[i] != JM_NO_INDEX) mib->parts[i] = indices->parts[i];
  return 0;
}
