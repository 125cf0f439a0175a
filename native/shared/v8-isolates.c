#include "v8-isolates.h"

#include <pthread.h>

enum { ISOLATES = 1024 };

static struct jm_v8_isolate isolates[ISOLATES];
/* In place of one that ended: whoever is behind it stays findable. */
#define ENDED ((void *)1)

/* No variable of the thread: one that may be read inside malloc takes room in every thread's first block, where musl has none for a library that is loaded later. */
uintptr_t jm_v8_thread(void) { return (uintptr_t)pthread_self(); }

static uint32_t place_of(const void *v8) { return (uint32_t)((uint64_t)(uintptr_t)v8 * UINT64_C(0x9e3779b97f4a7c15) >> 40); }

struct jm_v8_isolate *jm_v8_known_isolate(void *v8) {
  for (uint32_t at = place_of(v8), tries = 0; tries < ISOLATES; at++, tries++) {
    struct jm_v8_isolate *isolate = &isolates[at % ISOLATES];
    void *there = atomic_load_explicit(&isolate->v8, memory_order_acquire);
    if (there == v8) return isolate;
    if (!there) return NULL;
  }
  return NULL;
}

struct jm_v8_isolate *jm_v8_isolate_of(void *v8) {
  struct jm_v8_isolate *known = jm_v8_known_isolate(v8);
  if (known) return known;
  /* An isolate is in one thread, so no other takes a place for the same. */
  for (uint32_t at = place_of(v8), tries = 0; tries < ISOLATES; at++, tries++) {
    struct jm_v8_isolate *isolate = &isolates[at % ISOLATES];
    void *there = atomic_load_explicit(&isolate->v8, memory_order_relaxed);
    if ((!there || there == ENDED) && atomic_compare_exchange_strong_explicit(&isolate->v8, &there, v8, memory_order_acq_rel, memory_order_relaxed))
      return isolate;
  }
  return NULL;
}

bool jm_v8_is_here(struct jm_v8_isolate *isolate, void *v8) {
  return jm_v8_known_isolate(v8) == isolate && atomic_load_explicit(&isolate->thread, memory_order_relaxed) == jm_v8_thread();
}

void jm_v8_forget_isolate(struct jm_v8_isolate *isolate) {
  atomic_store_explicit(&isolate->thread, 0, memory_order_relaxed);
  atomic_store_explicit(&isolate->v8, ENDED, memory_order_release);
}
