#include "v8-code.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "v8-events.h"
#include "v8-frames.h"
#include "v8-interrupt.h"
#include "v8-isolates.h"
#include "v8-memory.h"
#include "v8-names.h"

static bool found;

bool jm_v8_find(const char **why) {
  const char *unused;
  if (!why) why = &unused;
  if (found) return true;
  if (!jm_v8_TryGetCurrent) {
    *why = "no V8 in this process";
    return false;
  }
  if (!jm_v8_GetStackSample || !jm_v8_SetJitCodeEventHandler || !jm_v8_GetCodeRange || !jm_v8_GetEmbeddedCodeRange) {
    *why = "this V8 lacks SetJitCodeEventHandler, GetStackSample or GetCodeRange";
    return false;
  }
  if (!jm_v8_open_frames()) {
    *why = "no memory for the numbers of JavaScript frames";
    return false;
  }
  jm_v8_prepare_thread_ends();
  found = true;
  return true;
}

struct jm_v8_isolate *jm_v8_current(void) {
  void *v8 = found ? jm_v8_TryGetCurrent() : NULL;
  struct jm_v8_isolate *isolate = v8 ? jm_v8_isolate_of(v8) : NULL;
  if (!isolate) return NULL;
  uintptr_t thread = jm_v8_thread();
  if (atomic_load_explicit(&isolate->thread, memory_order_relaxed) == thread) {
    jm_v8_note_code_range(isolate, v8);
    return isolate;
  }
  /* Another isolate, at the address of one that ended. */
  if (atomic_load_explicit(&isolate->listening, memory_order_acquire)) return NULL;
  jm_v8_meet_isolate(isolate, v8, thread);
  return isolate;
}

bool jm_v8_is_code(const struct jm_v8_isolate *isolate, uintptr_t pc) {
  if (jm_v8_in_ranges(isolate, pc)) return true;
  if (!atomic_load_explicit(&isolate->elsewhere, memory_order_relaxed)) return false;
  struct jm_v8_code code;
  uint32_t offset;
  return jm_v8_look(isolate, pc - 1, &code, &offset);
}

bool jm_v8_is_interpreter(struct jm_v8_isolate *isolate, uintptr_t pc) { return jm_v8_resolve(isolate, pc).interpreter; }

unsigned jm_v8_stack(struct jm_v8_isolate *isolate, uintptr_t pc, uintptr_t sp, uintptr_t fp, uintptr_t *pcs, unsigned max) {
  struct jm_v8_registers registers = {.pc = pc, .sp = sp, .fp = fp};
  struct jm_v8_sample sample = {0};
  jm_v8_GetStackSample(atomic_load_explicit(&isolate->v8, memory_order_relaxed), &registers, (void **)pcs, max, &sample);
  return sample.count < max ? (unsigned)sample.count : max;
}

uint64_t jm_v8_frame(struct jm_v8_isolate *isolate, uintptr_t pc) {
  struct jm_v8_found place = jm_v8_resolve(isolate, pc);
  if (place.interpreter) return jm_v8_use_frame(place.number);
  return place.number ? JM_FRAME_BASE + JM_FRAME_FIRST_CODE + place.number - 1 : 0;
}

static void on_interrupt(void *v8, void *data) {
  if (jm_v8_is_here(data, v8)) (void)jm_v8_listen();
}

void jm_v8_request_events(struct jm_v8_isolate *isolate, void *const *frames, unsigned count) {
  if (!jm_v8_RequestInterrupt || atomic_load_explicit(&isolate->listening, memory_order_relaxed) || isolate->wished++ < isolate->asked_until) return;
  void *v8 = atomic_load_explicit(&isolate->v8, memory_order_relaxed);
  if (v8 != jm_v8_TryGetCurrent()) return;
  /* Without JavaScript on the stack the isolate may be only beginning, or ending; in a collection it is not asked anything. */
  uintptr_t here = (uintptr_t)__builtin_frame_address(0), pcs[1];
  if (!jm_v8_stack(isolate, 0, here, here, pcs, 1) || !jm_v8_may_interrupt(isolate, v8, frames, count)) return;
  isolate->asked_until = isolate->wished < UINT32_MAX / 4 ? isolate->wished * 2 + 1000 : UINT32_MAX;
  jm_v8_RequestInterrupt(v8, on_interrupt, isolate);
}

void jm_v8_count(struct jm_v8_counts *counts) {
  uint64_t bytes;
  *counts = (struct jm_v8_counts){0};
  jm_v8_count_frames(&counts->frames_numbered, &bytes);
  counts->isolates_listening = jm_v8_listening();
  counts->code_events = jm_v8_events();
  counts->memory_bytes = bytes + jm_v8_memory();
}
