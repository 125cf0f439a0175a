#include "v8-functions.h"

#include <string.h>

#include "v8-memory.h"

enum { PER_CHUNK = 4096, CHUNKS = 256 };

static _Atomic(struct jm_v8_function *) chunks[CHUNKS];
static uint32_t function_count;

/* Open addressing; doubled at half full. Only ever read with the lock held. */
struct table {
  void **slots;
  size_t count;
};
static struct table functions, scripts;

static uint64_t hash_text(uint64_t hash, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
  return hash;
}

static uint64_t hash_number(uint64_t hash, uint64_t number) {
  hash = (hash ^ number) * UINT64_C(0x9e3779b97f4a7c15);
  return hash ^ hash >> 29;
}

static uint64_t hash_script(const char *name, size_t length) { return hash_number(hash_text(UINT64_C(0xcbf29ce484222325), name, length), length); }

static uint64_t hash_function(const char *name, size_t length, const struct jm_v8_script *script, uint32_t line, uint32_t column) {
  uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), name, length);
  return hash_number(hash_number(hash, (uintptr_t)script), (uint64_t)line << 32 | column);
}

static uint64_t hash_of_script(const void *slot) {
  const struct jm_v8_script *script = slot;
  return hash_script(script->name, script->length);
}

static uint64_t hash_of_function(const void *slot) {
  const struct jm_v8_function *function = jm_v8_function_at((uint32_t)(uintptr_t)slot);
  return hash_function(function->name, function->name_length, function->script, function->line, function->column);
}

static size_t slots_of(const struct table *table) { return table->slots ? jm_v8_block_size(table->slots) / sizeof(void *) : 0; }

/* Room for one more. */
static bool make_room(struct table *table, uint64_t (*hash_of)(const void *)) {
  size_t size = slots_of(table);
  if (size && table->count * 2 < size) return true;
  void **bigger = jm_v8_take_block(size ? jm_v8_class(table->slots) + 1 : 8);
  if (!bigger) return false;
  memset(bigger, 0, jm_v8_block_size(bigger));
  size_t mask = jm_v8_block_size(bigger) / sizeof(void *) - 1;
  for (size_t i = 0; i < size; i++) {
    if (!table->slots[i]) continue;
    size_t at = hash_of(table->slots[i]) & mask;
    while (bigger[at]) at = (at + 1) & mask;
    bigger[at] = table->slots[i];
  }
  jm_v8_give_block(table->slots);
  table->slots = bigger;
  return true;
}

static char *keep_text(const char *text, size_t length) {
  char *kept = jm_v8_take(length ? length : 1);
  if (kept) memcpy(kept, text, length);
  return kept;
}

/* The slot where it is or would be. */
static void **script_slot(const char *name, size_t length) {
  size_t mask = slots_of(&scripts) - 1;
  for (size_t at = hash_script(name, length) & mask;; at = (at + 1) & mask) {
    const struct jm_v8_script *script = scripts.slots[at];
    if (!script || (script->length == length && !memcmp(script->name, name, length))) return &scripts.slots[at];
  }
}

bool jm_v8_knows_script(const char *text, size_t length) { return scripts.slots && length && *script_slot(text, length); }

static const struct jm_v8_script *intern_script(const char *name, uint32_t length) {
  if (!make_room(&scripts, hash_of_script)) return NULL;
  void **slot = script_slot(name, length);
  if (*slot) return *slot;
  struct jm_v8_script *script = jm_v8_take(sizeof *script);
  char *text = script ? keep_text(name, length) : NULL;
  if (!text) return NULL;
  *script = (struct jm_v8_script){text, length};
  *slot = script;
  scripts.count++;
  return script;
}

uint32_t jm_v8_intern_function(const struct jm_v8_name *name) {
  const struct jm_v8_script *script = intern_script(name->script, name->script_length);
  if (!script || !make_room(&functions, hash_of_function)) return 0;
  size_t mask = slots_of(&functions) - 1;
  size_t at = hash_function(name->name, name->name_length, script, name->line, name->column) & mask;
  for (; functions.slots[at]; at = (at + 1) & mask) {
    uint32_t number = (uint32_t)(uintptr_t)functions.slots[at];
    const struct jm_v8_function *function = jm_v8_function_at(number);
    if (function->script == script && function->line == name->line && function->column == name->column && function->kind == name->kind &&
        function->name_length == name->name_length && !memcmp(function->name, name->name, name->name_length))
      return number;
  }
  uint32_t number = function_count + 1;
  if (number / PER_CHUNK >= CHUNKS) return 0;
  struct jm_v8_function *chunk = atomic_load_explicit(&chunks[number / PER_CHUNK], memory_order_relaxed);
  if (!chunk) {
    chunk = jm_v8_take(PER_CHUNK * sizeof *chunk);
    if (!chunk) return 0;
    atomic_store_explicit(&chunks[number / PER_CHUNK], chunk, memory_order_release);
  }
  char *text = keep_text(name->name, name->name_length);
  if (!text) return 0;
  chunk[number % PER_CHUNK] = (struct jm_v8_function){
      .name = text, .script = script, .name_length = name->name_length, .line = name->line, .column = name->column, .kind = name->kind};
  functions.slots[at] = (void *)(uintptr_t)number;
  functions.count++;
  function_count = number;
  return number;
}

struct jm_v8_function *jm_v8_function_at(uint32_t number) {
  if (!number || number / PER_CHUNK >= CHUNKS) return NULL;
  struct jm_v8_function *chunk = atomic_load_explicit(&chunks[number / PER_CHUNK], memory_order_acquire);
  return chunk ? &chunk[number % PER_CHUNK] : NULL;
}
