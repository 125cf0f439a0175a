/* The isolates that this process's threads were seen in. They have a fixed place, because most are first met inside malloc. */
#ifndef JM_V8_ISOLATES_H
#define JM_V8_ISOLATES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "v8-code-map.h"
#include "v8-positions.h"

struct jm_v8_isolate {
  /* v8::Isolate, or NULL. Another may later lie at the same address. */
  _Atomic(void *) v8;
  /* The thread it was met on; Node never moves an isolate to another. */
  _Atomic uint32_t thread;
  _Atomic bool requested, listening;
  uintptr_t code_start, code_end, embedded_start, embedded_end;
  struct jm_v8_code_map map;
  /* The table that V8 is telling at the moment: it precedes the code it belongs to. */
  struct jm_v8_place *places;
  size_t place_count;
  uintptr_t places_start;
  bool places_whole;
  /* What was found for an address, as long as nothing changed in the map; only the hook uses it. */
  struct {
    uintptr_t pc;
    uint32_t sequence, number;
  } found[128];
  /* Bytecode of which no positions are known. */
  uint32_t without_table;
};

/* A number for the calling thread. */
uint32_t jm_v8_thread(void);

/* The place of this isolate, taken where it has none; NULL where all are taken. Allocates nothing. */
struct jm_v8_isolate *jm_v8_isolate_of(void *v8);
/* Only one that has a place. */
struct jm_v8_isolate *jm_v8_known_isolate(void *v8);
/* Whether it is still that isolate, on this thread. */
bool jm_v8_is_here(struct jm_v8_isolate *isolate, void *v8);
void jm_v8_forget_isolate(struct jm_v8_isolate *isolate);

#endif
