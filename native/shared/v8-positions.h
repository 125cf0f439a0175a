/* Tables from an offset in code to a character position in the script, each as bytes: differences as variable-length numbers. */
#ifndef JM_V8_POSITIONS_H
#define JM_V8_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jm_v8_place {
  uint32_t offset;
  /* -1: of another function that was folded in, or not told */
  int32_t position;
};

/* Bytes written to `to`, which has room for JM_V8_PLACE_MAX each. */
#define JM_V8_PLACE_MAX 10
size_t jm_v8_pack_positions(const struct jm_v8_place *places, size_t count, uint8_t *to);

/* The position of the last entry at or before `offset`, or -1. Reads no byte beyond `length`, whatever it holds. */
int32_t jm_v8_position_at(const uint8_t *bytes, size_t length, uint32_t offset);

/* The next entry of a table; false at its end. `place` begins as {0, 0}. */
bool jm_v8_next_place(const uint8_t **bytes, const uint8_t *end, struct jm_v8_place *place);

#endif
