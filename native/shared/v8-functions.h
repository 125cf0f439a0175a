/* The functions that V8 told of, in all isolates of the process: each once and for good, whatever became of its code. */
#ifndef JM_V8_FUNCTIONS_H
#define JM_V8_FUNCTIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "v8-name.h"

/* Packed positions (v8-positions.h). */
struct jm_v8_table {
  uint32_t length;
  uint8_t bytes[];
};

struct jm_v8_script {
  const char *name;
  uint32_t length;
};

struct jm_v8_function {
  const char *name;
  const struct jm_v8_script *script;
  uint32_t name_length, line, column;
  uint8_t kind;
  /* Several functions have this name and place, as eval makes them: their positions differ. */
  bool several;
  /* Of its bytecode; set once. */
  const struct jm_v8_table *table;
};

/* Its number, from 1; 0: no memory. With the lock of v8-memory.h. */
uint32_t jm_v8_intern_function(const struct jm_v8_name *name);
jm_v8_known_script jm_v8_knows_script;

/* NULL: no such. */
struct jm_v8_function *jm_v8_function_at(uint32_t number);

#endif
