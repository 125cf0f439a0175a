#include "v8-events.h"

#include <errno.h>
#include <string.h>

#include "../agent/old-threads.h"
#include "v8-code.h"
#include "v8-frames.h"
#include "v8-memory.h"
#include "v8-names.h"
#include "v8-peek.h"
#include "v8-tables.h"

JM_OLD(pthread_key_create);
JM_OLD(pthread_setspecific);

/* Looks at the map before giving up, where others change it all the time. */
enum { LOOKS = 64 };

static _Atomic uint32_t listening;
static _Atomic uint64_t events;
static pthread_key_t thread_end;
static bool has_thread_end;

uint32_t jm_v8_listening(void) { return atomic_load_explicit(&listening, memory_order_relaxed); }
uint64_t jm_v8_events(void) { return atomic_load_explicit(&events, memory_order_relaxed); }

/* Forgets its code; V8 no longer tells of it. */
static void close_isolate(struct jm_v8_isolate *isolate) {
  if (!atomic_exchange_explicit(&isolate->listening, false, memory_order_acq_rel)) return;
  jm_v8_lock();
  jm_v8_map_clear(&isolate->map);
  jm_v8_give_block(isolate->places);
  isolate->places = NULL;
  isolate->places_start = 0;
  isolate->without_table = 0;
  jm_v8_unlock();
  isolate->wished = isolate->asked_until = 0;
  atomic_fetch_sub_explicit(&listening, 1, memory_order_relaxed);
}

static void on_thread_end(void *data) {
  struct jm_v8_isolate *isolate = data;
  if (atomic_load_explicit(&isolate->thread, memory_order_relaxed) != jm_v8_thread()) return;
  close_isolate(isolate);
  jm_v8_forget_isolate(isolate);
}

void jm_v8_prepare_thread_ends(void) {
  has_thread_end = pthread_key_create && pthread_setspecific && !pthread_key_create(&thread_end, on_thread_end);
}

void jm_v8_note_code_range(struct jm_v8_isolate *isolate, void *v8) {
  void *code = NULL;
  size_t length = 0;
  jm_v8_GetCodeRange(v8, &code, &length);
  isolate->code_start = (uintptr_t)code;
  isolate->code_end = (uintptr_t)code + length;
}

void jm_v8_meet_isolate(struct jm_v8_isolate *isolate, void *v8, uintptr_t thread) {
  const void *embedded = NULL;
  size_t length = 0;
  jm_v8_note_code_range(isolate, v8);
  jm_v8_GetEmbeddedCodeRange(v8, &embedded, &length);
  isolate->embedded_start = (uintptr_t)embedded;
  isolate->embedded_end = (uintptr_t)embedded + length;
  atomic_store_explicit(&isolate->elsewhere, false, memory_order_relaxed);
  isolate->wished = isolate->asked_until = 0;
  atomic_store_explicit(&isolate->thread, thread, memory_order_relaxed);
}

bool jm_v8_look(const struct jm_v8_isolate *isolate, uintptr_t pc, struct jm_v8_code *code, uint32_t *offset) {
  uint32_t sequence;
  for (int look = 0; look < LOOKS; look++) {
    if (!jm_v8_map_begin(&isolate->map, &sequence)) continue;
    bool there = jm_v8_map_find(&isolate->map, pc, code, offset);
    if (jm_v8_map_holds(&isolate->map, sequence)) return there;
  }
  return false;
}

static int32_t position_of(const struct jm_v8_code *code, uint32_t offset) {
  const struct jm_v8_table *table = code->table;
  if (!table) return -1;
  size_t length = table->length;
  if (code->flags & JM_CODE_OWN_TABLE && length > jm_v8_block_size(table) - sizeof *table) length = 0;
  return jm_v8_position_at(table->bytes, length, offset);
}

/* 0: none; `*settled` is false where the map changed all the time. */
static uint32_t find_frame(const struct jm_v8_isolate *isolate, uintptr_t pc, uint32_t sequence, bool *interpreter, bool *settled) {
  struct jm_v8_code code;
  uint32_t offset;
  /* In bytecode the place itself; in machine code the address behind the call, which may be another function's first. */
  bool there = jm_v8_map_find(&isolate->map, pc, &code, &offset);
  if (!there || !(code.flags & JM_CODE_BYTECODE)) there = jm_v8_map_find(&isolate->map, pc - 1, &code, &offset) && !(code.flags & JM_CODE_BYTECODE);
  *settled = jm_v8_map_holds(&isolate->map, sequence);
  *interpreter = there && code.flags & JM_CODE_INTERPRETER;
  if (!*settled || !there || !code.function) return 0;
  int32_t told = position_of(&code, offset);
  *settled = jm_v8_map_holds(&isolate->map, sequence);
  if (!*settled) return 0;
  if (code.flags & JM_CODE_FRAMES && told > 0) return (uint32_t)told;
  return jm_v8_number_frame(code.function, code.flags & JM_CODE_FRAMES ? -1 : told, 0);
}

struct jm_v8_found jm_v8_resolve(struct jm_v8_isolate *isolate, uintptr_t pc) {
  struct jm_v8_found none, *found = isolate->cache ? jm_v8_found_at(isolate->cache, pc) : &none;
  uint32_t sequence;
  none.pc = 0;
  for (int look = 0; look < LOOKS; look++) {
    if (!jm_v8_map_begin(&isolate->map, &sequence)) continue;
    if (found->pc == pc && found->sequence == sequence) return *found;
    bool settled, interpreter;
    uint32_t number = find_frame(isolate, pc, sequence, &interpreter, &settled);
    if (!settled) continue;
    if (!interpreter && !jm_v8_use_frame(number)) number = 0;
    *found = (struct jm_v8_found){.pc = pc, .sequence = sequence, .number = number & INT32_MAX, .interpreter = interpreter};
    return *found;
  }
  return (struct jm_v8_found){0};
}

static bool begins(const struct jm_v8_name *name, const char *with) {
  size_t length = strlen(with);
  return name->name_length >= length && !memcmp(name->name, with, length);
}

/* True: tables of code told of before could be had now. */
static bool on_added(struct jm_v8_isolate *isolate, const struct jm_v8_event *event) {
  bool learned = false;
  struct jm_v8_name name;
  jm_v8_parse_name(event->name.text, event->name.length, jm_v8_knows_script, &name);
  if (event->code_type == JM_V8_WASM) name.kind = JM_KIND_WASM;
  uint32_t number = jm_v8_intern_function(&name), flags = event->code_type == JM_V8_BYTECODE ? JM_CODE_BYTECODE : 0;
  /* The interpreter itself, or the copy of it that a function gets with --interpreted-frames-native-stack. */
  if (event->code_type == JM_V8_MACHINE &&
      (name.interpreted || (name.kind == JM_KIND_BUILTIN && (begins(&name, "InterpreterE") || begins(&name, "BaselineOrInterpreterE")))))
    flags |= JM_CODE_INTERPRETER;
  if (!(flags & JM_CODE_BYTECODE) && !jm_v8_in_ranges(isolate, event->code_start)) atomic_store_explicit(&isolate->elsewhere, true, memory_order_relaxed);
  const struct jm_v8_table *table = jm_v8_table_for(isolate, event, &name, number, &flags, &learned);
  jm_v8_map_add(&isolate->map, event->code_start, event->code_length, number, flags, table);
  return learned;
}

static void on_event(const struct jm_v8_event *event);

static void on_interrupt(void *v8, void *data) {
  struct jm_v8_isolate *isolate = data;
  if (!jm_v8_is_here(isolate, v8) || !atomic_load_explicit(&isolate->listening, memory_order_relaxed)) return;
  jm_v8_SetJitCodeEventHandler(v8, 1, on_event);
}

/* Mostly on the isolate's own thread, in the middle of a compilation; moves also on those that help to collect. Never inside malloc. */
static void on_event(const struct jm_v8_event *event) {
  if ((unsigned)event->type > JM_V8_POSITIONS_END || (unsigned)event->code_type > JM_V8_WASM) return;
  struct jm_v8_isolate *isolate = event->isolate ? jm_v8_known_isolate(event->isolate) : NULL;
  if (!isolate || !atomic_load_explicit(&isolate->listening, memory_order_acquire)) return;
  atomic_fetch_add_explicit(&events, 1, memory_order_relaxed);
  bool learned = false;
  jm_v8_lock();
  switch (event->type) {
  case JM_V8_ADDED:
    learned = on_added(isolate, event);
    jm_v8_end_peeking();
    break;
  case JM_V8_MOVED:
    jm_v8_map_move(&isolate->map, event->code_start, event->code_length, event->new_start);
    break;
  case JM_V8_REMOVED:
    jm_v8_map_remove(&isolate->map, event->code_start, event->code_length ? event->code_length : 1);
    break;
  case JM_V8_POSITIONS_START:
    isolate->place_count = 0;
    isolate->places_whole = true;
    isolate->places_start = 0;
    break;
  case JM_V8_POSITION:
    if (!event->line.type) jm_v8_note_place(isolate, event->line.offset, event->line.position);
    break;
  case JM_V8_POSITIONS_END:
    isolate->places_start = event->code_start;
    break;
  }
  jm_v8_unlock();
  /* V8 tells once more of all it has; not from here, where it is about to use this listener. */
  if (learned && jm_v8_RequestInterrupt) jm_v8_RequestInterrupt(event->isolate, on_interrupt, isolate);
}

int jm_v8_listen(void) {
  const char *why;
  if (!jm_v8_find(&why)) return ENOTSUP;
  struct jm_v8_isolate *isolate = jm_v8_current();
  if (!isolate) return ESRCH;
  if (atomic_load_explicit(&isolate->listening, memory_order_relaxed)) return 0;
  /* Without it, an isolate that later lies at this address would get the names of this one's code. */
  if (!has_thread_end || pthread_setspecific(thread_end, isolate)) return ENOTSUP;
  /* Without memory for it, all is looked for each time. */
  if (!isolate->cache) isolate->cache = jm_v8_map(sizeof *isolate->cache);
  uint64_t before = jm_v8_events();
  atomic_store_explicit(&isolate->listening, true, memory_order_release);
  atomic_fetch_add_explicit(&listening, 1, memory_order_relaxed);
  void *v8 = atomic_load_explicit(&isolate->v8, memory_order_relaxed);
  jm_v8_SetJitCodeEventHandler(v8, 1, on_event);
  if (jm_v8_events() != before) return 0;
  /* The events are not what they were in the versions we know. */
  jm_v8_SetJitCodeEventHandler(v8, 0, NULL);
  close_isolate(isolate);
  return ENOTSUP;
}

void jm_v8_stop_listening(void) {
  struct jm_v8_isolate *isolate = jm_v8_current();
  if (!isolate || !atomic_load_explicit(&isolate->listening, memory_order_relaxed)) return;
  jm_v8_SetJitCodeEventHandler(atomic_load_explicit(&isolate->v8, memory_order_relaxed), 0, NULL);
  close_isolate(isolate);
}
