#include "v8-heap.h"

#include <string.h>

#include "v8-memory.h"
#include "v8-peek.h"

enum { ENTRIES_TO_LEARN_FROM = 4 };

/* How far the word with the table's address lies before the first bytecode; which word all byte arrays begin with. */
static uintptr_t table_distance, array_map;
struct jm_v8_heap_form jm_v8_heap;
/* How position tables are written: an encoding. */
static unsigned table_encoding;
static bool distrusted;

void jm_v8_distrust_heap(void) { distrusted = true; }

static bool next_number(const uint8_t **at, const uint8_t *end, uint64_t *number) {
  *number = 0;
  for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
    uint8_t byte = *(*at)++;
    *number |= (uint64_t)(byte & 127) << shift;
    if (!(byte & 128)) return true;
  }
  return false;
}

/* The sign is in the lowest bit. */
static int64_t with_sign(uint64_t number) { return (int64_t)(number >> 1 ^ (0 - (number & 1))); }

/* How a step to the next offset is written, and what else with it: that a statement begins there, by its sign (to V8 13), or two properties in two bits (V8 14). */
enum encoding { BY_SIGN, IN_BITS, ENCODINGS };

static int64_t step_of(enum encoding encoding, uint64_t number) {
  if (encoding == IN_BITS) return (int64_t)(number >> 2);
  int64_t step = with_sign(number);
  return step < 0 ? -(step + 1) : step;
}

static bool decode(enum encoding encoding, const uint8_t *at, size_t length, size_t code_length, struct jm_v8_source **sources, size_t *count) {
  const uint8_t *end = at + length;
  /* An entry has two bytes at least. */
  struct jm_v8_source *all = jm_v8_take_block(jm_v8_class_for((length / 2 + 1) * sizeof *all));
  /* The entry of the function itself lies before the code; V8 does not tell it. */
  int64_t offset = -1, raw = 0;
  uint64_t number = 0;
  *count = 0;
  bool fine = all;
  while (fine && at < end) {
    struct jm_v8_source *source = &all[*count];
    fine = next_number(&at, end, &number) && number >> 40 == 0;
    offset += step_of(encoding, number);
    fine = fine && offset <= (int64_t)code_length && next_number(&at, end, &number);
    raw = (int64_t)((uint64_t)raw + (uint64_t)with_sign(number));
    fine = fine && jm_v8_split_position(raw, &source->position, &source->inlined);
    source->offset = (uint32_t)offset;
    *count += fine && offset >= 0;
  }
  if (fine && *count) {
    *sources = all;
    return true;
  }
  jm_v8_give_block(all);
  return false;
}

static bool read_table(enum encoding encoding, uintptr_t word, size_t code_length, struct jm_v8_source **sources, size_t *count, uintptr_t *map) {
  size_t length;
  uint8_t *bytes = jm_v8_read_bytes(word, &length, map);
  bool fine = bytes && decode(encoding, bytes, length, code_length, sources, count);
  jm_v8_give_block(bytes);
  return fine;
}

static bool as_told(const struct jm_v8_isolate *isolate, const struct jm_v8_source *sources, size_t count) {
  bool same = count == isolate->place_count;
  for (size_t i = 0; same && i < count; i++)
    same = sources[i].offset == isolate->places[i].offset && sources[i].position == isolate->places[i].position && sources[i].inlined == -1;
  return same;
}

bool jm_v8_learn_heap(const struct jm_v8_isolate *isolate, const struct jm_v8_event *event) {
  if (distrusted || isolate->place_count < ENTRIES_TO_LEARN_FROM || (table_distance && jm_v8_heap.header_size)) return false;
  uintptr_t words[JM_V8_HEADER_WORDS];
  if (!jm_v8_heap.header_size && event->script) {
    /* The event's handle: a function's record, which points to its bytecode. */
    uintptr_t record = *(uintptr_t *)event->script;
    size_t count = jm_v8_is_pointer(record) ? jm_v8_peek_words(jm_v8_object_at(record), words, JM_V8_HEADER_WORDS) : 0;
    for (size_t i = 0; i < count; i++)
      if (jm_v8_is_pointer(words[i]) && event->code_start - jm_v8_object_at(words[i]) - 16 < 112) {
        jm_v8_heap.header_size = event->code_start - jm_v8_object_at(words[i]);
        jm_v8_heap.code_word = i;
        break;
      }
  }
  uintptr_t end = event->code_start & ~(uintptr_t)7;
  size_t count = table_distance ? 0 : jm_v8_peek_words(end - sizeof words, words, JM_V8_HEADER_WORDS);
  for (size_t i = 0; i < count * ENCODINGS && !table_distance; i++) {
    struct jm_v8_source *sources;
    size_t entries, at = i / ENCODINGS;
    uintptr_t map;
    enum encoding encoding = i % ENCODINGS;
    if (!read_table(encoding, words[at], event->code_length, &sources, &entries, &map)) continue;
    if (as_told(isolate, sources, entries)) {
      table_distance = event->code_start - (end - sizeof words + at * sizeof *words);
      array_map = map;
      table_encoding = encoding;
    }
    jm_v8_give_block(sources);
  }
  return table_distance && jm_v8_heap.header_size;
}

bool jm_v8_read_sources(const struct jm_v8_event *event, struct jm_v8_source **sources, size_t *count) {
  if (distrusted || !table_distance || !jm_v8_heap.header_size || event->code_type == JM_V8_WASM) return false;
  uintptr_t words[JM_V8_OBJECT_WORDS], map;
  size_t size = 1;
  if (event->code_type == JM_V8_BYTECODE)
    size = jm_v8_peek(event->code_start - table_distance, words, sizeof *words);
  else
    size = jm_v8_read_code_object(event, words);
  for (size_t i = 0; i < size; i++) {
    if (!read_table(table_encoding, words[i], event->code_length, sources, count, &map)) continue;
    if (map == array_map) return true;
    jm_v8_give_block(*sources);
  }
  return false;
}
