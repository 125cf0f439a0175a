#include "v8-positions.h"

static size_t pack(uint32_t value, uint8_t *to) {
  size_t length = 0;
  for (; value >= 128; value >>= 7) to[length++] = (uint8_t)(value | 128);
  to[length++] = (uint8_t)value;
  return length;
}

static bool unpack(const uint8_t **at, const uint8_t *end, uint32_t *value) {
  *value = 0;
  for (unsigned shift = 0; *at < end && shift < 35; shift += 7) {
    uint8_t byte = *(*at)++;
    *value |= (uint32_t)(byte & 127) << shift;
    if (!(byte & 128)) return true;
  }
  return false;
}

size_t jm_v8_pack_positions(const struct jm_v8_place *places, size_t count, uint8_t *to) {
  size_t length = 0;
  struct jm_v8_place before = {0, 0};
  for (size_t i = 0; i < count; i++) {
    uint32_t step = (uint32_t)places[i].position - (uint32_t)before.position;
    length += pack(places[i].offset - before.offset, to + length);
    length += pack(step << 1 ^ (step >> 31 ? UINT32_MAX : 0), to + length);
    before = places[i];
  }
  return length;
}

bool jm_v8_next_place(const uint8_t **bytes, const uint8_t *end, struct jm_v8_place *place) {
  uint32_t offset, step;
  if (!unpack(bytes, end, &offset) || !unpack(bytes, end, &step)) return false;
  place->offset += offset;
  place->position = (int32_t)((uint32_t)place->position + (step >> 1 ^ (0 - (step & 1))));
  return true;
}

int32_t jm_v8_position_at(const uint8_t *bytes, size_t length, uint32_t offset) {
  const uint8_t *end = bytes + length;
  struct jm_v8_place place = {0, 0};
  int32_t position = -1;
  while (jm_v8_next_place(&bytes, end, &place) && place.offset <= offset) position = place.position;
  return position;
}
