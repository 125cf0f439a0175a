/* From names to numbers. A name's numbers never change, and only those at its indices differ between arenas and size classes: so
 * what is kept is one entry per pattern. */
#include "mallctl-names.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "refused-keys.h"
#include "text-keys.h"

/* Slots are a power of two, about twice the keys there are. Only keys jemalloc has are kept, and no release has as many as may be. */
#define JM_SLOTS 1024
#define JM_ENTRIES_MAX 768

/* jemalloc does not check every index: up to 5.3 it takes one size class too many, and reads the memory behind its table; and most keys
 * of one arena take the number that stands for all as an index. So they are checked here. */
enum jm_limit { JM_UNLIMITED, JM_SIZE_CLASSES, JM_ARENAS, JM_ARENAS_OR_ALL };
#define JM_ALL_ARENAS 4096

struct jm_entry {
  struct jm_mib mib;
  enum jm_limit limit;
  /* Which part of the name is the index that has a limit. */
  size_t limited_part;
  /* Size classes are as many from start to end; arenas become more. */
  size_t classes;
  /* The value is the address of a text: taken for a number it would be a wrong one, and a number taken for it, memory that is not. */
  bool text;
  char pattern[];
};

/* Of its own pages: an agent stays out of its host's heap. Those that no entry needed were never touched. */
#define JM_NAMES_BYTES (256 * 1024)

struct jm_names {
  size_t count;
  size_t used;
  struct jm_entry *slots[JM_SLOTS];
  _Alignas(struct jm_entry) unsigned char entries[];
};

_Static_assert(JM_NAMES_BYTES >= sizeof(struct jm_names) + JM_ENTRIES_MAX * (sizeof(struct jm_entry) + JM_NAME_MAX / 2),
               "room for as many entries as may be, of twice the length that names have");

struct jm_names *jm_names_open(void) {
  void *pages = mmap(NULL, JM_NAMES_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

void jm_names_close(struct jm_names *names) {
  if (names) munmap(names, JM_NAMES_BYTES);
}

/* A new entry with room for this pattern, or NULL. */
static struct jm_entry *jm_new_entry(struct jm_names *names, const char *pattern) {
  size_t size = strlen(pattern) + 1, alignment = _Alignof(struct jm_entry);
  size_t whole = (sizeof(struct jm_entry) + size + alignment - 1) / alignment * alignment;
  if (names->count >= JM_ENTRIES_MAX || whole > JM_NAMES_BYTES - sizeof *names - names->used) return NULL;
  struct jm_entry *entry = (struct jm_entry *)(names->entries + names->used);
  names->used += whole;
  names->count++;
  memcpy(entry->pattern, pattern, size);
  return entry;
}

static struct jm_entry **jm_slot(struct jm_names *names, const char *pattern) {
  uint32_t hash = 2166136261u;
  for (const char *at = pattern; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619u;
  size_t slot = hash & (JM_SLOTS - 1);
  while (names->slots[slot] && strcmp(names->slots[slot]->pattern, pattern) != 0) slot = (slot + 1) & (JM_SLOTS - 1);
  return &names->slots[slot];
}

int jm_names_pattern(const char *name, char pattern[JM_NAME_MAX], struct jm_mib *indices) {
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
      /* jemalloc reads indices as strtoumax does: `0x`, `+0` and ` 0` are 0 to it. No name of a key begins like that. */
      if (strchr("0123456789+- \t\n\v\f\r", *at)) return ENOENT;
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

/* The value of a key that is an unsigned; 0 if it has none. */
static unsigned jm_count(const struct jm_jemalloc *jemalloc, const char *name) {
  size_t mib[JM_MIB_MAX], length = JM_MIB_MAX;
  unsigned count = 0;
  size_t size = sizeof count;
  if (jemalloc->name_to_mib(name, mib, &length) != 0) return 0;
  return jemalloc->by_mib(mib, length, &count, &size, NULL, 0) == 0 ? count : 0;
}

/* In a build without statistics the one key whose answer jemalloc looks for all the same, in memory it does not have. */
static bool jm_is_missing(const struct jm_jemalloc *jemalloc, const char *pattern) {
  if (strcmp(pattern, "stats.arenas.0.uptime") != 0) return false;
  size_t mib[JM_MIB_MAX], length = JM_MIB_MAX;
  bool has_statistics = false;
  size_t size = sizeof has_statistics;
  return jemalloc->name_to_mib("config.stats", mib, &length) != 0 ||
         jemalloc->by_mib(mib, length, &has_statistics, &size, NULL, 0) != 0 || !has_statistics;
}

static bool jm_begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static void jm_find_limit(const struct jm_jemalloc *jemalloc, struct jm_entry *entry) {
  entry->limit = JM_UNLIMITED;
  if (jm_begins(entry->pattern, "arena.0.")) {
    entry->limit = jm_takes_all_arenas(entry->pattern) ? JM_ARENAS_OR_ALL : JM_ARENAS;
    entry->limited_part = 1;
    return;
  }
  size_t part = 0;
  for (const char *at = entry->pattern; at; at = strchr(at, '.'), part++) {
    if (*at == '.') at++;
    bool small = jm_begins(at, "bin.0") || jm_begins(at, "bins.0");
    bool large = jm_begins(at, "lextent.0") || jm_begins(at, "lextents.0");
    if (!small && !large) continue;
    entry->limit = JM_SIZE_CLASSES;
    entry->limited_part = part + 1;
    entry->classes = jm_count(jemalloc, small ? "arenas.nbins" : "arenas.nlextents");
    return;
  }
}

static bool jm_is_within(const struct jm_jemalloc *jemalloc, const struct jm_entry *entry, const struct jm_mib *indices) {
  if (entry->limit == JM_UNLIMITED) return true;
  size_t index = indices->parts[entry->limited_part];
  if (entry->limit == JM_SIZE_CLASSES) return index < entry->classes;
  if (index == JM_ALL_ARENAS) return entry->limit == JM_ARENAS_OR_ALL;
  return index < jm_count(jemalloc, "arenas.narenas");
}

int jm_names_translate(struct jm_names *names, const struct jm_jemalloc *jemalloc, const char *pattern,
                       const struct jm_mib *indices, bool text, struct jm_mib *mib) {
  struct jm_entry **slot = jm_slot(names, pattern);
  if (!*slot) {
    mib->length = JM_MIB_MAX;
    int error = jemalloc->name_to_mib(pattern, mib->parts, &mib->length);
    if (error) return error;
    if (mib->length != indices->length || jm_is_missing(jemalloc, pattern)) return ENOENT;
    struct jm_entry *entry = jm_new_entry(names, pattern);
    if (!entry) return ENOMEM;
    entry->mib = *mib;
    entry->text = jm_is_text_key(pattern);
    jm_find_limit(jemalloc, entry);
    *slot = entry;
  }
  if ((*slot)->text != text) return EINVAL;
  if (!jm_is_within(jemalloc, *slot, indices)) return ENOENT;
  *mib = (*slot)->mib;
  for (size_t i = 0; i < mib->length; i++)
    if (indices->parts[i] != JM_NO_INDEX) mib->parts[i] = indices->parts[i];
  return 0;
}
