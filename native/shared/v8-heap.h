/* What V8 knows of a piece of code and does not tell: position tables of code it had before, and of Maglev's; which functions the optimizer folded in. It stands in V8's
 * heap, beside the code. Where, is not assumed but found: a place counts once it holds exactly the table that V8 told of the same code. Only called from V8's events
 * of new code, when nothing moves, and all is read through the kernel, so that a wrong pointer is an error and no fault. */
#ifndef JM_V8_HEAP_H
#define JM_V8_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "v8-isolates.h"
#include "v8-names.h"

/* An entry of V8's own table: with the number of the folded-in call it lies in, or -1. */
struct jm_v8_source {
  uint32_t offset;
  int32_t position, inlined;
};

/* A folded-in call: which function, where it was called, and in which other such call; -1: in none. Function 0: not found out. */
struct jm_v8_inlined {
  uint32_t function;
  int32_t position, inlined;
};

/* How far the beginning of the object lies before the first bytecode; 0: not known yet. Which word of a function's record leads to its code. */
struct jm_v8_heap_form {
  uintptr_t header_size;
  size_t code_word;
};
extern struct jm_v8_heap_form jm_v8_heap;

/* Compares what V8 told of this bytecode with what its heap holds, until the place is known. True: it became known just now. */
bool jm_v8_learn_heap(const struct jm_v8_isolate *isolate, const struct jm_v8_event *event);

/* The table of this code; blocks of v8-memory.h, to be given back. False: none, or not known where. */
bool jm_v8_read_sources(const struct jm_v8_event *event, struct jm_v8_source **sources, size_t *count);

/* The calls folded into this machine code, of which the table names the last as `last`. */
bool jm_v8_read_inlined(const struct jm_v8_isolate *isolate, const struct jm_v8_event *event, int32_t last, struct jm_v8_inlined **calls, size_t *count);

/* V8's heap is not as it was taken to be: nothing more is read from it. */
void jm_v8_distrust_heap(void);

#endif
