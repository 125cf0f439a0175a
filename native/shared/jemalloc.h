/* jemalloc's control interface, if the process has one. Weak, not dlsym: dlsym moved between glibc's libraries in 2.34 and
 * would tie our files to the newer ones. The three names are those of an unprefixed build, of one configured with je_, and of
 * Rust's tikv-jemallocator. */
#ifndef JM_JEMALLOC_H
#define JM_JEMALLOC_H

#include <stddef.h>

typedef int (*jm_mallctl_fn)(const char *name, void *old, size_t *old_length, void *new_value, size_t new_length);

extern int mallctl(const char *, void *, size_t *, void *, size_t) __attribute__((weak));
extern int je_mallctl(const char *, void *, size_t *, void *, size_t) __attribute__((weak));
extern int _rjem_mallctl(const char *, void *, size_t *, void *, size_t) __attribute__((weak));

static inline jm_mallctl_fn jm_find_mallctl(void) {
  if (mallctl) return mallctl;
  if (je_mallctl) return je_mallctl;
  return _rjem_mallctl;
}

/* Writes all statistics through a function, in pieces. */
typedef void (*jm_stats_print_fn)(void (*write)(void *to, const char *text), void *to, const char *options);

extern void malloc_stats_print(void (*)(void *, const char *), void *, const char *) __attribute__((weak));
extern void je_malloc_stats_print(void (*)(void *, const char *), void *, const char *) __attribute__((weak));
extern void _rjem_malloc_stats_print(void (*)(void *, const char *), void *, const char *) __attribute__((weak));

static inline jm_stats_print_fn jm_find_stats_print(void) {
  if (malloc_stats_print) return malloc_stats_print;
  if (je_malloc_stats_print) return je_malloc_stats_print;
  return _rjem_malloc_stats_print;
}

/* The same interface by number: a name is translated once, then read without being parsed. All three functions are of one prefix. */
typedef int (*jm_nametomib_fn)(const char *name, size_t *mib, size_t *mib_length);
typedef int (*jm_bymib_fn)(const size_t *mib, size_t mib_length, void *old, size_t *old_length, void *new_value,
                           size_t new_length);

extern int mallctlnametomib(const char *, size_t *, size_t *) __attribute__((weak));
extern int je_mallctlnametomib(const char *, size_t *, size_t *) __attribute__((weak));
extern int _rjem_mallctlnametomib(const char *, size_t *, size_t *) __attribute__((weak));
extern int mallctlbymib(const size_t *, size_t, void *, size_t *, void *, size_t) __attribute__((weak));
extern int je_mallctlbymib(const size_t *, size_t, void *, size_t *, void *, size_t) __attribute__((weak));
extern int _rjem_mallctlbymib(const size_t *, size_t, void *, size_t *, void *, size_t) __attribute__((weak));

struct jm_jemalloc {
  jm_nametomib_fn name_to_mib;
  jm_bymib_fn by_mib;
};

/* Both NULL where there is no jemalloc. */
static inline struct jm_jemalloc jm_find_jemalloc(void) {
  if (mallctlnametomib && mallctlbymib) return (struct jm_jemalloc){mallctlnametomib, mallctlbymib};
  if (je_mallctlnametomib && je_mallctlbymib) return (struct jm_jemalloc){je_mallctlnametomib, je_mallctlbymib};
  if (_rjem_mallctlnametomib && _rjem_mallctlbymib)
    return (struct jm_jemalloc){_rjem_mallctlnametomib, _rjem_mallctlbymib};
  return (struct jm_jemalloc){NULL, NULL};
}

#endif
