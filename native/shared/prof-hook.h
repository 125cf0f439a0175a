/* jemalloc's own walk replaced by jemkit's (experimental.hooks.prof_backtrace; jemalloc 5.3.0 has it first). */
#ifndef JM_PROF_HOOK_H
#define JM_PROF_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#define JM_WHY_MAX 160

/* Installs the hook, once; it stays. False where jemalloc keeps its own walk. Not inside malloc. */
bool jm_hook_install(void);
/* Why it does, or would; empty where it does not, or a try would tell. */
void jm_hook_explain(char why[JM_WHY_MAX]);

struct jm_hook_counts {
  uint64_t samples, truncated, without_javascript;
};
void jm_hook_count(struct jm_hook_counts *counts);

/* Who asked for the work that a thread does for another one: frames of JavaScript, which have gone on by then. */
struct jm_asker {
  uint32_t count;
  uint64_t frames[];
};

/* `asker` gives that of the calling thread, or NULL: its frames go behind those of the thread. Called inside malloc. NULL: it cannot be told, `why` says why
 * (a text that stays). */
void jm_hook_carry(const struct jm_asker *(*asker)(void), const char *why);
bool jm_hook_carries(const char **why);

/* While somebody captures, V8 is asked to tell of the code of isolates that allocate. */
void jm_hook_ask_v8(bool asks);

#endif
