/* The isolates that this process's threads were seen in. They have a fixed place, because most are first met inside malloc. */
#ifndef JM_V8_ISOLATES_H
#define JM_V8_ISOLATES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "v8-code-map.h"
#include "v8-code.h"
#include "v8-positions.h"

/* What was found out before, as long as nothing changed in the map (its sequence). Only the hook uses it. Each entry is small: between two samples
 * the processor has forgotten them. */
struct jm_v8_cache {
  /* By address. */
  struct jm_v8_found {
    uintptr_t pc;
    uint32_t sequence;
    /* Of the frame, which is used; or of one of the interpreter, which is not. */
    uint32_t number : 31, interpreter : 1;
  } found[1024];
  /* v8-interpreted.c: the pairs of words that may hold where an interpreted function is, a bit each; how many frames said so, and how many did not. */
  uint64_t pairs;
  uint32_t agreed, disagreed;
};

struct jm_v8_isolate {
  /* v8::Isolate, or NULL. Another may later lie at the same address. */
  _Atomic(void *) v8;
  /* The thread it was met on; Node never moves an isolate to another. */
  _Atomic uintptr_t thread;
  _Atomic bool listening;
  /* Requests may get lost with an isolate that was here before: V8 is asked again, ever more rarely. Only the hook uses them. */
  uint32_t wished, asked_until;
  uintptr_t code_start, code_end, embedded_start, embedded_end;
  struct jm_v8_code_map map;
  /* The table that V8 is telling at the moment: it precedes the code it belongs to. */
  struct jm_v8_place *places;
  size_t place_count;
  uintptr_t places_start;
  bool places_whole;
  /* Some machine code lies in neither of the two ranges: WebAssembly's. */
  _Atomic bool elsewhere;
  /* NULL before it has listened. */
  struct jm_v8_cache *cache;
  /* Bytecode of which no positions are known. */
  uint32_t without_table;
};

static inline bool jm_v8_in_ranges(const struct jm_v8_isolate *isolate, uintptr_t pc) {
  return pc - isolate->embedded_start < isolate->embedded_end - isolate->embedded_start || pc - isolate->code_start < isolate->code_end - isolate->code_start;
}

static inline struct jm_v8_found *jm_v8_found_at(struct jm_v8_cache *cache, uintptr_t pc) {
  return &cache->found[(uint64_t)pc * UINT64_C(0x9e3779b97f4a7c15) >> 54];
}

/* The calling thread; another may have the same later. */
uintptr_t jm_v8_thread(void);

/* The place of this isolate, taken where it has none; NULL where all are taken. Allocates nothing. */
struct jm_v8_isolate *jm_v8_isolate_of(void *v8);
/* Only one that has a place. */
struct jm_v8_isolate *jm_v8_known_isolate(void *v8);
/* Whether it is still that isolate, on this thread. */
bool jm_v8_is_here(struct jm_v8_isolate *isolate, void *v8);
void jm_v8_forget_isolate(struct jm_v8_isolate *isolate);

#endif
