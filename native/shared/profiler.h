/* Heap profiling from inside a process, the same in the agent and in the addon. jemalloc chooses which allocations to sample and keeps the books; jemkit walks the
 * stacks (experimental.hooks.prof_backtrace), because jemalloc's own walk ends where V8's code begins. */
#ifndef JM_PROFILER_H
#define JM_PROFILER_H

#include <stdbool.h>
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
};

struct jm_profiler_wish {
  /* -1: as it is */
  int64_t lg_sample;
  bool thread_pool;
  /* Forget what was sampled before. */
  bool reset;
};

/* Installs the hook where jemalloc has it, and switches prof.active on. 0 or an errno: ENOENT no jemalloc or not started with prof:true. A second start
 * is refused (EALREADY): two captures would spoil each other. */
int jm_profiler_start(const struct jm_profiler_wish *wish);
/* Switches prof.active back to what it was. The hook stays: jemalloc may be inside it. */
int jm_profiler_stop(void);
void jm_profiler_look(struct jm_profiler_state *state);

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
};
extern const struct jm_profiler_table jemkit_profiler_1 __attribute__((weak));

#endif
