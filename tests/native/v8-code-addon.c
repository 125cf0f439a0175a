/* An addon that asks native/shared/v8-*.c what the hook would ask, from functions that JavaScript calls. */
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "v8-code.h"

static napi_value number(napi_env env, double value) {
  napi_value made;
  napi_create_double(env, value, &made);
  return made;
}

static napi_value find(napi_env env, napi_callback_info info) {
  (void)info;
  const char *why = "";
  napi_value made;
  jm_v8_find(&why);
  napi_create_string_utf8(env, why, NAPI_AUTO_LENGTH, &made);
  return made;
}

static napi_value listen_to_events(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, jm_v8_listen());
}

static napi_value stop_listening(napi_env env, napi_callback_info info) {
  (void)info;
  jm_v8_stop_listening();
  return number(env, 0);
}

/* The numbers of the JavaScript frames below, the caller's first; 0 where there is none. */
static napi_value stack(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value value, made;
  uint32_t max = 64;
  napi_get_cb_info(env, info, &given, &value, NULL, NULL);
  if (given) napi_get_value_uint32(env, value, &max);
  uintptr_t pcs[64], here = (uintptr_t)__builtin_frame_address(0);
  struct jm_v8_isolate *isolate = jm_v8_current();
  unsigned count = isolate ? jm_v8_stack(isolate, 0, here, here, pcs, max > 64 ? 64 : max) : 0;
  napi_create_array_with_length(env, count, &made);
  for (unsigned i = 0; i < count; i++) {
    uint64_t frame = jm_v8_frame(isolate, pcs[i]);
    napi_set_element(env, made, i, number(env, frame ? (double)(frame - JM_FRAME_BASE) : 0));
  }
  return made;
}

/* [is code, is the interpreter] of each frame below. */
static napi_value kinds(napi_env env, napi_callback_info info) {
  (void)info;
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  struct jm_v8_isolate *isolate = jm_v8_current();
  napi_value made;
  napi_create_array(env, &made);
  uint32_t at = 0;
  /* By frame pointers, as the hook walks node's part of the stack. */
  for (uintptr_t *frame = (uintptr_t *)here; at < 40 && frame; at++) {
    uintptr_t pc = frame[1];
    napi_set_element(env, made, at, number(env, jm_v8_is_code(isolate, pc) + 2 * jm_v8_is_interpreter(isolate, pc)));
    if (frame[0] <= (uintptr_t)frame || frame[0] - (uintptr_t)frame > 65536) break;
    frame = (uintptr_t *)frame[0];
  }
  return made;
}

/* [how many interpreted frames below were read without V8, how many of those otherwise than V8 has them, how many there are]. */
static napi_value interpreted(napi_env env, napi_callback_info info) {
  (void)info;
  uintptr_t pcs[64], bytecode[64], here = (uintptr_t)__builtin_frame_address(0);
  struct jm_v8_isolate *isolate = jm_v8_current();
  unsigned told = jm_v8_stack(isolate, 0, here, here, pcs, 64), count = 0, met = 0, known = 0, wrong = 0;
  for (unsigned i = 0; i < told; i++)
    if (!jm_v8_is_code(isolate, pcs[i])) bytecode[count++] = pcs[i];
  for (uintptr_t *frame = (uintptr_t *)here; frame[0] > (uintptr_t)frame && met < count; frame = (uintptr_t *)frame[0]) {
    if (!jm_v8_is_interpreter(isolate, frame[1])) continue;
    uintptr_t words[JM_V8_FIXED_WORDS], *below = (uintptr_t *)frame[0];
    for (unsigned i = 0; i < JM_V8_FIXED_WORDS; i++) words[i] = *--below;
    uint64_t read = jm_v8_interpreted_frame(isolate, words);
    known += read != 0;
    wrong += read && read != jm_v8_frame(isolate, bytecode[met]);
    jm_v8_frame(isolate, bytecode[met]);
    jm_v8_learn_interpreted(isolate, words, bytecode[met++]);
  }
  napi_value made;
  napi_create_array(env, &made);
  napi_set_element(env, made, 0, number(env, known));
  napi_set_element(env, made, 1, number(env, wrong));
  napi_set_element(env, made, 2, number(env, met));
  return made;
}

/* Nanoseconds that a look-up of each frame below takes, and that the walk takes. */
static napi_value cost(napi_env env, napi_callback_info info) {
  (void)info;
  enum { TURNS = 20000 };
  uintptr_t pcs[64], here = (uintptr_t)__builtin_frame_address(0);
  struct jm_v8_isolate *isolate = jm_v8_current();
  struct timespec from, middle, to;
  uint64_t sum = 0;
  unsigned count = jm_v8_stack(isolate, 0, here, here, pcs, 64);
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (int turn = 0; turn < TURNS; turn++)
    for (unsigned i = 0; i < count; i++) sum += jm_v8_frame(isolate, pcs[i]);
  clock_gettime(CLOCK_MONOTONIC, &middle);
  for (int turn = 0; turn < TURNS; turn++) sum += jm_v8_stack(isolate, 0, here, here, pcs, 64);
  clock_gettime(CLOCK_MONOTONIC, &to);
  double look = ((double)(middle.tv_sec - from.tv_sec) * 1e9 + (double)(middle.tv_nsec - from.tv_nsec)) / TURNS / (count ? count : 1);
  double walk = ((double)(to.tv_sec - middle.tv_sec) * 1e9 + (double)(to.tv_nsec - middle.tv_nsec)) / TURNS;
  napi_value made;
  napi_create_array(env, &made);
  napi_set_element(env, made, 0, number(env, look));
  napi_set_element(env, made, 1, number(env, walk));
  napi_set_element(env, made, 2, number(env, sum ? count : 0));
  return made;
}

struct text {
  char *bytes;
  size_t length, room;
};

static bool keep(void *to, const char *bytes, size_t length) {
  struct text *text = to;
  if (text->length + length > text->room) {
    text->room = (text->length + length) * 2;
    text->bytes = realloc(text->bytes, text->room);
  }
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
  return true;
}

static napi_value frames(napi_env env, napi_callback_info info) {
  (void)info;
  struct text text = {0};
  napi_value made;
  jm_v8_write_frames(keep, &text);
  napi_create_string_utf8(env, text.bytes, text.length, &made);
  free(text.bytes);
  return made;
}

static napi_value count(napi_env env, napi_callback_info info) {
  (void)info;
  struct jm_v8_counts counts;
  napi_value made;
  jm_v8_count(&counts);
  napi_create_object(env, &made);
  napi_set_named_property(env, made, "listening", number(env, counts.isolates_listening));
  napi_set_named_property(env, made, "events", number(env, (double)counts.code_events));
  napi_set_named_property(env, made, "frames", number(env, (double)counts.frames_numbered));
  napi_set_named_property(env, made, "bytes", number(env, (double)counts.memory_bytes));
  return made;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor all[] = {
      {"find", 0, find, 0, 0, 0, napi_default, 0},           {"listen", 0, listen_to_events, 0, 0, 0, napi_default, 0},
      {"stop", 0, stop_listening, 0, 0, 0, napi_default, 0}, {"stack", 0, stack, 0, 0, 0, napi_default, 0},         {"kinds", 0, kinds, 0, 0, 0, napi_default, 0},
      {"cost", 0, cost, 0, 0, 0, napi_default, 0},           {"frames", 0, frames, 0, 0, 0, napi_default, 0},
      {"count", 0, count, 0, 0, 0, napi_default, 0},         {"interpreted", 0, interpreted, 0, 0, 0, napi_default, 0},
  };
  napi_define_properties(env, exports, sizeof all / sizeof *all, all);
  return exports;
}
