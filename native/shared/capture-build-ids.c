#define _GNU_SOURCE
#include "capture.h"

#ifdef __linux__
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "system-calls.h"

#define JM_BUILD_IDS_MAX 1024
#define JM_BUILD_ID_BYTES 40
/* Longer than a line of it can be: addresses, and a path whose newlines are written as four bytes. */
#define JM_MAPS_BUFFER (20 * 1024)

struct jm_build_id {
  /* Some address of the file. */
  uintptr_t at;
  unsigned length;
  bool written;
  unsigned char bytes[JM_BUILD_ID_BYTES];
};

struct jm_build_ids {
  size_t count;
  struct jm_build_id ids[JM_BUILD_IDS_MAX];
  char maps[JM_MAPS_BUFFER];
};

static bool jm_is_mapped(const struct dl_phdr_info *module, const ElfW(Phdr) *note) {
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &module->dlpi_phdr[i];
    bool inside = note->p_vaddr >= part->p_vaddr && note->p_vaddr + note->p_memsz <= part->p_vaddr + part->p_filesz;
    if (part->p_type == PT_LOAD && (part->p_flags & PF_R) && inside) return true;
  }
  return false;
}

static size_t jm_round(size_t size, size_t to) { return (size + to - 1) / to * to; }

static bool jm_find_note(uintptr_t at, size_t size, size_t alignment, struct jm_build_id *id) {
  const char *notes = (const char *)at;
  for (size_t i = 0; size - i >= sizeof(ElfW(Nhdr));) {
    ElfW(Nhdr) head;
    memcpy(&head, notes + i, sizeof head);
    size_t name = i + sizeof head, value = jm_round(name + head.n_namesz, alignment);
    size_t next = jm_round(value + head.n_descsz, alignment);
    if (head.n_namesz > size || head.n_descsz > size || value + head.n_descsz > size) return false;
    if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 && memcmp(notes + name, "GNU", 4) == 0) {
      id->length = head.n_descsz < JM_BUILD_ID_BYTES ? head.n_descsz : JM_BUILD_ID_BYTES;
      memcpy(id->bytes, notes + value, id->length);
      id->at = at;
      return id->length > 0;
    }
    if (next > size) return false;
    i = next;
  }
  return false;
}

static int jm_add_build_id(struct dl_phdr_info *module, size_t size, void *to) {
  struct jm_build_ids *all = to;
  (void)size;
  for (int i = 0; i < module->dlpi_phnum && all->count < JM_BUILD_IDS_MAX; i++) {
    const ElfW(Phdr) *part = &module->dlpi_phdr[i];
    if (part->p_type != PT_NOTE || !jm_is_mapped(module, part)) continue;
    size_t alignment = part->p_align == 8 ? 8 : 4;
    if (jm_find_note(module->dlpi_addr + part->p_vaddr, part->p_memsz, alignment, &all->ids[all->count])) {
      all->count++;
      break;
    }
  }
  return 0;
}

/* A line of /proc/self/maps: `start-end rights offset device inode   path`. */
static void jm_put_of_line(struct jm_capture_file *file, struct jm_build_ids *all, const char *line) {
  char *at;
  uintptr_t start = strtoul(line, &at, 16);
  uintptr_t end = *at == '-' ? strtoul(at + 1, &at, 16) : 0;
  const char *path = strchr(at, '/');
  if (!path) path = strchr(at, '[');
  if (!path) return;
  for (size_t i = 0; i < all->count; i++) {
    struct jm_build_id *id = &all->ids[i];
    if (id->written || id->at < start || id->at >= end) continue;
    id->written = true;
    for (unsigned byte = 0; byte < id->length; byte++) {
      const char digits[] = "0123456789abcdef";
      jm_capture_put(file, &digits[id->bytes[byte] >> 4], 1);
      jm_capture_put(file, &digits[id->bytes[byte] & 0xf], 1);
    }
    jm_capture_put(file, "\t", 1);
    jm_capture_put_escaped(file, path, strlen(path));
    jm_capture_put(file, "\n", 1);
  }
}

/* The paths that jemalloc's part of the file has: the kernel's. */
static void jm_put_matches(struct jm_capture_file *file, struct jm_build_ids *all) {
  int maps = jm_open("/proc/thread-self/maps", O_RDONLY, 0);
  if (maps == -1) return;
  size_t used = 0;
  for (;;) {
    ssize_t got = syscall(SYS_read, maps, all->maps + used, sizeof all->maps - 1 - used);
    if (got <= 0) break;
    used += (size_t)got;
    all->maps[used] = 0;
    char *line = all->maps, *end;
    while ((end = strchr(line, '\n'))) {
      *end = 0;
      jm_put_of_line(file, all, line);
      line = end + 1;
    }
    used = strlen(line);
    memmove(all->maps, line, used);
  }
  jm_close(maps);
}

void jm_capture_put_build_ids(struct jm_capture_file *file) {
  struct jm_build_ids *all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) return;
  dl_iterate_phdr(jm_add_build_id, all);
  jm_put_matches(file, all);
  munmap(all, sizeof *all);
}
#endif
