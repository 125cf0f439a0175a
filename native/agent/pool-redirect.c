#define _GNU_SOURCE
#include "pool-redirect.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "system-calls.h"

#if defined(__x86_64__)

/* The beginnings of libuv's functions in the builds of Node 20, 22, 24 and 26, whole instructions that work anywhere. */
static const struct {
  unsigned char bytes[6];
  unsigned char length;
} jm_beginnings[] = {
  /* push %rbp; mov %rsp,%rbp; push %r12 */
  {{0x55, 0x48, 0x89, 0xe5, 0x41, 0x54}, 6},
  /* push %rbp; mov %rsp,%rbp; push %r15 */
  {{0x55, 0x48, 0x89, 0xe5, 0x41, 0x57}, 6},
  /* push %rbp; movq %rcx,%xmm0 */
  {{0x55, 0x66, 0x48, 0x0f, 0x6e, 0xc1}, 6},
};

/* test %rdx,%rdx; je …: no third argument, which the replacement never passes on, so that it is left out. */
static const unsigned char jm_guard[] = {0x48, 0x85, 0xd2, 0x0f, 0x84};
#define JM_GUARD_LENGTH 9

#define JM_JUMP_LENGTH 5
#define JM_PAGE ((uintptr_t)4096)

static unsigned char *jm_put_far_jump(unsigned char *at, const void *target) {
  static const unsigned char jump[] = {0xff, 0x25, 0, 0, 0, 0};
  memcpy(at, jump, sizeof jump);
  memcpy(at + sizeof jump, &target, sizeof target);
  return at + sizeof jump + sizeof target;
}

/* A page that a jump of 32 bits reaches: below the executable, where nothing grows. */
static unsigned char *jm_near_page(uintptr_t base) {
  for (uintptr_t step = 1; step <= 256 && base > step * 16 * JM_PAGE + 0x10000; step++) {
    uintptr_t wanted = (base - step * 16 * JM_PAGE) & ~(JM_PAGE - 1);
    void *page = mmap((void *)wanted, JM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return NULL;
    if ((uintptr_t)page < base && base - (uintptr_t)page < (UINT64_C(1) << 30)) return page;
    munmap(page, JM_PAGE);
  }
  return NULL;
}

static bool jm_protect(void *from, size_t length, int protection) {
  uintptr_t first = (uintptr_t)from & ~(JM_PAGE - 1), end = ((uintptr_t)from + length + JM_PAGE - 1) & ~(JM_PAGE - 1);
  return mprotect((void *)first, end - first, protection) == 0;
}

/* Whether a changed page of the program's file may be run again: SELinux has a right of its own for that (execmod), and what was changed before it is refused could
 * not be run at all. */
static bool jm_may_run_changed(void) {
  int file = jm_open("/proc/self/exe", O_RDONLY, 0);
  if (file == -1) return false;
  volatile char *page = mmap(NULL, JM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  jm_close(file);
  if (page == MAP_FAILED) return false;
  page[0] = page[0];
  bool may = mprotect((void *)(uintptr_t)page, JM_PAGE, PROT_READ | PROT_EXEC) == 0;
  munmap((void *)(uintptr_t)page, JM_PAGE);
  return may;
}

static int jm_executable_base(struct dl_phdr_info *info, size_t size, void *base) {
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD) {
      *(uintptr_t *)base = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
      break;
    }
  /* The executable comes first. */
  return 1;
}

bool jm_redirect(void *function, size_t size, void *replacement, void **original) {
  unsigned char *code = function;
  size_t taken = 0;
  uintptr_t base = 0;
  if (!function || size < 32) return false;
  bool guarded = memcmp(code, jm_guard, sizeof jm_guard) == 0;
  if (guarded) taken = JM_GUARD_LENGTH;
  for (size_t i = 0; !taken && i < sizeof jm_beginnings / sizeof *jm_beginnings; i++)
    if (memcmp(code, jm_beginnings[i].bytes, jm_beginnings[i].length) == 0) taken = jm_beginnings[i].length;
  if (!taken || !jm_may_run_changed()) return false;
  dl_iterate_phdr(jm_executable_base, &base);
  unsigned char *page = base ? jm_near_page(base) : NULL;
  if (!page) return false;

  unsigned char *entry = page, *rest = jm_put_far_jump(entry, replacement), *at = rest;
  if (!guarded) {
    memcpy(at, code, taken);
    at += taken;
  }
  jm_put_far_jump(at, code + taken);
  int64_t distance = (int64_t)(entry - (code + JM_JUMP_LENGTH));
  int32_t relative = (int32_t)distance;
  if (relative != distance || mprotect(page, JM_PAGE, PROT_READ | PROT_EXEC) != 0 ||
      !jm_protect(code, JM_JUMP_LENGTH, PROT_READ | PROT_WRITE)) {
    munmap(page, JM_PAGE);
    return false;
  }
  *original = rest;
  code[0] = 0xe9;
  memcpy(code + 1, &relative, sizeof relative);
  /* Not refused: it was tried. */
  jm_protect(code, JM_JUMP_LENGTH, PROT_READ | PROT_EXEC);
  return true;
}

#else

bool jm_redirect(void *function, size_t size, void *replacement, void **original) {
  (void)function;
  (void)size;
  (void)replacement;
  (void)original;
  return false;
}

#endif

struct jm_file {
  const unsigned char *bytes;
  size_t length;
};

static const void *jm_within(const struct jm_file *file, uint64_t offset, uint64_t length) {
  return offset <= file->length && length <= file->length - offset ? file->bytes + offset : NULL;
}

static uint64_t jm_search(const struct jm_file *file, const char *name, size_t *size) {
  const ElfW(Ehdr) *header = jm_within(file, 0, sizeof *header);
  uint64_t found = 0;
  if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_shentsize != sizeof(ElfW(Shdr))) return 0;
  const ElfW(Shdr) *sections = jm_within(file, header->e_shoff, (uint64_t)header->e_shnum * sizeof *sections);
  for (unsigned i = 0; sections && i < header->e_shnum; i++) {
    if (sections[i].sh_type != SHT_SYMTAB || sections[i].sh_link >= header->e_shnum) continue;
    const ElfW(Shdr) *named = &sections[sections[i].sh_link];
    const ElfW(Sym) *symbols = jm_within(file, sections[i].sh_offset, sections[i].sh_size);
    const char *names = jm_within(file, named->sh_offset, named->sh_size);
    size_t length = strlen(name) + 1;
    if (!symbols || !names) return 0;
    for (uint64_t s = 0; s < sections[i].sh_size / sizeof *symbols; s++) {
      if (ELF64_ST_TYPE(symbols[s].st_info) != STT_FUNC || symbols[s].st_shndx == SHN_UNDEF || symbols[s].st_name >= named->sh_size ||
          named->sh_size - symbols[s].st_name < length || memcmp(names + symbols[s].st_name, name, length) != 0)
        continue;
      if (found) return 0;
      found = symbols[s].st_value;
      *size = symbols[s].st_size;
    }
  }
  return found;
}

static int jm_executable_shift(struct dl_phdr_info *info, size_t size, void *shift) {
  (void)size;
  *(uintptr_t *)shift = info->dlpi_addr;
  return 1;
}

void *jm_find_local_function(const char *name, size_t *size) {
  struct stat status;
  uintptr_t shift = 0;
  uint64_t found = 0;
  int file = jm_open("/proc/self/exe", O_RDONLY, 0);
  if (file == -1) return NULL;
  if (jm_stat_at(file, "", &status, AT_EMPTY_PATH) == 0 && status.st_size > 0) {
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes != MAP_FAILED) {
      found = jm_search(&(struct jm_file){bytes, (size_t)status.st_size}, name, size);
      munmap(bytes, (size_t)status.st_size);
    }
  }
  jm_close(file);
  dl_iterate_phdr(jm_executable_shift, &shift);
  return found ? (void *)(uintptr_t)(found + shift) : NULL;
}
