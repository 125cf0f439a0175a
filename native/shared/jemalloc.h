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

#endif
