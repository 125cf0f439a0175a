#include "v8-code-map.h"

#include <string.h>

#include "v8-memory.h"

/* V8's own pages are of this size, or larger for a single object. */
enum { PAGE_BITS = 18, PAGE = 1 << PAGE_BITS };

struct jm_v8_page {
  /* Its number + 1. */
  uint64_t key;
  struct page_codes *codes;
};

/* In the order of their addresses, without overlaps. */
struct page_codes {
  uint32_t count, unused;
  struct jm_v8_code code[];
};

static size_t slots_of(const struct jm_v8_page *pages) { return jm_v8_block_size(pages) / sizeof *pages; }
static uint32_t room_of(const struct page_codes *codes) { return (uint32_t)((jm_v8_block_size(codes) - sizeof *codes) / sizeof *codes->code); }
static size_t slot_for(uint64_t key) { return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32); }

static void begin_change(struct jm_v8_code_map *map) {
  atomic_fetch_add_explicit(&map->sequence, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
}
static void end_change(struct jm_v8_code_map *map) { atomic_fetch_add_explicit(&map->sequence, 1, memory_order_release); }

/* The first that ends behind `at`. Never beyond the block, whatever the block holds. */
static uint32_t first_behind(const struct page_codes *codes, uint32_t at) {
  uint32_t low = 0, high = codes->count, room = room_of(codes);
  if (high > room) high = room;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (codes->code[middle].start + codes->code[middle].size <= at)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static struct jm_v8_page *find_page(struct jm_v8_page *pages, uint64_t key) {
  if (!pages) return NULL;
  size_t size = slots_of(pages);
  for (size_t at = slot_for(key), tries = 0; tries < size; at++, tries++) {
    struct jm_v8_page *page = &pages[at & (size - 1)];
    if (page->key == key) return page;
    if (!page->key) return NULL;
  }
  return NULL;
}

static struct jm_v8_page *page_for(struct jm_v8_code_map *map, uint64_t key) {
  struct jm_v8_page *pages = atomic_load_explicit(&map->pages, memory_order_relaxed);
  struct jm_v8_page *found = find_page(pages, key);
  if (found) return found;
  size_t size = pages ? slots_of(pages) : 0;
  if (map->page_count * 2 >= size) {
    struct jm_v8_page *bigger = jm_v8_take_block(pages ? jm_v8_class(pages) + 1 : 7);
    if (!bigger) return NULL;
    memset(bigger, 0, jm_v8_block_size(bigger));
    size_t mask = slots_of(bigger) - 1;
    for (size_t i = 0; i < size; i++) {
      if (!pages[i].key) continue;
      size_t at = slot_for(pages[i].key) & mask;
      while (bigger[at].key) at = (at + 1) & mask;
      bigger[at] = pages[i];
    }
    /* The old one is not given back: a reader may still follow its pointers. */
    atomic_store_explicit(&map->pages, bigger, memory_order_release);
    pages = bigger;
    size = slots_of(pages);
  }
  struct page_codes *codes = jm_v8_take_block(6);
  if (!codes) return NULL;
  codes->count = 0;
  size_t at = slot_for(key) & (size - 1);
  while (pages[at].key) at = (at + 1) & (size - 1);
  pages[at] = (struct jm_v8_page){key, codes};
  map->page_count++;
  return &pages[at];
}

static void drop(struct page_codes *codes, uint32_t at) {
  memmove(&codes->code[at], &codes->code[at + 1], (codes->count - at - 1) * sizeof *codes->code);
  codes->count--;
}

static uint64_t key_of(uintptr_t address) { return ((uint64_t)address >> PAGE_BITS) + 1; }

/* Takes all parts of the code that begins there out of the map; gives its table back. */
static void drop_whole(struct jm_v8_code_map *map, uintptr_t start, size_t size) {
  const struct jm_v8_table *table = NULL;
  for (uint64_t key = key_of(start); key <= key_of(start + size - 1); key++) {
    struct jm_v8_page *page = find_page(atomic_load_explicit(&map->pages, memory_order_relaxed), key);
    if (!page) continue;
    uintptr_t base = (uintptr_t)(key - 1) << PAGE_BITS;
    uint32_t at = first_behind(page->codes, start > base ? (uint32_t)(start - base) : 0);
    if (at >= page->codes->count || base + page->codes->code[at].start - page->codes->code[at].skip != start) continue;
    if (page->codes->code[at].flags & JM_CODE_OWN_TABLE) table = page->codes->code[at].table;
    drop(page->codes, at);
  }
  jm_v8_give_block((void *)(uintptr_t)table);
}

static void drop_range(struct jm_v8_code_map *map, uintptr_t start, size_t size) {
  for (uint64_t key = key_of(start); key <= key_of(start + size - 1); key++) {
    struct jm_v8_page *page = find_page(atomic_load_explicit(&map->pages, memory_order_relaxed), key);
    if (!page) continue;
    uintptr_t base = (uintptr_t)(key - 1) << PAGE_BITS;
    uint32_t from = start > base ? (uint32_t)(start - base) : 0;
    for (;;) {
      uint32_t at = first_behind(page->codes, from);
      if (at >= page->codes->count || base + page->codes->code[at].start >= start + size) break;
      drop_whole(map, base + page->codes->code[at].start - page->codes->code[at].skip, page->codes->code[at].whole_size);
    }
  }
}

static bool insert(struct jm_v8_page *page, const struct jm_v8_code *code) {
  struct page_codes *codes = page->codes;
  if (codes->count >= room_of(codes)) {
    struct page_codes *bigger = jm_v8_take_block(jm_v8_class(codes) + 1);
    if (!bigger) return false;
    memcpy(bigger, codes, sizeof *codes + codes->count * sizeof *codes->code);
    page->codes = bigger;
    jm_v8_give_block(codes);
    codes = bigger;
  }
  uint32_t at = first_behind(codes, code->start);
  memmove(&codes->code[at + 1], &codes->code[at], (codes->count - at) * sizeof *codes->code);
  codes->code[at] = *code;
  codes->count++;
  return true;
}

static void add(struct jm_v8_code_map *map, uintptr_t start, size_t size, struct jm_v8_code code) {
  drop_range(map, start, size);
  code.whole_size = (uint32_t)size;
  bool whole = true;
  for (uint64_t key = key_of(start); whole && key <= key_of(start + size - 1); key++) {
    uintptr_t base = (uintptr_t)(key - 1) << PAGE_BITS;
    uintptr_t from = start > base ? start : base;
    uintptr_t to = start + size < base + PAGE ? start + size : base + PAGE;
    code.start = (uint32_t)(from - base);
    code.size = (uint32_t)(to - from);
    code.skip = (uint32_t)(from - start);
    struct jm_v8_page *page = page_for(map, key);
    whole = page && insert(page, &code);
  }
  if (whole) return;
  /* The first part may be missing with the table in it. */
  bool first = false;
  struct jm_v8_code found;
  uint32_t offset;
  first = jm_v8_map_find(map, start, &found, &offset) && !offset;
  drop_whole(map, start, size);
  if (!first && code.flags & JM_CODE_OWN_TABLE) jm_v8_give_block((void *)(uintptr_t)code.table);
}

/* No code is as large as this; a wrong length must not keep us busy. */
static bool plausible(uintptr_t start, size_t size) { return start && size && size <= (size_t)256 << 20 && start + size > start; }

void jm_v8_map_add(struct jm_v8_code_map *map, uintptr_t start, size_t size, uint32_t function, uint32_t flags, const struct jm_v8_table *table) {
  if (!plausible(start, size)) return;
  begin_change(map);
  add(map, start, size, (struct jm_v8_code){.function = function, .flags = flags, .table = table});
  end_change(map);
}

void jm_v8_map_remove(struct jm_v8_code_map *map, uintptr_t start, size_t size) {
  if (!plausible(start, size)) return;
  begin_change(map);
  drop_range(map, start, size);
  end_change(map);
}

void jm_v8_map_move(struct jm_v8_code_map *map, uintptr_t from, size_t size, uintptr_t to) {
  if (!plausible(from, size) || !plausible(to, size) || from == to) return;
  struct jm_v8_code code;
  uint32_t offset;
  begin_change(map);
  if (jm_v8_map_find(map, from, &code, &offset) && !offset && code.whole_size == size) {
    /* The table goes with the code, so the old place must not give it back. */
    for (uint64_t key = key_of(from); key <= key_of(from + size - 1); key++) {
      struct jm_v8_page *page = find_page(atomic_load_explicit(&map->pages, memory_order_relaxed), key);
      uint32_t at = page ? first_behind(page->codes, key == key_of(from) ? (uint32_t)(from & (PAGE - 1)) : 0) : 0;
      if (page && at < page->codes->count) page->codes->code[at].flags &= ~(uint32_t)JM_CODE_OWN_TABLE;
    }
    drop_whole(map, from, size);
    add(map, to, size, code);
  } else {
    drop_range(map, to, size);
  }
  end_change(map);
}

void jm_v8_map_clear(struct jm_v8_code_map *map) {
  begin_change(map);
  struct jm_v8_page *pages = atomic_load_explicit(&map->pages, memory_order_relaxed);
  atomic_store_explicit(&map->pages, NULL, memory_order_relaxed);
  map->page_count = 0;
  for (size_t i = 0; pages && i < slots_of(pages); i++) {
    if (!pages[i].key) continue;
    struct page_codes *codes = pages[i].codes;
    for (uint32_t at = 0; at < codes->count; at++)
      if (codes->code[at].flags & JM_CODE_OWN_TABLE && !codes->code[at].skip) jm_v8_give_block((void *)(uintptr_t)codes->code[at].table);
    jm_v8_give_block(codes);
  }
  jm_v8_give_block(pages);
  end_change(map);
}

bool jm_v8_map_begin(const struct jm_v8_code_map *map, uint32_t *sequence) {
  *sequence = atomic_load_explicit(&map->sequence, memory_order_acquire);
  return !(*sequence & 1);
}

bool jm_v8_map_find(const struct jm_v8_code_map *map, uintptr_t pc, struct jm_v8_code *code, uint32_t *offset) {
  const struct jm_v8_page *page = find_page(atomic_load_explicit(&map->pages, memory_order_acquire), key_of(pc));
  const struct page_codes *codes = page ? page->codes : NULL;
  if (!codes) return false;
  uint32_t in_page = (uint32_t)(pc & (PAGE - 1)), at = first_behind(codes, in_page);
  if (at >= codes->count || at >= room_of(codes) || codes->code[at].start > in_page) return false;
  *code = codes->code[at];
  *offset = in_page - code->start + code->skip;
  return true;
}

bool jm_v8_map_holds(const struct jm_v8_code_map *map, uint32_t sequence) {
  atomic_thread_fence(memory_order_acquire);
  return atomic_load_explicit(&map->sequence, memory_order_relaxed) == sequence;
}
