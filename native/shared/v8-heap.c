#define _GNU_SOURCE
#include "v8-heap.h"

#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "v8-memory.h"

enum { HEADER_WORDS = 12, OBJECT_WORDS = 24, ENTRIES_TO_LEARN_FROM = 4, TABLE_MAX = 1 << 20, INLINED_MAX = 1024 };

/* How far the word with the table's address, and the beginning of the object, lie before the first bytecode; which word all byte arrays begin with. */
static uintptr_t table_distance, header_size, array_map;
/* Which word of a function's record leads to its code. */
static size_t code_word;
/* How position tables are written: an encoding. */
static unsigned table_encoding;
static bool distrusted;

void jm_v8_distrust_heap(void) { distrusted = true; }

static bool peek(uintptr_t at, void *to, size_t size) {
  struct iovec local = {to, size}, remote = {(void *)at, size};
  return syscall(SYS_process_vm_readv, (long)getpid(), &local, 1L, &remote, 1L, 0L) == (long)size;
}

/* How many of the words could be read: an object may end at the end of what is mapped. */
static size_t peek_words(uintptr_t at, uintptr_t *words, size_t count) {
  struct iovec local = {words, count * sizeof *words}, remote = {(void *)at, count * sizeof *words};
  long got = at % sizeof *words ? 0 : syscall(SYS_process_vm_readv, (long)getpid(), &local, 1L, &remote, 1L, 0L);
  return got > 0 ? (size_t)got / sizeof *words : 0;
}

/* A pointer to an object has 1 added, or 3 where it does not keep the object alive. */
static bool is_pointer(uintptr_t word) { return word & 1 && word >> 12 && word >> 47 == 0; }
static uintptr_t object_at(uintptr_t word) { return word & ~(uintptr_t)3; }

/* The bytes of the byte array that the word points to, in a block. */
static uint8_t *read_bytes(uintptr_t word, size_t *length, uintptr_t *map) {
  uintptr_t head[2];
  if (!is_pointer(word) || object_at(word) % 8 || !peek(object_at(word), head, sizeof head)) return NULL;
  *map = head[0];
  /* A small integer stands in the upper half. */
  *length = (uint32_t)head[1] ? (head[1] >> 32 ? 0 : (size_t)head[1]) : (size_t)(head[1] >> 32);
  if (!*length || *length > TABLE_MAX) return NULL;
  uint8_t *bytes = jm_v8_take_block(jm_v8_class_for(*length));
  if (bytes && !peek(object_at(word) + sizeof head, bytes, *length)) {
    jm_v8_give_block(bytes);
    bytes = NULL;
  }
  return bytes;
}

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

/* v8::internal::SourcePosition; false for one that is not in a script. */
static bool split_position(int64_t raw, int32_t *position, int32_t *inlined) {
  *position = (int32_t)(raw >> 1 & 0x3fffffff) - 1;
  *inlined = (int32_t)(raw >> 31 & 0xffff) - 1;
  return !(raw & 1) && raw >= 0 && raw >> 47 == 0;
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
    fine = fine && split_position(raw, &source->position, &source->inlined);
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
  uint8_t *bytes = read_bytes(word, &length, map);
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
  if (distrusted || isolate->place_count < ENTRIES_TO_LEARN_FROM || (table_distance && header_size)) return false;
  uintptr_t words[HEADER_WORDS];
  if (!header_size && event->script) {
    /* The event's handle: a function's record, which points to its bytecode. */
    uintptr_t record = *(uintptr_t *)event->script;
    size_t count = is_pointer(record) ? peek_words(object_at(record), words, HEADER_WORDS) : 0;
    for (size_t i = 0; i < count; i++)
      if (is_pointer(words[i]) && event->code_start - object_at(words[i]) - 16 < 112) {
        header_size = event->code_start - object_at(words[i]);
        code_word = i;
        break;
      }
  }
  uintptr_t end = event->code_start & ~(uintptr_t)7;
  size_t count = table_distance ? 0 : peek_words(end - sizeof words, words, HEADER_WORDS);
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
  return table_distance && header_size;
}

/* The object that describes machine code: the code's header points to it, and it holds the code's address. */
static size_t read_code_object(const struct jm_v8_event *event, uintptr_t *object) {
  uintptr_t words[HEADER_WORDS];
  size_t count = peek_words((event->code_start & ~(uintptr_t)7) - sizeof words, words, HEADER_WORDS);
  while (count--) {
    if (!is_pointer(words[count])) continue;
    size_t size = peek_words(object_at(words[count]), object, OBJECT_WORDS);
    for (size_t i = 1; i < size; i++)
      if (object[i] == event->code_start) return size;
  }
  return 0;
}

bool jm_v8_read_sources(const struct jm_v8_event *event, struct jm_v8_source **sources, size_t *count) {
  if (distrusted || !table_distance || !header_size || event->code_type == JM_V8_WASM) return false;
  uintptr_t words[OBJECT_WORDS], map;
  size_t size = 1;
  if (event->code_type == JM_V8_BYTECODE)
    size = peek(event->code_start - table_distance, words, sizeof *words);
  else
    size = read_code_object(event, words);
  for (size_t i = 0; i < size; i++) {
    if (!read_table(table_encoding, words[i], event->code_length, sources, count, &map)) continue;
    if (map == array_map) return true;
    jm_v8_give_block(*sources);
  }
  return false;
}

/* The function whose bytecode begins at this object, or 0. */
static uint32_t function_of_bytecode(const struct jm_v8_isolate *isolate, uintptr_t word) {
  struct jm_v8_code code;
  uint32_t offset;
  if (!is_pointer(word) || !jm_v8_map_find(&isolate->map, object_at(word) + header_size, &code, &offset)) return 0;
  return offset || !(code.flags & JM_CODE_BYTECODE) ? 0 : code.function;
}

/* The function of this record: it leads to bytecode, at once or through baseline code, which has it among its first words. */
static uint32_t function_of_record(const struct jm_v8_isolate *isolate, uintptr_t word) {
  uintptr_t code;
  if (!is_pointer(word) || !peek(object_at(word) + code_word * sizeof code, &code, sizeof code)) return 0;
  uint32_t found = function_of_bytecode(isolate, code);
  uintptr_t words[5];
  size_t count = found || !is_pointer(code) ? 0 : peek_words(object_at(code), words, 5);
  for (size_t i = 1; i < count && !found; i++) found = function_of_bytecode(isolate, words[i]);
  return found;
}

/* The array of folded-in calls: 16 bytes each, a position and the number of the function. */
static bool read_calls(uintptr_t word, int32_t last, struct jm_v8_inlined *calls, size_t *count) {
  size_t length;
  uintptr_t map;
  uint8_t *bytes = read_bytes(word, &length, &map);
  bool fine = bytes && length % 16 == 0 && length / 16 > (size_t)last && length / 16 <= INLINED_MAX;
  *count = length / 16;
  for (size_t i = 0; fine && i < *count; i++) {
    int64_t raw;
    int32_t function;
    memcpy(&raw, bytes + i * 16, sizeof raw);
    memcpy(&function, bytes + i * 16 + sizeof raw, sizeof function);
    fine = split_position(raw, &calls[i].position, &calls[i].inlined) && calls[i].inlined < (int32_t)i && function >= -1 && function < INLINED_MAX;
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
    if (!is_pointer(words[at]) || peek_words(object_at(words[at]), entries, largest + 3) < largest + 3) continue;
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
  uintptr_t object[OBJECT_WORDS], data[OBJECT_WORDS];
  size_t size = read_code_object(event, object);
  *calls = jm_v8_take_block(jm_v8_class_for(INLINED_MAX * sizeof **calls));
  for (size_t i = 1; *calls && i < size; i++) {
    size_t words = is_pointer(object[i]) ? peek_words(object_at(object[i]), data, OBJECT_WORDS) : 0;
    for (size_t at = 1; at < words; at++) {
      if (!read_calls(data[at], last, *calls, count)) continue;
      if (name_calls(isolate, data, words, *calls, *count)) return true;
    }
  }
  jm_v8_give_block(*calls);
  return false;
}
