#define _GNU_SOURCE
#include "unwind-rows.h"

struct jm_file jm_rows_pointers;

#ifdef __linux__
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "unwind-tables.h"

/* Kept rows: 128 KB, of which a program touches what it uses. */
#define JM_ROWS 8192
#define JM_FILES 512
/* Turns of waiting for another thread that reads tables, each a microsecond or a turn of the scheduler; then the walk does without. */
#define JM_PATIENCE 1000
#define JM_CHECK_EVERY 64

/* Two words, the first of which is the key xor the second: whatever two threads write at once, a slot is whole or no match. */
struct jm_slot {
  _Atomic uint64_t check, value;
};

static struct jm_slot jm_slots[JM_ROWS];
/* 0: nobody reads the loader's list through here. Taken around a fork, so that a child does not find the loader's lock held by a thread of its
 * parent's that was here. */
static atomic_int jm_reading;
/* Part of every key: raising it forgets all rows. */
static _Atomic uint64_t jm_generation;
static _Atomic unsigned long long jm_unloaded;
static atomic_uint jm_walks;

/* From bit 0: kind 4, saved_at_frame 1, present 1, cfa 20, saved 19, ra 19; distances in words of 8. */
static uint64_t jm_pack(struct jm_row row) {
  uint64_t word = row.kind | (uint64_t)row.saved_at_frame << 4 | UINT64_C(1) << 5;
  word |= ((uint64_t)(row.cfa / 8) & 0xfffff) << 6;
  word |= ((uint64_t)(row.saved / 8) & 0x7ffff) << 26;
  return word | ((uint64_t)(row.ra / 8) & 0x7ffff) << 45;
}

static int32_t jm_unpack_part(uint64_t word, unsigned at, unsigned width) {
  return (int32_t)((int64_t)(word << (64 - at - width)) >> (64 - width)) * 8;
}

static struct jm_row jm_unpack(uint64_t word) {
  return (struct jm_row){.kind = word & 0xf,
                         .saved_at_frame = word >> 4 & 1,
                         .cfa = jm_unpack_part(word, 6, 20),
                         .saved = jm_unpack_part(word, 26, 19),
                         .ra = jm_unpack_part(word, 45, 19)};
}

/* Waits for its turn; false: it did not come. A thread that was interrupted here by a signal, and allocates in its handler, waits for itself. */
static bool jm_begin_reading(void) {
  for (int turn = 0; turn < JM_PATIENCE; turn++) {
    int free = 0;
    if (atomic_compare_exchange_strong(&jm_reading, &free, 1)) return true;
    sched_yield();
  }
  return false;
}

static void jm_end_reading(void) { atomic_store(&jm_reading, 0); }

struct jm_search {
  uintptr_t pc;
  struct jm_row row;
  struct jm_file file;
  unsigned long long unloaded;
  bool tables, returns;
};

static void jm_note_unloaded(const struct dl_phdr_info *module, size_t size, struct jm_search *search) {
  if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof module->dlpi_subs) search->unloaded = module->dlpi_subs;
}

static int jm_look_at(struct dl_phdr_info *module, size_t size, void *found) {
  struct jm_search *search = found;
  const ElfW(Phdr) *header = NULL, *around = NULL;
  struct jm_file file = {.start = UINTPTR_MAX};
  jm_note_unloaded(module, size, search);
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &module->dlpi_phdr[i];
    uintptr_t start = module->dlpi_addr + part->p_vaddr;
    if (part->p_type == PT_GNU_EH_FRAME) header = part;
    if (part->p_type != PT_LOAD) continue;
    if (start < file.start) file.start = start;
    if (start + part->p_memsz > file.end) file.end = start + part->p_memsz;
    if (search->pc - start < part->p_memsz) around = part;
  }
  if (!around) return 0;
  search->file = file;
  /* The program itself has no name here. */
  size_t length = module->dlpi_name ? strlen(module->dlpi_name) : 0;
  search->file.is_program = length == 0;
  search->file.is_addon = length > 5 && memcmp(module->dlpi_name + length - 5, ".node", 5) == 0;
  if (!search->tables || !header) return 1;
  uintptr_t at = module->dlpi_addr + header->p_vaddr;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &module->dlpi_phdr[i];
    uintptr_t start = module->dlpi_addr + part->p_vaddr;
    if (part->p_type != PT_LOAD || at - start >= part->p_memsz || !(part->p_flags & PF_R)) continue;
    struct jm_span span = {start, start + part->p_memsz};
    search->row = jm_read_table(at, span, search->pc);
    /* Not a call, but the first byte of a function: what a coroutine returns to at its end (glibc's __start_context). */
    bool first = search->row.kind == JM_ROW_NONE && search->returns && jm_read_table(at, span, search->pc + 1).kind != JM_ROW_NONE;
    if (first) search->row.kind = JM_ROW_END;
  }
  return 1;
}

static bool jm_search(struct jm_search *search) {
  if (!jm_begin_reading()) return false;
  search->unloaded = atomic_load(&jm_unloaded);
  dl_iterate_phdr(jm_look_at, search);
  unsigned long long before = atomic_exchange(&jm_unloaded, search->unloaded);
  if (before != search->unloaded) atomic_fetch_add(&jm_generation, 1);
  jm_end_reading();
  return true;
}

struct jm_row jm_rows_find(uintptr_t pc, bool exact) {
  uintptr_t asked = exact ? pc : pc - 1;
  uint64_t key = (uint64_t)asked ^ atomic_load_explicit(&jm_generation, memory_order_relaxed) << 48;
  size_t hash = (size_t)(asked * UINT64_C(0x9e3779b97f4a7c15) >> 40);
  struct jm_slot *slot = &jm_slots[hash % JM_ROWS];
  uint64_t value = atomic_load_explicit(&slot->value, memory_order_relaxed);
  if ((atomic_load_explicit(&slot->check, memory_order_relaxed) ^ value) == key ) return jm_unpack(value);

  struct jm_search search = {.pc = asked, .tables = true, .returns = !exact};
  if (!jm_search(&search)) return (struct jm_row){.kind = JM_ROW_NONE};
  value = jm_pack(search.row);
  atomic_store_explicit(&slot->value, value, memory_order_relaxed);
  atomic_store_explicit(&slot->check, key ^ value, memory_order_relaxed);
  return search.row;
}

struct jm_file jm_rows_file(uintptr_t pc) {
  struct jm_search search = {.pc = pc};
  return jm_search(&search) ? search.file : (struct jm_file){0};
}

/* Reads no more than the loader's counters. */
static int jm_look_at_first(struct dl_phdr_info *module, size_t size, void *found) {
  jm_note_unloaded(module, size, found);
  return 1;
}

void jm_rows_check(void) {
  if (atomic_fetch_add_explicit(&jm_walks, 1, memory_order_relaxed) % JM_CHECK_EVERY != 0) return;
  struct jm_search search = {.unloaded = atomic_load(&jm_unloaded)};
  int free = 0;
  if (!atomic_compare_exchange_strong(&jm_reading, &free, 1)) return;
  dl_iterate_phdr(jm_look_at_first, &search);
  if (atomic_exchange(&jm_unloaded, search.unloaded) != search.unloaded) atomic_fetch_add(&jm_generation, 1);
  jm_end_reading();
}

static void jm_before_fork(void) { jm_begin_reading(); }

void jm_rows_prepare(uintptr_t keeps_pointers) {
  static atomic_flag prepared = ATOMIC_FLAG_INIT;
  if (atomic_flag_test_and_set(&prepared)) return;
  if (keeps_pointers) jm_rows_pointers = jm_rows_file(keeps_pointers);
  pthread_atfork(jm_before_fork, jm_end_reading, jm_end_reading);
}
#else
struct jm_row jm_rows_find(uintptr_t pc, bool exact) {
  (void)pc, (void)exact;
  return (struct jm_row){.kind = JM_ROW_NONE};
}
struct jm_file jm_rows_file(uintptr_t pc) {
  (void)pc;
  return (struct jm_file){0};
}
void jm_rows_check(void) {}
void jm_rows_prepare(uintptr_t keeps_pointers) { (void)keeps_pointers; }
#endif
