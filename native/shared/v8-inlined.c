/* Which functions the optimizer folded into a piece of code: its deoptimization data has them, as an array of calls and one of functions. */
#include <string.h>

#include "v8-heap.h"
#include "v8-memory.h"
#include "v8-peek.h"

enum { INLINED_MAX = 1024 };

/* The function whose bytecode begins at this object, or 0. */
static uint32_t function_of_bytecode(const struct jm_v8_isolate *isolate, uintptr_t word) {
  struct jm_v8_code code;
  uint32_t offset;
  if (!jm_v8_is_pointer(word) || !jm_v8_map_find(&isolate->map, jm_v8_object_at(word) + jm_v8_heap.header_size, &code, &offset)) return 0;
  return offset || !(code.flags & JM_CODE_BYTECODE) ? 0 : code.function;
}

/* The function of this record: it leads to bytecode, at once or through baseline code, which has it among its first words. */
static uint32_t function_of_record(const struct jm_v8_isolate *isolate, uintptr_t word) {
  uintptr_t code;
  if (!jm_v8_is_pointer(word) || !jm_v8_peek(jm_v8_object_at(word) + jm_v8_heap.code_word * sizeof code, &code, sizeof code)) return 0;
  uint32_t found = function_of_bytecode(isolate, code);
  uintptr_t words[5];
  size_t count = found || !jm_v8_is_pointer(code) ? 0 : jm_v8_peek_words(jm_v8_object_at(code), words, 5);
  for (size_t i = 1; i < count && !found; i++) found = function_of_bytecode(isolate, words[i]);
  return found;
}

/* The array of folded-in calls: 16 bytes each, a position and the number of the function. */
static bool read_calls(uintptr_t word, int32_t last, struct jm_v8_inlined *calls, size_t *count) {
  size_t length;
  uintptr_t map;
  uint8_t *bytes = jm_v8_read_bytes(word, &length, &map);
  bool fine = bytes && length % 16 == 0 && length / 16 > (size_t)last && length / 16 <= INLINED_MAX;
  *count = length / 16;
  for (size_t i = 0; fine && i < *count; i++) {
    int64_t raw;
    int32_t function;
    memcpy(&raw, bytes + i * 16, sizeof raw);
    memcpy(&function, bytes + i * 16 + sizeof raw, sizeof function);
    fine = jm_v8_split_position(raw, &calls[i].position, &calls[i].inlined) && calls[i].inlined < (int32_t)i && function >= -1 && function < INLINED_MAX;
    calls[i].function = (uint32_t)function;
  }
  jm_v8_give_block(bytes);
  return fine;
}

/* The functions that the calls name by number, out of one of the arrays here; only where one array alone will do. */
static bool name_calls(const struct jm_v8_isolate *isolate, const uintptr_t *words, size_t size, struct jm_v8_inlined *calls, size_t count) {
  uint32_t largest = 0;
  for (size_t i = 0; i < count; i++)
    if ((int32_t)calls[i].function > (int32_t)largest) largest = calls[i].function;
  uint32_t *names = jm_v8_take_block(jm_v8_class_for((largest + 1) * sizeof *names));
  uintptr_t *entries = jm_v8_take_block(jm_v8_class_for((largest + 3) * sizeof *entries));
  unsigned fitting = 0;
  for (size_t at = 0; names && entries && at < size; at++) {
    if (!jm_v8_is_pointer(words[at]) || jm_v8_peek_words(jm_v8_object_at(words[at]), entries, largest + 3) < largest + 3) continue;
    /* An array has its length in the second word. */
    bool all = !(uint32_t)entries[1] && entries[1] >> 32 > largest;
    uint32_t found[INLINED_MAX];
    for (size_t i = 0; all && i < count; i++) {
      uint32_t number = calls[i].function;
      if ((int32_t)number < 0) continue;
      found[number] = function_of_record(isolate, entries[2 + number]);
      all = found[number];
    }
    if (!all) continue;
    fitting++;
    memcpy(names, found, (largest + 1) * sizeof *names);
  }
  for (size_t i = 0; i < count; i++) calls[i].function = fitting == 1 && (int32_t)calls[i].function >= 0 ? names[calls[i].function] : 0;
  jm_v8_give_block(names);
  jm_v8_give_block(entries);
  return fitting == 1;
}

bool jm_v8_read_inlined(const struct jm_v8_isolate *isolate, const struct jm_v8_event *event, int32_t last, struct jm_v8_inlined **calls, size_t *count) {
  uintptr_t object[JM_V8_OBJECT_WORDS], data[JM_V8_OBJECT_WORDS];
  size_t size = jm_v8_read_code_object(event, object);
  *calls = jm_v8_take_block(jm_v8_class_for(INLINED_MAX * sizeof **calls));
  for (size_t i = 1; *calls && i < size; i++) {
    size_t words = jm_v8_is_pointer(object[i]) ? jm_v8_peek_words(jm_v8_object_at(object[i]), data, JM_V8_OBJECT_WORDS) : 0;
    for (size_t at = 1; at < words; at++) {
      if (!read_calls(data[at], last, *calls, count)) continue;
      if (name_calls(isolate, data, words, *calls, *count)) return true;
    }
  }
  jm_v8_give_block(*calls);
  return false;
}
