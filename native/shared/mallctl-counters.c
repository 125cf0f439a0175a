#include "mallctl-counters.h"

#include <math.h>
#include <string.h>

#include "mallctl-types.h"
#include "refused-keys.h"

bool jm_is_counter_type(int32_t type) { return type >= JM_MALLCTL_BOOL && type <= JM_MALLCTL_INT64; }

void jm_open_counter(struct jm_names *names, const struct jm_jemalloc *jemalloc, const char *name, struct jm_counter *counter) {
  char pattern[JM_NAME_MAX];
  struct jm_mib indices;
  bool allocated = strcmp(name, "thread.allocated") == 0, deallocated = strcmp(name, "thread.deallocated") == 0;
  const char *asked = allocated ? "thread.allocatedp" : deallocated ? "thread.deallocatedp" : name;
  counter->mib.length = 0;
  counter->live = NULL;
  if (jm_names_pattern(asked, pattern, &indices) != 0 || jm_is_refused_key(pattern, false)) return;
  if (jm_names_translate(names, jemalloc, pattern, &indices, false, &counter->mib) != 0) counter->mib.length = 0;
  if (!(allocated || deallocated) || counter->mib.length == 0) return;
  size_t length = sizeof counter->live;
  if (jemalloc->by_mib(counter->mib.parts, counter->mib.length, &counter->live, &length, NULL, 0) != 0) counter->live = NULL;
  /* Without the address the number is not to be had by these numbers, which are the address's. */
  counter->mib.length = 0;
}

double jm_read_counter(const struct jm_jemalloc *jemalloc, const struct jm_counter *counter) {
  if (counter->live) return (double)*counter->live;
  uint64_t wide = 0;
  uint32_t narrow = 0;
  unsigned char byte = 0;
  bool is_narrow = counter->type == JM_MALLCTL_UNSIGNED || counter->type == JM_MALLCTL_UINT32;
  bool is_bool = counter->type == JM_MALLCTL_BOOL;
  void *target = is_narrow ? (void *)&narrow : is_bool ? (void *)&byte : (void *)&wide;
  size_t length = is_narrow ? sizeof narrow : is_bool ? sizeof byte : sizeof wide;
  if (counter->mib.length == 0) return NAN;
  if (jemalloc->by_mib(counter->mib.parts, counter->mib.length, target, &length, NULL, 0) != 0) return NAN;
  if (is_narrow) return narrow;
  if (is_bool) return byte != 0;
  bool is_signed = counter->type == JM_MALLCTL_SSIZE || counter->type == JM_MALLCTL_INT64;
  return is_signed ? (double)(int64_t)wide : (double)wide;
}
