#include "v8-frames.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "v8-functions.h"

enum { SLOTS = JM_V8_FRAMES_MAX * 2, TRIES = 256 };

struct frame {
  uint32_t function;
  int32_t position;
  uint32_t outer;
  _Atomic bool used;
};
static struct frame *frames;
/* By hash: the number of a frame, or 0. */
static _Atomic uint32_t *slots;
/* Numbers handed out; some of them to a thread that came second and threw it away. */
static _Atomic uint32_t taken;
static _Atomic uint32_t used;

bool jm_v8_open_frames(void) {
  if (frames) return true;
  size_t size = JM_V8_FRAMES_MAX * sizeof *frames + SLOTS * sizeof *slots;
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  slots = (_Atomic uint32_t *)(memory + JM_V8_FRAMES_MAX * sizeof *frames);
  frames = (struct frame *)memory;
  return true;
}

static uint32_t take_number(uint32_t function, int32_t position, uint32_t outer) {
  if (atomic_load_explicit(&taken, memory_order_relaxed) >= JM_V8_FRAMES_MAX) return 0;
  uint32_t number = atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed) + 1;
  if (number > JM_V8_FRAMES_MAX) {
    atomic_fetch_sub_explicit(&taken, 1, memory_order_relaxed);
    return 0;
  }
  struct frame *frame = &frames[number - 1];
  frame->function = function;
  frame->position = position;
  frame->outer = outer;
  return number;
}

uint32_t jm_v8_number_frame(uint32_t function, int32_t position, uint32_t outer) {
  if (!frames || !function) return 0;
  uint64_t hash = ((uint64_t)function << 32 | (uint32_t)position) * UINT64_C(0x9e3779b97f4a7c15);
  hash = (hash ^ outer) * UINT64_C(0x9e3779b97f4a7c15);
  uint32_t number = 0;
  for (uint32_t at = (uint32_t)(hash >> 32), tries = 0; tries < TRIES; at++, tries++) {
    _Atomic uint32_t *slot = &slots[at & (SLOTS - 1)];
    uint32_t there = atomic_load_explicit(slot, memory_order_acquire);
    if (!there) {
      if (!number) number = take_number(function, position, outer);
      if (!number) return 0;
      if (atomic_compare_exchange_strong_explicit(slot, &there, number, memory_order_acq_rel, memory_order_acquire)) return number;
    }
    const struct frame *frame = &frames[there - 1];
    if (frame->function == function && frame->position == position && frame->outer == outer) return there;
  }
  return 0;
}

uint64_t jm_v8_use_frame(uint32_t number) {
  if (!number || number > JM_V8_FRAMES_MAX) return 0;
  /* What it is folded into must have a line too. An outer one has the lower number. */
  for (uint32_t at = number; at;) {
    struct frame *frame = &frames[at - 1];
    if (!atomic_load_explicit(&frame->used, memory_order_relaxed) && !atomic_exchange_explicit(&frame->used, true, memory_order_relaxed))
      atomic_fetch_add_explicit(&used, 1, memory_order_relaxed);
    at = frame->outer < at ? frame->outer : 0;
  }
  return JM_FRAME_BASE + JM_FRAME_FIRST_CODE + number - 1;
}

void jm_v8_count_frames(uint64_t *numbered, uint64_t *bytes) {
  uint64_t all = atomic_load_explicit(&taken, memory_order_relaxed);
  *numbered = atomic_load_explicit(&used, memory_order_relaxed);
  /* A number's entry, and likely a page of the slots to itself. */
  uint64_t touched = all * 4096 < SLOTS * sizeof *slots ? all * 4096 : SLOTS * sizeof *slots;
  *bytes = frames ? all * sizeof *frames + touched : 0;
}

static size_t escape(const char *text, size_t length, char *to, size_t room) {
  size_t at = 0;
  for (size_t i = 0; i < length && at + 2 < room; i++) {
    char letter = text[i] == '\t' ? 't' : text[i] == '\n' ? 'n' : text[i] == '\\' ? '\\' : 0;
    if (letter) {
      to[at++] = '\\';
      to[at++] = letter;
    } else {
      to[at++] = text[i];
    }
  }
  return at;
}

bool jm_v8_write_frames(bool (*write)(void *to, const char *text, size_t length), void *to) {
  static const char *const KINDS[] = {"js", "builtin", "regexp", "wasm", "stub", "marker"};
  static const struct {
    unsigned number;
    const char *name;
  } MARKERS[] = {
      {JM_FRAME_THREAD_POOL, "(thread pool)"},
      {JM_FRAME_ASYNCHRONOUS, "(asynchronous)"},
      {JM_FRAME_TRUNCATED, "(truncated)"},
      {JM_FRAME_UNNAMED_JAVASCRIPT, "(unnamed JavaScript)"},
  };
  char line[8192];
  for (size_t i = 0; i < sizeof MARKERS / sizeof *MARKERS; i++) {
    int length = snprintf(line, sizeof line, "%llx\tmarker\t0\t0\t-1\t0\t0\t-\t%s\t\n", (unsigned long long)(JM_FRAME_BASE + MARKERS[i].number), MARKERS[i].name);
    if (!write(to, line, (size_t)length)) return false;
  }
  uint32_t count = atomic_load_explicit(&taken, memory_order_acquire);
  if (count > JM_V8_FRAMES_MAX) count = JM_V8_FRAMES_MAX;
  for (uint32_t i = 0; frames && i < count; i++) {
    const struct frame *frame = &frames[i];
    const struct jm_v8_function *function = jm_v8_function_at(frame->function);
    if (!function || !atomic_load_explicit(&frame->used, memory_order_acquire)) continue;
    size_t at = (size_t)snprintf(line, 256, "%llx\t%s\t0\t0\t%d\t%u\t%u\t", (unsigned long long)(JM_FRAME_BASE + JM_FRAME_FIRST_CODE + i),
                                 KINDS[function->kind], (int)frame->position, (unsigned)function->line, (unsigned)function->column);
    if (frame->outer)
      at += (size_t)snprintf(line + at, 64, "%llx\t", (unsigned long long)(JM_FRAME_BASE + JM_FRAME_FIRST_CODE + frame->outer - 1));
    else
      at += (size_t)snprintf(line + at, 64, "-\t");
    at += escape(function->name, function->name_length, line + at, 2048);
    line[at++] = '\t';
    at += escape(function->script->name, function->script->length, line + at, sizeof line - at - 1);
    line[at++] = '\n';
    if (!write(to, line, at)) return false;
  }
  return true;
}
