/* Which code lies where in one isolate. Written by V8's events, also from the threads that move code in a collection; read inside malloc by the isolate's own
 * thread, which takes no lock: it looks at a number before and after, and looks again where that has changed. */
#ifndef JM_V8_CODE_MAP_H
#define JM_V8_CODE_MAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "v8-functions.h"

enum jm_v8_code_flag {
  JM_CODE_BYTECODE = 1,
  /* Its table goes with it. */
  JM_CODE_OWN_TABLE = 2,
  JM_CODE_INTERPRETER = 4,
  /* The table leads to the numbers of frames (v8-frames.h), not to positions. */
  JM_CODE_FRAMES = 8,
};

/* One piece of code, or the part of it that lies in one page. */
struct jm_v8_code {
  /* In the page; `skip` bytes of the code lie before. */
  uint32_t start, size, skip;
  uint32_t function, flags;
  uint32_t whole_size;
  const struct jm_v8_table *table;
};

struct jm_v8_code_map {
  _Atomic uint32_t sequence;
  _Atomic(struct jm_v8_page *) pages;
  uint32_t page_count;
};

/* With the lock of v8-memory.h. What lay there before is gone, also where there is no memory for the new. */
void jm_v8_map_add(struct jm_v8_code_map *map, uintptr_t start, size_t size, uint32_t function, uint32_t flags, const struct jm_v8_table *table);
void jm_v8_map_move(struct jm_v8_code_map *map, uintptr_t from, size_t size, uintptr_t to);
void jm_v8_map_remove(struct jm_v8_code_map *map, uintptr_t start, size_t size);
void jm_v8_map_clear(struct jm_v8_code_map *map);

/* A look without the lock: begin, find, and only where `holds` says so afterwards, believe. */
bool jm_v8_map_begin(const struct jm_v8_code_map *map, uint32_t *sequence);
bool jm_v8_map_find(const struct jm_v8_code_map *map, uintptr_t pc, struct jm_v8_code *code, uint32_t *offset);
bool jm_v8_map_holds(const struct jm_v8_code_map *map, uint32_t sequence);

#endif
