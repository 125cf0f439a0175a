#include "v8-memory.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { CHUNK = 1 << 20 };

static atomic_flag locked = ATOMIC_FLAG_INIT;
static _Atomic size_t mapped;
static char *next, *end;

struct block {
  uint32_t class, unused;
  struct block *link;
};
static struct block *given[JM_V8_CLASSES];

void jm_v8_lock(void) {
  for (unsigned turn = 0; atomic_flag_test_and_set_explicit(&locked, memory_order_acquire); turn++)
    if (turn > 100) sched_yield();
}

void jm_v8_unlock(void) { atomic_flag_clear_explicit(&locked, memory_order_release); }

void *jm_v8_map(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  atomic_fetch_add_explicit(&mapped, size, memory_order_relaxed);
  return memory;
}

void *jm_v8_take(size_t size) {
  size = (size + 7) & ~(size_t)7;
  if ((size_t)(end - next) < size) {
    size_t wanted = size > CHUNK / 4 ? size : CHUNK;
    if (size > JM_V8_MEMORY_MAX || jm_v8_memory() + wanted > JM_V8_MEMORY_MAX) return NULL;
    char *memory = jm_v8_map(wanted);
    if (!memory || wanted == size) return memory;
    next = memory;
    end = memory + wanted;
  }
  void *taken = next;
  next += size;
  return taken;
}

unsigned jm_v8_class_for(size_t size) {
  unsigned class = 0;
  while ((size_t)16 << class < size) class++;
  return class;
}

void *jm_v8_take_block(unsigned class) {
  if (class >= JM_V8_CLASSES) return NULL;
  struct block *block = given[class];
  if (block) {
    given[class] = block->link;
    return &block->link;
  }
  block = jm_v8_take(((size_t)16 << class) + 8);
  if (!block) return NULL;
  block->class = class;
  return &block->link;
}

void jm_v8_give_block(void *block) {
  if (!block) return;
  struct block *whole = (struct block *)((char *)block - offsetof(struct block, link));
  whole->link = given[whole->class];
  given[whole->class] = whole;
}

size_t jm_v8_memory(void) { return atomic_load_explicit(&mapped, memory_order_relaxed); }
