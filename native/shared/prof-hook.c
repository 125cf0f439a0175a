#include "prof-hook.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "jemalloc.h"
#include "unwind-rows.h"
#include "unwind.h"

typedef void (*jm_backtrace_fn)(void **frames, unsigned *count, unsigned max);

static _Atomic uint64_t jm_samples, jm_truncated, jm_without_javascript;
static atomic_bool jm_has_v8, jm_asks_v8;
/* jemalloc's own file, where it is not part of the program. */
static _Atomic uintptr_t jm_skip_start, jm_skip_end;

static const struct jm_asker *(*_Atomic jm_asker_of_thread)(void);
static const char *_Atomic jm_why_not_carried = "the program was not started for it (jem profile --thread-pool -- PROGRAM)";

void jm_hook_carry(const struct jm_asker *(*asker)(void), const char *why) {
  atomic_store(&jm_why_not_carried, why);
  atomic_store(&jm_asker_of_thread, asker);
}

bool jm_hook_carries(const char **why) {
  *why = atomic_load(&jm_why_not_carried);
  return atomic_load(&jm_asker_of_thread) != NULL;
}

static unsigned jm_append_asker(void **frames, unsigned count, unsigned max) {
  const struct jm_asker *(*find)(void) = atomic_load_explicit(&jm_asker_of_thread, memory_order_relaxed);
  const struct jm_asker *asker = find ? find() : NULL;
  if (!asker || count >= max) return count;
  frames[count++] = (void *)(uintptr_t)(JM_FRAME_BASE + JM_FRAME_ASYNCHRONOUS);
  for (uint32_t i = 0; i < asker->count && count < max; i++) frames[count++] = (void *)(uintptr_t)asker->frames[i];
  return count;
}

static void jm_add_one(_Atomic uint64_t *count) { atomic_fetch_add_explicit(count, 1, memory_order_relaxed); }

/* The first caller is jemalloc, whatever its file is called. */
static void jm_find_allocator(uintptr_t pc) {
  struct jm_file file = jm_rows_file(pc);
  if (file.is_program) file.start = file.end = 0;
  atomic_store_explicit(&jm_skip_start, file.start, memory_order_relaxed);
  /* Not 0, which stands for not looked at. */
  atomic_store_explicit(&jm_skip_end, file.end ? file.end : 1, memory_order_release);
}

/* jemalloc calls it inside malloc, on any thread, and not while it is in it. */
__attribute__((noinline)) static void jm_backtrace(void **frames, unsigned *count, unsigned max) {
  int before = errno;
  const uintptr_t *here = __builtin_frame_address(0);
  struct jm_walk walk = {.from = {.pc = here[1], .sp = (uintptr_t)(here + 2), .fp = here[0]}};
  struct jm_v8_isolate *isolate = atomic_load_explicit(&jm_has_v8, memory_order_relaxed) ? jm_v8_current() : NULL;
  uintptr_t end = atomic_load_explicit(&jm_skip_end, memory_order_acquire);
  if (!end) {
    jm_find_allocator(walk.from.pc);
    end = atomic_load_explicit(&jm_skip_end, memory_order_acquire);
  }
  walk.skip_start = atomic_load_explicit(&jm_skip_start, memory_order_relaxed);
  walk.skip_end = walk.skip_start ? end : 0;
  unsigned walked = jm_unwind(&walk, isolate, frames, max);
  *count = jm_append_asker(frames, walked, max);
  jm_add_one(&jm_samples);
  if (walk.truncated) jm_add_one(&jm_truncated);
  if (walk.without_javascript) jm_add_one(&jm_without_javascript);
  if (isolate && walk.unnamed && atomic_load_explicit(&jm_asks_v8, memory_order_relaxed)) jm_v8_request_events(isolate, frames, walked);
  errno = before;
}

static bool jm_config(jm_mallctl_fn ctl, const char *name) {
  bool value = false;
  size_t size = sizeof value;
  return ctl(name, &value, &size, NULL, 0) == 0 && value;
}

/* What the last try came to; the text is made when it is asked for. */
enum jm_refusal { JM_NOT_TRIED, JM_INSTALLED, JM_NO_JEMALLOC, JM_NO_PROFILING, JM_NOT_STARTED, JM_NO_HOOK, JM_OTHER_SYSTEM };
static atomic_int jm_refusal;

/* What is known without a try. */
static enum jm_refusal jm_look_before(void) {
  jm_mallctl_fn ctl = jm_find_mallctl();
  if (!ctl) return JM_NO_JEMALLOC;
  if (!jm_config(ctl, "config.prof")) return JM_NO_PROFILING;
  return jm_config(ctl, "opt.prof") ? JM_NOT_TRIED : JM_NOT_STARTED;
}

/* V8 keeps its heap out of forked children (MADV_DONTFORK), and its own walk reads there. */
static void jm_leave_v8(void) { atomic_store(&jm_has_v8, false); }

static enum jm_refusal jm_try(void) {
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
  jm_mallctl_fn ctl = jm_find_mallctl();
  enum jm_refusal before = jm_look_before();
  if (before != JM_NOT_TRIED) return before;
  /* Before the hook is there: it must find all it needs. */
  atomic_store(&jm_has_v8, jm_unwind_prepare());
  jm_backtrace_fn old = NULL, mine = jm_backtrace;
  size_t size = sizeof old;
  if (ctl("experimental.hooks.prof_backtrace", &old, &size, &mine, sizeof mine) != 0) return JM_NO_HOOK;
  pthread_atfork(NULL, NULL, jm_leave_v8);
  return JM_INSTALLED;
#else
  (void)jm_backtrace, (void)jm_leave_v8;
  return JM_OTHER_SYSTEM;
#endif
}

bool jm_hook_install(void) {
  if (atomic_load(&jm_refusal) != JM_INSTALLED) atomic_store(&jm_refusal, jm_try());
  return atomic_load(&jm_refusal) == JM_INSTALLED;
}

void jm_hook_explain(char why[JM_WHY_MAX]) {
  const char *version = "?";
  size_t size = sizeof version;
  jm_mallctl_fn ctl = jm_find_mallctl();
  if (ctl) ctl("version", &version, &size, NULL, 0);
  why[0] = 0;
  /* `5.2.1-0-gea6b3e97…` */
  int release = (int)strcspn(version, "-");
  int refusal = atomic_load(&jm_refusal);
  switch (refusal == JM_NOT_TRIED ? (int)jm_look_before() : refusal) {
    case JM_NO_JEMALLOC: snprintf(why, JM_WHY_MAX, "this process has no jemalloc"); break;
    case JM_NO_PROFILING:
      snprintf(why, JM_WHY_MAX, "jemalloc %.*s was built without profiling here; a build of 5.3.0 or later with --enable-prof has it", release, version);
      break;
    case JM_NOT_STARTED: snprintf(why, JM_WHY_MAX, "jemalloc was not started with prof:true"); break;
    case JM_NO_HOOK:
      snprintf(why, JM_WHY_MAX, "jemalloc %.*s has no hook for stack walks; 5.3.0 and later have one, built with --enable-prof", release, version);
      break;
    case JM_OTHER_SYSTEM: snprintf(why, JM_WHY_MAX, "jemkit walks stacks on Linux on x86-64 and arm64 only"); break;
    default: break;
  }
}

void jm_hook_count(struct jm_hook_counts *counts) {
  counts->samples = atomic_load_explicit(&jm_samples, memory_order_relaxed);
  counts->truncated = atomic_load_explicit(&jm_truncated, memory_order_relaxed);
  counts->without_javascript = atomic_load_explicit(&jm_without_javascript, memory_order_relaxed);
}

void jm_hook_ask_v8(bool asks) { atomic_store_explicit(&jm_asks_v8, asks, memory_order_relaxed); }
