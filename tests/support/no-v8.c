/* A process without V8, for programs that have the walk of stacks alone. */
#include "v8-code.h"

bool jm_v8_find(const char **why) {
  *why = "none";
  return false;
}
struct jm_v8_isolate *jm_v8_current(void) { return NULL; }
bool jm_v8_is_code(const struct jm_v8_isolate *isolate, uintptr_t pc) {
  (void)isolate, (void)pc;
  return false;
}
bool jm_v8_is_interpreter(struct jm_v8_isolate *isolate, uintptr_t pc) {
  (void)isolate, (void)pc;
  return false;
}
unsigned jm_v8_stack(struct jm_v8_isolate *isolate, uintptr_t pc, uintptr_t sp, uintptr_t fp, uintptr_t *pcs, unsigned max) {
  (void)isolate, (void)pc, (void)sp, (void)fp, (void)pcs, (void)max;
  return 0;
}
uint64_t jm_v8_frame(struct jm_v8_isolate *isolate, uintptr_t pc) {
  (void)isolate, (void)pc;
  return 0;
}
uint64_t jm_v8_interpreted_frame(struct jm_v8_isolate *isolate, const uintptr_t words[JM_V8_FIXED_WORDS]) {
  (void)isolate, (void)words;
  return 0;
}
void jm_v8_learn_interpreted(struct jm_v8_isolate *isolate, const uintptr_t words[JM_V8_FIXED_WORDS], uintptr_t pc) {
  (void)isolate, (void)words, (void)pc;
}
void jm_v8_count(struct jm_v8_counts *counts) { *counts = (struct jm_v8_counts){0}; }
