/* Many numbers of jemalloc in one go, as doubles: what a sample consists of. Each is translated once. */
#ifndef JM_MALLCTL_COUNTERS_H
#define JM_MALLCTL_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "jemalloc.h"
#include "mallctl-names.h"

struct jm_counter {
  struct jm_mib mib;
  int32_t type;
  /* Where the value lies, if it need not be asked for: the epoch, and two counters that jemalloc keeps in the memory of the thread
   * that opens them, which must be the one that reads them. */
  const volatile uint64_t *live;
};

/* Whether values of this type are numbers. */
bool jm_is_counter_type(int32_t type);

/* counter->type is given. A name this jemalloc does not have, or that is refused, stays without numbers, and is always NaN. */
void jm_open_counter(struct jm_names *names, const struct jm_jemalloc *jemalloc, const char *name, struct jm_counter *counter);

double jm_read_counter(const struct jm_jemalloc *jemalloc, const struct jm_counter *counter);

#endif
