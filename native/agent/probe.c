/* The probe: a real start of the real program with the candidate library, stopped after every library is loaded, relocated and
 * initialised and before the program's own main. So whatever would kill it at start has had its chance, and nothing of the program
 * has run.
 *
 * JEMKIT_PROBE holds questions separated by commas, `<type>:<mallctl name>`: s string, b bool, u unsigned, z size_t, d ssize_t,
 * q uint64_t. Each answered one is a line `<name>=<value>` on stdout, between `jemkit-probe 1` and `end`. The question `filters` is answered last,
 * behind `end`, as it may cost the process its life. */
#include "agent.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "jemalloc.h"

extern bool mi_is_in_heap_region(const void *) __attribute__((weak));
extern int mi_version(void) __attribute__((weak));
extern const char *tc_version(int *, int *, const char **) __attribute__((weak));
extern int MallocExtension_GetNumericProperty(const char *, size_t *) __attribute__((weak));

/* A fixed buffer: stdio would allocate, and a short write would lose lines. */
static char jm_out[16384];
static size_t jm_used;

__attribute__((format(printf, 1, 2))) static void jm_line(const char *format, ...) {
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  int written = vsnprintf(jm_out + jm_used, sizeof jm_out - jm_used, format, arguments);
  __builtin_va_end(arguments);
  if (written > 0 && (size_t)written < sizeof jm_out - jm_used) jm_used += (size_t)written;
}

/* Not arenas.lookup, which would be simpler: it crashes on a block of another allocator. */
static bool jm_jemalloc_serves(jm_mallctl_fn ctl) {
  uint64_t before = 0, after = 0;
  size_t length = sizeof before;
  if (ctl("thread.allocated", &before, &length, NULL, 0) != 0) return false;
  void *volatile block = malloc(64);
  length = sizeof after;
  bool moved = ctl("thread.allocated", &after, &length, NULL, 0) == 0 && after != before;
  free(block);
  return moved;
}

static void jm_answer(jm_mallctl_fn ctl, char type, const char *name) {
  union {
    const char *s;
    bool b;
    unsigned u;
    size_t z;
    ssize_t d;
    uint64_t q;
  } value = {0};
  size_t length = type == 's'   ? sizeof value.s
                  : type == 'b' ? sizeof value.b
                  : type == 'u' ? sizeof value.u
                  : type == 'z' ? sizeof value.z
                  : type == 'd' ? sizeof value.d
                                : sizeof value.q;
  if (ctl(name, &value, &length, NULL, 0) != 0) return;
  switch (type) {
    case 's': jm_line("%s=%s\n", name, value.s ? value.s : ""); break;
    case 'b': jm_line("%s=%s\n", name, value.b ? "true" : "false"); break;
    case 'u': jm_line("%s=%u\n", name, value.u); break;
    case 'z': jm_line("%s=%zu\n", name, value.z); break;
    case 'd': jm_line("%s=%zd\n", name, value.d); break;
    case 'q': jm_line("%s=%" PRIu64 "\n", name, value.q); break;
    default: break;
  }
}

/* One allocation tells which allocator malloc is: each library knows its own blocks. */
static const char *jm_serving(jm_mallctl_fn ctl) {
  if (ctl && jm_jemalloc_serves(ctl)) return "jemalloc";
  size_t before = 0, after = 0;
  if (MallocExtension_GetNumericProperty)
    MallocExtension_GetNumericProperty("generic.current_allocated_bytes", &before);
  void *volatile block = malloc(1 << 20);
  if (MallocExtension_GetNumericProperty)
    MallocExtension_GetNumericProperty("generic.current_allocated_bytes", &after);
  const char *name = "system";
  if (mi_is_in_heap_region && mi_is_in_heap_region(block)) name = "mimalloc";
  else if (after != before) name = "tcmalloc";
  free(block);
  return name;
}

/* Whether the question is there. */
static bool jm_asks(const char *questions, const char *name) {
  size_t length = strlen(name);
  const char *at = questions;
  while ((at = strstr(at, name)) && !((at == questions || at[-1] == ',') && (at[length] == ',' || at[length] == 0))) at++;
  return at != NULL;
}

void jm_probe(const char *questions) {
  bool tries = jm_asks(questions, "filters");
  jm_mallctl_fn ctl = jm_find_mallctl();
  jm_line("jemkit-probe 1\n");
  jm_line("serving=%s\n", jm_serving(ctl));
  if (mi_version) {
    int version = mi_version();
    jm_line("mimalloc.version=%d\n", version);
  }
  if (tc_version) {
    int major = 0, minor = 0;
    const char *patch = "";
    tc_version(&major, &minor, &patch);
    jm_line("tcmalloc.version=%d.%d%s\n", major, minor, patch ? patch : "");
  }
  char name[128];
  while (ctl && *questions) {
    const char *end = strchr(questions, ',');
    size_t length = end ? (size_t)(end - questions) : strlen(questions);
    if (length > 2 && length - 2 < sizeof name && questions[1] == ':') {
      memcpy(name, questions + 2, length - 2);
      name[length - 2] = 0;
      jm_answer(ctl, questions[0], name);
    }
    questions += length + (end ? 1 : 0);
  }
  jm_line("end\n");
  for (size_t at = 0; at < jm_used;) {
    ssize_t written = write(STDOUT_FILENO, jm_out + at, jm_used - at);
    if (written <= 0) break;
    at += (size_t)written;
  }
  if (tries) jm_trial();
  _exit(0);
}
