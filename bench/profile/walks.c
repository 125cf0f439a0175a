#define _GNU_SOURCE
/* Chooses who walks the stack of a sample in a running process, so that the walks are compared on the same program, and times them on the same stacks. */
#include <jemalloc/jemalloc.h>
#include <node_api.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef void (*walk_fn)(void **frames, unsigned *count, unsigned max);

enum { JEMALLOC, JEMKIT, NOBODY, TURNS, LATENCIES = 1 << 16 };
static walk_fn walks[2];
static struct {
  uint32_t nanoseconds;
  uint16_t frames;
  uint8_t walk, thread;
} latencies[LATENCIES];
static atomic_uint latency_count;

static int choose(walk_fn walk) { return mallctl("experimental.hooks.prof_backtrace", NULL, NULL, &walk, sizeof walk); }

static void nobody(void **frames, unsigned *count, unsigned max) {
  (void)max;
  frames[0] = (void *)nobody;
  *count = 1;
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Each in its turn, on the stacks as they come. */
static void in_turns(void **frames, unsigned *count, unsigned max) {
  unsigned at = atomic_fetch_add(&latency_count, 1), first = at & 1;
  /* jemalloc's adds to what is there. */
  unsigned taken = 0;
  uint64_t begin = now();
  walks[first](frames, &taken, max);
  uint64_t end = now();
  *count = taken;
  if (at >= LATENCIES) return;
  latencies[at].nanoseconds = (uint32_t)(end - begin);
  latencies[at].frames = (uint16_t)taken;
  latencies[at].walk = (uint8_t)first;
  latencies[at].thread = syscall(SYS_gettid) != getpid();
}

static napi_value number(napi_env env, double value) {
  napi_value made;
  napi_create_double(env, value, &made);
  return made;
}

static int64_t argument(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  int64_t number = 0;
  napi_get_cb_info(env, info, &count, &value, NULL, NULL);
  napi_get_value_int64(env, value, &number);
  return number;
}

/* After the profiler has been started once: what walked before, and what walks now. */
static napi_value learn(napi_env env, napi_callback_info info) {
  int64_t which = argument(env, info);
  size_t size = sizeof *walks;
  return number(env, mallctl("experimental.hooks.prof_backtrace", &walks[which], &size, NULL, 0));
}

static napi_value use(napi_env env, napi_callback_info info) {
  int64_t which = argument(env, info);
  return number(env, choose(which == NOBODY ? nobody : which == TURNS ? in_turns : walks[which]));
}

/* Samples from now on, one in 2^n bytes; -1: none. */
static napi_value sample(napi_env env, napi_callback_info info) {
  int64_t lg = argument(env, info);
  bool on = lg >= 0;
  size_t rate = (size_t)lg, before = 0, size = sizeof before;
  int error = 0;
  if (on && !(error = mallctl("prof.lg_sample", &before, &size, NULL, 0)) && before != rate) error = mallctl("prof.reset", NULL, NULL, &rate, sizeof rate);
  if (!error) error = mallctl("prof.active", NULL, NULL, &on, sizeof on);
  return number(env, error);
}

/* [walk, thread, nanoseconds, frames] of each sample while they walked in turns, in one row; thread 0 is the main one. */
static napi_value times(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value made;
  unsigned count = atomic_exchange(&latency_count, 0);
  napi_create_array(env, &made);
  for (uint32_t at = 0; at < count && at < LATENCIES; at++) {
    napi_set_element(env, made, at * 4, number(env, latencies[at].walk));
    napi_set_element(env, made, at * 4 + 1, number(env, latencies[at].thread));
    napi_set_element(env, made, at * 4 + 2, number(env, latencies[at].nanoseconds));
    napi_set_element(env, made, at * 4 + 3, number(env, latencies[at].frames));
  }
  return made;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor all[] = {
      {"learn", 0, learn, 0, 0, 0, napi_default, 0},
      {"use", 0, use, 0, 0, 0, napi_default, 0},
      {"sample", 0, sample, 0, 0, 0, napi_default, 0},
      {"times", 0, times, 0, 0, 0, napi_default, 0},
  };
  napi_define_properties(env, exports, sizeof all / sizeof *all, all);
  return exports;
}
