/* The walk from an allocation to the bottom of its stack: by the tables of each library, which every compiler writes, up to the file that has V8; by frame
 * pointers through V8's code and that file, which keep them. Frames of JavaScript become numbers (v8-code.h). */
#ifndef JM_UNWIND_H
#define JM_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "v8-code.h"

/* The registers of a frame, as they are where it goes on. */
struct jm_place {
  uintptr_t pc, sp, fp;
};

struct jm_walk {
  struct jm_place from;
  /* Frames at the beginning that return into this are left out: the allocator's. */
  uintptr_t skip_start, skip_end;
  /* Set by the walk: more frames than fit, or no way on before the bottom; no frame of JavaScript. */
  bool truncated, without_javascript;
  /* A frame of JavaScript that V8 has not told of. */
  bool unnamed;
};

/* Outside of the hook, once: finds V8, where the process has it. Gives whether. */
bool jm_unwind_prepare(void);

/* Writes at most `max` frames, innermost first, and gives how many: return addresses, or JM_FRAME_BASE and a number. Never allocates, and reads only what is
 * mapped, whatever stack it runs on. With `isolate` NULL no JavaScript is looked for. */
unsigned jm_unwind(struct jm_walk *walk, struct jm_v8_isolate *isolate, void **frames, unsigned max);

#endif
