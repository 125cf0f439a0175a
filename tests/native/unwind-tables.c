/* Damaged call frame information: copies of this program's own tables with bytes changed, in memory whose end the address sanitizer guards. Nothing is expected
 * but that reading them ends and stays inside. `unwind-tables ROUNDS`; prints how many rows were found in the tables as they are. */
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <stdlib.h>

#include "unwind-tables.h"

static struct {
  uintptr_t start, size, header, code, code_size;
} own;

static int find(struct dl_phdr_info *module, size_t size, void *nothing) {
  (void)size, (void)nothing;
  const ElfW(Phdr) *header = NULL;
  for (int i = 0; i < module->dlpi_phnum; i++)
    if (module->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME) header = &module->dlpi_phdr[i];
  for (int i = 0; header && i < module->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &module->dlpi_phdr[i];
    if (part->p_type != PT_LOAD) continue;
    if (part->p_flags & PF_X) own.code = module->dlpi_addr + part->p_vaddr, own.code_size = part->p_memsz;
    if (header->p_vaddr - part->p_vaddr >= part->p_memsz) continue;
    own.start = module->dlpi_addr + part->p_vaddr;
    own.size = part->p_memsz;
    own.header = module->dlpi_addr + header->p_vaddr;
  }
  return 1;
}

/* Of what lies between a program's constants the sanitizer thinks that nobody may read it. */
__attribute__((no_sanitize("address"))) static void copy_bytes(volatile unsigned char *to, const volatile unsigned char *from, size_t size) {
  for (size_t i = 0; i < size; i++) to[i] = from[i];
}

static unsigned state = 12345;
static unsigned next(unsigned below) {
  state = state * 1664525u + 1013904223u;
  return (state >> 8) % below;
}

int main(int argc, char **argv) {
  dl_iterate_phdr(find, NULL);
  unsigned found = 0;
  struct jm_span span = {own.start, own.start + own.size};
  for (uintptr_t pc = own.code; pc < own.code + own.code_size; pc += 16)
    if (jm_read_table(own.header, span, pc).kind != JM_ROW_NONE) found++;
  int rounds = argc > 1 ? atoi(argv[1]) : 0;
  for (int round = 0; round < rounds; round++) {
    unsigned char *copy = malloc(own.size);
    copy_bytes(copy, (const unsigned char *)own.start, own.size);
    unsigned changes = 1 + next(40);
    for (unsigned i = 0; i < changes; i++) copy[next((unsigned)own.size)] = (unsigned char)next(256);
    /* The header itself now and then. */
    if (round % 4 == 0) copy[own.header - own.start + next(12)] = (unsigned char)next(256);
    uintptr_t moved = (uintptr_t)copy - own.start;
    struct jm_span there = {(uintptr_t)copy, (uintptr_t)copy + own.size};
    for (unsigned i = 0; i < 64; i++) jm_read_table(own.header + moved, there, own.code + moved + next((unsigned)own.code_size));
    free(copy);
  }
  printf("%u\n", found);
  return found > 0 ? 0 : 1;
}
