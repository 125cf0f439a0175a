#include "v8-tables.h"

#include <string.h>

#include "v8-frames.h"
#include "v8-heap.h"
#include "v8-memory.h"

enum { COMPARISONS = 1 << 20 };

void jm_v8_note_place(struct jm_v8_isolate *isolate, size_t offset, size_t position) {
  if (!isolate->places_whole) return;
  size_t room = isolate->places ? jm_v8_block_size(isolate->places) / sizeof *isolate->places : 0;
  bool rising = !isolate->place_count || offset >= isolate->places[isolate->place_count - 1].offset;
  isolate->places_whole = rising && offset <= INT32_MAX && position <= INT32_MAX;
  if (isolate->places_whole && isolate->place_count == room) {
    struct jm_v8_place *bigger = jm_v8_take_block(isolate->places ? jm_v8_class(isolate->places) + 1 : 8);
    isolate->places_whole = bigger;
    if (bigger && isolate->places) memcpy(bigger, isolate->places, room * sizeof *bigger);
    if (bigger) {
      jm_v8_give_block(isolate->places);
      isolate->places = bigger;
    }
  }
  if (isolate->places_whole) isolate->places[isolate->place_count++] = (struct jm_v8_place){(uint32_t)offset, (int32_t)position};
}

/* The table in a block of its own, or NULL. */
static struct jm_v8_table *pack_places(const struct jm_v8_isolate *isolate) {
  struct jm_v8_table *table = jm_v8_take_block(jm_v8_class_for(sizeof *table + isolate->place_count * JM_V8_PLACE_MAX));
  if (!table) return NULL;
  table->length = (uint32_t)jm_v8_pack_positions(isolate->places, isolate->place_count, table->bytes);
  /* Most differences take a byte. */
  unsigned class = jm_v8_class_for(sizeof *table + table->length);
  struct jm_v8_table *fitting = class < jm_v8_class(table) ? jm_v8_take_block(class) : NULL;
  if (!fitting) return table;
  memcpy(fitting, table, sizeof *table + table->length);
  jm_v8_give_block(table);
  return fitting;
}

static bool same(const struct jm_v8_table *one, const struct jm_v8_table *other) {
  return one->length == other->length && !memcmp(one->bytes, other->bytes, one->length);
}

/* Whether all positions of optimized code are places of this function: an event does not say which function a position is in, and optimized code holds the
 * code of others, even of other scripts. */
static bool all_own(const struct jm_v8_isolate *isolate, const struct jm_v8_table *own) {
  struct jm_v8_place place = {0, 0};
  const uint8_t *at = own->bytes, *end = own->bytes + own->length;
  size_t count = 0;
  while (jm_v8_next_place(&at, end, &place)) count++;
  if (count * isolate->place_count > COMPARISONS) return false;
  for (size_t i = 0; i < isolate->place_count; i++) {
    bool there = false;
    at = own->bytes;
    place = (struct jm_v8_place){0, 0};
    while (!there && jm_v8_next_place(&at, end, &place)) there = place.position == isolate->places[i].position;
    if (!there) return false;
  }
  return true;
}

/* Bytecode of the same function mostly comes with the same table: one is enough. */
static const struct jm_v8_table *share(struct jm_v8_function *function, struct jm_v8_table *packed, uint32_t *flags) {
  if (!packed) return NULL;
  if (!function->table) {
    struct jm_v8_table *kept = jm_v8_take(sizeof *kept + packed->length);
    if (kept) memcpy(kept, packed, sizeof *kept + packed->length);
    function->table = kept;
  }
  if (function->table && same(function->table, packed)) {
    jm_v8_give_block(packed);
    return function->table;
  }
  if (function->table) function->several = true;
  *flags |= JM_CODE_OWN_TABLE;
  return packed;
}

/* The table of V8's heap instead of a told one. */
static bool use_sources(struct jm_v8_isolate *isolate, const struct jm_v8_source *sources, size_t count) {
  isolate->place_count = 0;
  isolate->places_whole = true;
  for (size_t i = 0; i < count && isolate->places_whole; i++) {
    if (sources[i].inlined != -1 || sources[i].position < 0) return false;
    jm_v8_note_place(isolate, sources[i].offset, (size_t)sources[i].position);
  }
  return isolate->places_whole && isolate->place_count;
}

/* The frame at this position in the `inlined`th folded-in call; where that function is not known, the frame that called it. */
static uint32_t frame_of(uint32_t function, int32_t position, int32_t inlined, const struct jm_v8_inlined *calls, bool exact) {
  if (!exact) position = -1;
  if (inlined < 0) return jm_v8_number_frame(function, position, 0);
  uint32_t outer = frame_of(function, calls[inlined].position, calls[inlined].inlined, calls, exact);
  return calls[inlined].function && outer ? jm_v8_number_frame(calls[inlined].function, position, outer) : outer;
}

static const struct jm_v8_table *table_of_frames(struct jm_v8_isolate *isolate, const struct jm_v8_event *event, uint32_t number, bool exact,
                                                 const struct jm_v8_source *sources, size_t count, uint32_t *flags) {
  int32_t last = -1;
  struct jm_v8_inlined *calls = NULL;
  size_t call_count = 0;
  for (size_t i = 0; i < count; i++)
    if (sources[i].inlined > last) last = sources[i].inlined;
  bool known = last < 0 || jm_v8_read_inlined(isolate, event, last, &calls, &call_count);
  isolate->place_count = 0;
  isolate->places_whole = true;
  for (size_t i = 0; i < count; i++) {
    uint32_t frame = sources[i].inlined < 0 || known ? frame_of(number, sources[i].position, sources[i].inlined, calls, exact) : 0;
    jm_v8_note_place(isolate, sources[i].offset, frame);
  }
  if (known) jm_v8_give_block(calls);
  struct jm_v8_table *packed = isolate->places_whole ? pack_places(isolate) : NULL;
  if (packed) *flags |= JM_CODE_OWN_TABLE | JM_CODE_FRAMES;
  return packed;
}

const struct jm_v8_table *jm_v8_table_for(struct jm_v8_isolate *isolate, const struct jm_v8_event *event, const struct jm_v8_name *name, uint32_t number,
                                          uint32_t *flags, bool *learned) {
  struct jm_v8_function *function = jm_v8_function_at(number);
  bool told = isolate->places_start == event->code_start && isolate->places_whole && isolate->place_count;
  isolate->places_start = 0;
  bool bytecode = event->code_type == JM_V8_BYTECODE;
  /* A baseline function's code has a table too, but of another kind. */
  if (!function || (!bytecode && (name->kind != JM_KIND_JS || !name->optimized))) return NULL;
  struct jm_v8_source *sources;
  size_t count;
  if (bytecode) {
    if (told && jm_v8_learn_heap(isolate, event)) {
      *learned = isolate->without_table;
      isolate->without_table = 0;
    }
    if (!told && jm_v8_read_sources(event, &sources, &count)) {
      told = use_sources(isolate, sources, count);
      jm_v8_give_block(sources);
    }
    isolate->without_table += !told;
    return told ? share(function, pack_places(isolate), flags) : NULL;
  }
  if (jm_v8_read_sources(event, &sources, &count)) {
    bool right = !told || count == isolate->place_count;
    for (size_t i = 0; told && right && i < count; i++)
      right = sources[i].offset == isolate->places[i].offset && sources[i].position == isolate->places[i].position;
    const struct jm_v8_table *table = right ? table_of_frames(isolate, event, number, !name->maglev, sources, count, flags) : NULL;
    jm_v8_give_block(sources);
    if (right) return table;
    jm_v8_distrust_heap();
  }
  if (!told || !function->table || function->several || !all_own(isolate, function->table)) return NULL;
  struct jm_v8_table *packed = pack_places(isolate);
  if (packed) *flags |= JM_CODE_OWN_TABLE;
  return packed;
}
