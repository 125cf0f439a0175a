/* Heap profiling from inside a process, the same in the agent and in the addon. jemalloc chooses which allocations to sample and keeps the books; jemkit walks the
 * stacks (experimental.hooks.prof_backtrace), because jemalloc's own walk ends where V8's code begins. */
#ifndef JM_PROFILER_H
#define JM_PROFILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum jm_profiler_unwinder {
  /* Not asked for yet. */
  JM_UNWINDER_NONE = 0,
  JM_UNWINDER_JEMALLOC = 1,
  JM_UNWINDER_JEMKIT = 2,
};

struct jm_profiler_state {
  /* config.prof, opt.prof, prof.active */
  bool compiled_in, enabled, active;
  uint8_t unwinder;
  /* The distance between samples, 2^n bytes. */
  uint8_t lg_sample;
  /* Carries the asker's stack into libuv's thread pool. */
  bool thread_pool;
  uint64_t started_ns;
  uint64_t samples;
  /* Walks that ended early, by the cause. */
  uint64_t truncated, without_javascript;
  /* Why jemkit does not walk; empty else. */
  char why[160];
  /* Why askers are not carried, or not all of them; empty else. */
  char why_thread_pool[160];
};

struct jm_profiler_wish {
  /* -1: as it is */
  int64_t lg_sample;
  bool thread_pool;
  /* Forget what was sampled before. */
  bool reset;
};

/* Installs the hook where jemalloc has it. False: jemalloc keeps its own walk. */
bool jm_profiler_prepare(void);

/* Installs the hook where jemalloc has it, and switches prof.active on. 0 or an errno: ENOENT no jemalloc or not started with prof:true. A second start
 * is refused (EALREADY): two captures would spoil each other. */
int jm_profiler_start(const struct jm_profiler_wish *wish);
/* Switches prof.active back to what it was. The hook stays: jemalloc may be inside it. */
int jm_profiler_stop(void);
void jm_profiler_look(struct jm_profiler_state *state);
/* Writes the state, and what V8 has told, as JSON (wire.h, JM_WIRE_PROF_STATE) and a final 0; gives its length, or 0 where there is no room. */
#define JM_PROFILER_TEXT_MAX 1024
size_t jm_profiler_describe(char *text, size_t room);

/* Writes jemalloc's dump with jemkit's sections behind it (docs/capture-format.md) to `path`, which must not exist; under that name there is a whole file or
 * none; 0600. 0 or an errno. */
int jm_profiler_capture(const char *path);

/* What libjemkit.so hands to an addon in the same process, so that there is one profiler: the only symbol that it exports. */
struct jm_profiler_table {
  uint32_t size;
  int (*start)(const struct jm_profiler_wish *);
  int (*stop)(void);
  void (*look)(struct jm_profiler_state *);
  int (*capture)(const char *);
  int (*listen)(void);
  void (*stop_listening)(void);
  size_t (*describe)(char *text, size_t room);
};
extern const struct jm_profiler_table jemkit_profiler_1 __attribute__((weak));
extern const struct jm_profiler_table jm_own_profiler;
#define JM_PROFILER_TABLE                                                                                                       \
  {                                                                                                                             \
    .size = sizeof(struct jm_profiler_table), .start = jm_profiler_start, .stop = jm_profiler_stop, .look = jm_profiler_look,   \
    .capture = jm_profiler_capture, .listen = jm_v8_listen, .stop_listening = jm_v8_stop_listening,                             \
    .describe = jm_profiler_describe                                                                                            \
  }
/* The one profiler of this process: the preloaded library's where there is one of the same form, else this file's own. */
const struct jm_profiler_table *jm_profiler(void);

#endif
