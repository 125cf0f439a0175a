#define _GNU_SOURCE
#include "pool-askers.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jemalloc.h"
#include "pool-redirect.h"
#include "prof-hook.h"
#include "unwind.h"
#include "v8-code.h"

/* libuv's public request (uv.h, UV_REQ_FIELDS and uv_work_t), the same in libuv 1.x of Node 20 to 26. On Unix nobody uses `reserved`. */
struct jm_uv_work {
  void *data;
  int type;
  void *reserved[6];
  void *loop;
  void (*work)(struct jm_uv_work *);
  void (*after)(struct jm_uv_work *, int);
};

_Static_assert(offsetof(struct jm_uv_work, reserved) == 16 && offsetof(struct jm_uv_work, work) == 72, "as uv.h lays it out");

/* libuv's inner request (uv/threadpool.h), of file system, name and entropy requests. */
struct jm_uv_inner {
  void (*work)(struct jm_uv_inner *);
  void (*done)(struct jm_uv_inner *, int);
};

#define JM_EINVAL (-22)
#define JM_ASKER_FRAMES 48

struct jm_carried {
  union {
    struct {
      void (*work)(struct jm_uv_work *);
      void (*after)(struct jm_uv_work *, int);
    } outer;
    struct jm_uv_inner inner;
  };
  struct jm_asker asker;
};

extern int uv_queue_work(void *loop, struct jm_uv_work *request, void (*work)(struct jm_uv_work *),
                         void (*after)(struct jm_uv_work *, int)) __attribute__((weak));

static int (*jm_queue)(void *, struct jm_uv_work *, void (*)(struct jm_uv_work *), void (*)(struct jm_uv_work *, int));
static void (*jm_submit)(void *, struct jm_uv_inner *, int, void (*)(struct jm_uv_inner *), void (*)(struct jm_uv_inner *, int));

/* Initial-exec: reading it must not allocate. */
static __thread const struct jm_asker *jm_asker __attribute__((tls_model("initial-exec")));

static const struct jm_asker *jm_asker_here(void) { return jm_asker; }

static bool jm_is_sampling(void) {
  bool active = false;
  size_t size = sizeof active;
  jm_mallctl_fn ctl = jm_find_mallctl();
  return ctl && ctl("prof.active", &active, &size, NULL, 0) == 0 && active;
}

/* NULL: nobody in JavaScript asked, or there is no memory; then nothing is carried. */
__attribute__((noinline)) static struct jm_carried *jm_ask(void) {
  void *frames[128];
  uint64_t kept[JM_ASKER_FRAMES];
  uint32_t count = 0;
  const uintptr_t *here = __builtin_frame_address(0);
  struct jm_walk walk = {.from = {.pc = here[1], .sp = (uintptr_t)(here + 2), .fp = here[0]}};
  struct jm_v8_isolate *isolate = jm_is_sampling() ? jm_v8_current() : NULL;
  if (!isolate) return NULL;
  unsigned found = jm_unwind(&walk, isolate, frames, sizeof frames / sizeof *frames);
  for (unsigned i = 0; i < found && count < JM_ASKER_FRAMES; i++)
    if ((uintptr_t)frames[i] >= JM_FRAME_BASE + JM_FRAME_FIRST_CODE) kept[count++] = (uintptr_t)frames[i];
  if (count == 0) return NULL;
  struct jm_carried *carried = malloc(sizeof *carried + count * sizeof *kept);
  if (!carried) return NULL;
  carried->asker.count = count;
  memcpy(carried->asker.frames, kept, count * sizeof *kept);
  return carried;
}

static void jm_work_for(struct jm_uv_work *request) {
  struct jm_carried *carried = request->reserved[0];
  jm_asker = &carried->asker;
  carried->outer.work(request);
  jm_asker = NULL;
}

static void jm_after_for(struct jm_uv_work *request, int status) {
  struct jm_carried *carried = request->reserved[0];
  void (*after)(struct jm_uv_work *, int) = carried->outer.after;
  request->reserved[0] = NULL;
  free(carried);
  if (after) after(request, status);
}

static int jm_queue_work(void *loop, struct jm_uv_work *request, void (*work)(struct jm_uv_work *),
                         void (*after)(struct jm_uv_work *, int)) {
  if (!work) return JM_EINVAL;
  struct jm_carried *carried = jm_ask();
  if (!carried) return jm_queue(loop, request, work, after);
  carried->outer.work = work;
  carried->outer.after = after;
  request->reserved[0] = carried;
  return jm_queue(loop, request, jm_work_for, jm_after_for);
}

/* The inner requests have no room for a pointer: they stand in a table until they are done. Whatever finds no place is not carried. */
#define JM_SLOTS 4096
#define JM_PROBES 16

static struct {
  _Atomic(struct jm_uv_inner *) request;
  struct jm_carried *carried;
} jm_slots[JM_SLOTS];

static unsigned jm_slot_of(const struct jm_uv_inner *request) {
  return (unsigned)(((uintptr_t)request * UINT64_C(0x9e3779b97f4a7c15)) >> 52);
}

static bool jm_keep(struct jm_uv_inner *request, struct jm_carried *carried) {
  for (unsigned i = 0; i < JM_PROBES; i++) {
    unsigned at = (jm_slot_of(request) + i) % JM_SLOTS;
    /* Left over in a forked child, where the threads that had it are gone. */
    if (atomic_load(&jm_slots[at].request) != request) continue;
    jm_slots[at].carried = carried;
    return true;
  }
  for (unsigned i = 0; i < JM_PROBES; i++) {
    unsigned at = (jm_slot_of(request) + i) % JM_SLOTS;
    struct jm_uv_inner *empty = NULL;
    /* Before the request is queued, which publishes both. */
    if (!atomic_compare_exchange_strong(&jm_slots[at].request, &empty, request)) continue;
    jm_slots[at].carried = carried;
    return true;
  }
  return false;
}

static unsigned jm_kept(const struct jm_uv_inner *request) {
  for (unsigned i = 0; i < JM_PROBES; i++) {
    unsigned at = (jm_slot_of(request) + i) % JM_SLOTS;
    if (atomic_load(&jm_slots[at].request) == request) return at;
  }
  abort();
}

static void jm_inner_for(struct jm_uv_inner *request) {
  struct jm_carried *carried = jm_slots[jm_kept(request)].carried;
  jm_asker = &carried->asker;
  carried->inner.work(request);
  jm_asker = NULL;
}

static void jm_done_for(struct jm_uv_inner *request, int status) {
  unsigned at = jm_kept(request);
  struct jm_carried *carried = jm_slots[at].carried;
  void (*done)(struct jm_uv_inner *, int) = carried->inner.done;
  atomic_store(&jm_slots[at].request, NULL);
  free(carried);
  if (done) done(request, status);
}

static void jm_submit_work(void *loop, struct jm_uv_inner *request, int kind, void (*work)(struct jm_uv_inner *),
                           void (*done)(struct jm_uv_inner *, int)) {
  struct jm_carried *carried = jm_ask();
  if (carried) {
    carried->inner = (struct jm_uv_inner){work, done};
    if (jm_keep(request, carried)) {
      work = jm_inner_for;
      done = jm_done_for;
    } else free(carried);
  }
  jm_submit(loop, request, kind, work, done);
}

void jm_carry_askers(void) {
  size_t size = 0;
  const char *why = "";
  if (!uv_queue_work) return jm_hook_carry(NULL, "this program has no libuv of its own");
  if (!jm_redirect((void *)uv_queue_work, 64, (void *)jm_queue_work, (void **)&jm_queue))
    return jm_hook_carry(NULL, "uv_queue_work of this Node.js is not one that is known (x64, as nodejs.org builds 20 to 26)");
  /* Not exported; of the requests for files, names and random bytes, which hold little memory. */
  void *submit = jm_find_local_function("uv__work_submit", &size);
  if (!jm_redirect(submit, size, (void *)jm_submit_work, (void **)&jm_submit))
    why = "requests for files and names are left out: uv__work_submit is not one that is known";
  jm_hook_carry(jm_asker_here, why);
}
