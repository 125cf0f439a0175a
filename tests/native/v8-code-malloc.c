/* A malloc that asks native/shared/ at every JM_EVERYth call what jemkit's hook asks when a sample is due, on whatever stack that finds. With JM_ATTACH it has V8 tell of its code
 * from the first malloc of so many bytes on. At exit it says what came of it. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unwind.h"
#include "v8-code.h"
#include "v8-isolates.h"

extern void *__libc_malloc(size_t);

static unsigned every;
static size_t attaches_at;
static _Atomic bool attached;
static _Atomic uint64_t calls, samples, frames_seen, frames_named;
static __thread bool inside __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("JM_EVERY"), *size = getenv("JM_ATTACH");
  attaches_at = size ? (size_t)atoi(size) : 0;
  if (jm_unwind_prepare()) every = text ? (unsigned)atoi(text) : 1000;
}

__attribute__((destructor)) static void end(void) {
  if (!every) return;
  struct jm_v8_counts counts;
  every = 0;
  jm_v8_count(&counts);
  char line[256];
  int length = snprintf(line, sizeof line, "{\"samples\":%llu,\"frames\":%llu,\"named\":%llu,\"events\":%llu,\"bytes\":%llu}\n",
                        (unsigned long long)samples, (unsigned long long)frames_seen, (unsigned long long)frames_named,
                        (unsigned long long)counts.code_events, (unsigned long long)counts.memory_bytes);
  if (write(2, line, (size_t)length) < 0) return;
}

static void sample(struct jm_place from) {
  struct jm_v8_isolate *isolate = jm_v8_current();
  if (!isolate) return;
  void *frames[128];
  struct jm_walk walk = {.from = from};
  unsigned count = jm_unwind(&walk, isolate, frames, 128);
  bool listening = isolate->listening;
  samples++;
  if (attached && walk.unnamed) jm_v8_request_events(isolate, frames, count);
  for (unsigned i = 0; listening && i < count; i++) {
    uint64_t frame = (uintptr_t)frames[i];
    if (frame < JM_FRAME_BASE || frame == JM_FRAME_BASE + JM_FRAME_TRUNCATED) continue;
    frames_seen++;
    frames_named += frame >= JM_FRAME_BASE + JM_FRAME_FIRST_CODE;
  }
}

__attribute__((visibility("default"))) void *malloc(size_t size) {
  if (every && !inside && ++calls % every == 0) {
    const uintptr_t *here = __builtin_frame_address(0);
    inside = true;
    sample((struct jm_place){.pc = here[1], .sp = (uintptr_t)(here + 2), .fp = here[0]});
    inside = false;
  }
  if (size == attaches_at) attached = true;
  return __libc_malloc(size);
}
