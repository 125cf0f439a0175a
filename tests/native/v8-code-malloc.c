/* A malloc that asks native/shared/v8-*.c at every JM_EVERYth call what jemkit's hook asks when a sample is due, on whatever stack that finds. At exit it says what came of it. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "v8-code.h"
#include "v8-interrupt.h"
#include "v8-isolates.h"
#include "v8-names.h"

extern void *__libc_malloc(size_t);

static unsigned every;
static bool attach;
static _Atomic uint64_t calls, samples, refused, frames_seen, frames_named, within, let_through;
/* In RequestInterrupt, which takes memory for its queue: there another request must be refused. */
static __thread bool requesting __attribute__((tls_model("initial-exec")));
static __thread bool inside __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("JM_EVERY");
  const char *why;
  attach = getenv("JM_ATTACH") != NULL;
  if (jm_v8_find(&why)) every = text ? (unsigned)atoi(text) : 1000;
}

__attribute__((destructor)) static void end(void) {
  if (!every) return;
  struct jm_v8_counts counts;
  every = 0;
  jm_v8_count(&counts);
  char line[256];
  int length = snprintf(line, sizeof line, "{\"samples\":%llu,\"refused\":%llu,\"frames\":%llu,\"named\":%llu,\"within\":%llu,\"letThrough\":%llu,\"events\":%llu,\"bytes\":%llu}\n",
                        (unsigned long long)samples, (unsigned long long)refused, (unsigned long long)frames_seen, (unsigned long long)frames_named,
                        (unsigned long long)within, (unsigned long long)let_through, (unsigned long long)counts.code_events,
                        (unsigned long long)counts.memory_bytes);
  if (write(2, line, (size_t)length) < 0) return;
}

static void nothing(void *v8, void *data) {
  (void)v8;
  (void)data;
}

static void sample(void) {
  struct jm_v8_isolate *isolate = jm_v8_current();
  if (!isolate) return;
  if (requesting) {
    within++;
    let_through += jm_v8_outside_of_interrupt();
    return;
  }
  samples++;
  if (attach) {
    if (!jm_v8_outside_of_interrupt()) refused++;
    jm_v8_request_events(isolate);
  }
  /* While V8 tells of what it has, some is not told yet. */
  if (!isolate->listening || !jm_v8_outside_of_interrupt()) return;
  uintptr_t pcs[64], here = (uintptr_t)__builtin_frame_address(0);
  unsigned count = jm_v8_stack(isolate, 0, here, here, pcs, 64);
  /* Never while the isolate only begins or ends. */
  if (count && samples % 64 == 0) {
    requesting = true;
    inside = false;
    jm_v8_RequestInterrupt(isolate->v8, nothing, NULL);
    inside = true;
    requesting = false;
  }
  for (unsigned i = 0; i < count; i++) {
    frames_seen++;
    frames_named += jm_v8_frame(isolate, pcs[i]) != 0;
  }
}

__attribute__((visibility("default"))) void *malloc(size_t size) {
  if (every && !inside && ++calls % every == 0) {
    inside = true;
    sample();
    inside = false;
  }
  return __libc_malloc(size);
}
