#define _GNU_SOURCE
#include "v8-peek.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "v8-memory.h"

enum { TABLE_MAX = 1 << 20 };

#ifdef __linux__
static int memory = -1;

static size_t look(uintptr_t at, void *to, size_t size) {
  if (memory == -1) memory = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDONLY | O_CLOEXEC);
  ssize_t got = memory == -1 ? -1 : syscall(SYS_pread64, memory, to, size, (off_t)at);
  return got > 0 ? (size_t)got : 0;
}

void jm_v8_end_peeking(void) {
  if (memory != -1) syscall(SYS_close, memory);
  memory = -1;
}
#else
static size_t look(uintptr_t at, void *to, size_t size) {
  (void)at, (void)to, (void)size;
  return 0;
}

void jm_v8_end_peeking(void) {}
#endif

bool jm_v8_peek(uintptr_t at, void *to, size_t size) { return look(at, to, size) == size; }

size_t jm_v8_peek_words(uintptr_t at, uintptr_t *words, size_t count) {
  return at % sizeof *words ? 0 : look(at, words, count * sizeof *words) / sizeof *words;
}

uint8_t *jm_v8_read_bytes(uintptr_t word, size_t *length, uintptr_t *map) {
  uintptr_t head[2];
  *length = 0;
  if (!jm_v8_is_pointer(word) || jm_v8_object_at(word) % 8 || !jm_v8_peek(jm_v8_object_at(word), head, sizeof head)) return NULL;
  *map = head[0];
  /* A small integer stands in the upper half. */
  *length = (uint32_t)head[1] ? (head[1] >> 32 ? 0 : (size_t)head[1]) : (size_t)(head[1] >> 32);
  if (!*length || *length > TABLE_MAX) return NULL;
  uint8_t *bytes = jm_v8_take_block(jm_v8_class_for(*length));
  if (bytes && !jm_v8_peek(jm_v8_object_at(word) + sizeof head, bytes, *length)) {
    jm_v8_give_block(bytes);
    bytes = NULL;
  }
  return bytes;
}

size_t jm_v8_read_code_object(const struct jm_v8_event *event, uintptr_t object[JM_V8_OBJECT_WORDS]) {
  uintptr_t words[JM_V8_HEADER_WORDS];
  size_t count = jm_v8_peek_words((event->code_start & ~(uintptr_t)7) - sizeof words, words, JM_V8_HEADER_WORDS);
  while (count--) {
    if (!jm_v8_is_pointer(words[count])) continue;
    size_t size = jm_v8_peek_words(jm_v8_object_at(words[count]), object, JM_V8_OBJECT_WORDS);
    for (size_t i = 1; i < size; i++)
      if (object[i] == event->code_start) return size;
  }
  return 0;
}

bool jm_v8_split_position(int64_t raw, int32_t *position, int32_t *inlined) {
  *position = (int32_t)(raw >> 1 & 0x3fffffff) - 1;
  *inlined = (int32_t)(raw >> 31 & 0xffff) - 1;
  return !(raw & 1) && raw >= 0 && raw >> 47 == 0;
}
