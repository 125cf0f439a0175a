#define _GNU_SOURCE
#include "profiler.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "jemalloc.h"
#include "prof-hook.h"
#include "v8-code.h"

#define JM_LG_SAMPLE_MAX 63

enum jm_course { JM_IDLE, JM_CHANGING, JM_RUNNING };

static atomic_int jm_course;
static atomic_bool jm_active_before;
static _Atomic uint64_t jm_started_ns;
/* enum jm_profiler_unwinder */
static atomic_int jm_unwinder;

static bool jm_read_bool(const char *name) {
  bool value = false;
  size_t size = sizeof value;
  jm_mallctl_fn ctl = jm_find_mallctl();
  return ctl && ctl(name, &value, &size, NULL, 0) == 0 && value;
}

static size_t jm_read_lg_sample(void) {
  size_t value = 0, size = sizeof value;
  jm_mallctl_fn ctl = jm_find_mallctl();
  if (!ctl) return 0;
  /* What a reset has set; before any, jemalloc 5.0 has the option alone. */
  if (ctl("prof.lg_sample", &value, &size, NULL, 0) == 0) return value;
  size = sizeof value;
  return ctl("opt.lg_prof_sample", &value, &size, NULL, 0) == 0 ? value : 0;
}

bool jm_profiler_prepare(void) {
  bool installed = jm_hook_install();
  /* Where it is not even started with profiling, nobody walks. */
  atomic_store(&jm_unwinder, installed ? JM_UNWINDER_JEMKIT : jm_read_bool("opt.prof") ? JM_UNWINDER_JEMALLOC : JM_UNWINDER_NONE);
  return installed;
}

static int jm_set_rate(const struct jm_profiler_wish *wish) {
  jm_mallctl_fn ctl = jm_find_mallctl();
  size_t rate = wish->lg_sample == -1 ? jm_read_lg_sample() : (size_t)wish->lg_sample;
  /* jemalloc changes its rate in no other way than by forgetting what it has. */
  if (!wish->reset && rate == jm_read_lg_sample()) return 0;
  return ctl("prof.reset", NULL, NULL, &rate, sizeof rate);
}

static int jm_begin(const struct jm_profiler_wish *wish) {
  jm_mallctl_fn ctl = jm_find_mallctl();
  if (!ctl || !jm_read_bool("opt.prof")) return ENOENT;
  if (wish->lg_sample < -1 || wish->lg_sample > JM_LG_SAMPLE_MAX) return EINVAL;
  jm_profiler_prepare();
  int error = jm_set_rate(wish);
  bool before = false, on = true;
  size_t size = sizeof before;
  if (!error) error = ctl("prof.active", &before, &size, &on, sizeof on);
  if (error) return error;
  atomic_store(&jm_active_before, before);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  atomic_store(&jm_started_ns, (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec);
  jm_hook_ask_v8(true);
  return 0;
}

int jm_profiler_start(const struct jm_profiler_wish *wish) {
  int idle = JM_IDLE;
  if (!atomic_compare_exchange_strong(&jm_course, &idle, JM_CHANGING)) return EALREADY;
  int error = jm_begin(wish);
  atomic_store(&jm_course, error ? JM_IDLE : JM_RUNNING);
  return error;
}

int jm_profiler_stop(void) {
  int running = JM_RUNNING;
  jm_mallctl_fn ctl = jm_find_mallctl();
  if (!ctl || !jm_read_bool("opt.prof")) return ENOENT;
  if (!atomic_compare_exchange_strong(&jm_course, &running, JM_CHANGING)) return 0;
  bool before = atomic_load(&jm_active_before);
  int error = ctl("prof.active", NULL, NULL, &before, sizeof before);
  jm_hook_ask_v8(false);
  atomic_store(&jm_started_ns, 0);
  atomic_store(&jm_course, error ? JM_RUNNING : JM_IDLE);
  return error;
}

void jm_profiler_look(struct jm_profiler_state *state) {
  struct jm_hook_counts counts;
  const char *why_not_pool;
  bool thread_pool = jm_hook_carries(&why_not_pool);
  jm_hook_count(&counts);
  *state = (struct jm_profiler_state){
      .compiled_in = jm_read_bool("config.prof"),
      .enabled = jm_read_bool("opt.prof"),
      .active = jm_read_bool("prof.active"),
      .unwinder = (uint8_t)atomic_load(&jm_unwinder),
      .lg_sample = (uint8_t)jm_read_lg_sample(),
      .thread_pool = thread_pool,
      .started_ns = atomic_load(&jm_started_ns),
      .samples = counts.samples,
      .truncated = counts.truncated,
      .without_javascript = counts.without_javascript,
  };
  jm_hook_explain(state->why);
  snprintf(state->why_thread_pool, sizeof state->why_thread_pool, "%s", why_not_pool);
}

size_t jm_profiler_describe(char *text, size_t room) {
  static const char *const unwinders[] = {"none", "jemalloc", "jemkit"};
  struct jm_profiler_state state;
  struct jm_v8_counts v8 = {0};
  jm_profiler_look(&state);
  jm_v8_count(&v8);
  const char *const no = "false", *const yes = "true";
  /* jemalloc's version, the only text of someone else's in it, has neither quotes nor backslashes. */
  int length = snprintf(text, room,
                        "{\"compiledIn\":%s,\"enabled\":%s,\"active\":%s,\"unwinder\":\"%s\",\"why\":\"%s\",\"lgSample\":%u,"
                        "\"threadPool\":%s,\"threadPoolWhy\":\"%s\",\"startedNs\":%llu,\"samples\":%llu,\"truncated\":%llu,\"withoutJavascript\":%llu,"
                        "\"isolatesListening\":%u,\"codeEvents\":%llu,\"framesNumbered\":%llu,\"memoryBytes\":%llu}",
                        state.compiled_in ? yes : no, state.enabled ? yes : no, state.active ? yes : no,
                        unwinders[state.unwinder], state.why, (unsigned)state.lg_sample, state.thread_pool ? yes : no, state.why_thread_pool,
                        (unsigned long long)state.started_ns, (unsigned long long)state.samples,
                        (unsigned long long)state.truncated, (unsigned long long)state.without_javascript,
                        (unsigned)v8.isolates_listening, (unsigned long long)v8.code_events,
                        (unsigned long long)v8.frames_numbered, (unsigned long long)v8.memory_bytes);
  return length < 0 || (size_t)length >= room ? 0 : (size_t)length;
}

const struct jm_profiler_table jm_own_profiler = JM_PROFILER_TABLE;

const struct jm_profiler_table *jm_profiler(void) {
  const struct jm_profiler_table *preloaded = &jemkit_profiler_1;
  return preloaded && preloaded->size == sizeof *preloaded ? preloaded : &jm_own_profiler;
}
