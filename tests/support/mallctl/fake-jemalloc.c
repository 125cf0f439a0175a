/* A jemalloc of another kind for tests: a prefix of its own, three keys, and a size that is not the table's. It refuses as jemalloc does:
 * what does not have the right size is not written. */
#include <errno.h>
#include <string.h>
#include <stddef.h>
#include <stdint.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

int JOIN(PREFIX, mallctl)(const char *name, void *old, size_t *old_length, void *new_value, size_t new_length) {
  (void)name, (void)old, (void)old_length, (void)new_value, (void)new_length;
  return ENOENT;
}

int JOIN(PREFIX, mallctlnametomib)(const char *name, size_t *mib, size_t *length) {
  if (*length < 2) return EINVAL;
  const char *names[] = {"version", "epoch", "stats.allocated"};
  const size_t lengths[] = {1, 1, 2};
  for (size_t i = 0; i < 3; i++) {
    if (strcmp(name, names[i]) != 0) continue;
    mib[0] = mib[1] = i;
    *length = lengths[i];
    return 0;
  }
  return ENOENT;
}

int JOIN(PREFIX, mallctlbymib)(const size_t *mib, size_t length, void *old, size_t *old_length, void *new_value,
                               size_t new_length) {
  static const char *version = "9.9.9-fake";
  static uint64_t epoch = 7;
  static uint32_t allocated = 42;
  const void *values[] = {&version, &epoch, &allocated};
  const size_t sizes[] = {sizeof version, sizeof epoch, sizeof allocated};
  (void)length;
  if (new_value) {
    if (mib[0] != 1) return EPERM;
    if (new_length != sizeof epoch) return EINVAL;
    epoch++;
  }
  if (!old) return 0;
  if (*old_length != sizes[mib[0]]) {
    *old_length = *old_length < sizes[mib[0]] ? *old_length : sizes[mib[0]];
    memcpy(old, values[mib[0]], *old_length);
    return EINVAL;
  }
  memcpy(old, values[mib[0]], *old_length);
  return 0;
}
