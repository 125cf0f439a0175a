#include "mallctl-access.h"

#include <errno.h>
#include <string.h>

#include "refused-keys.h"
#include "text-keys.h"

size_t jm_type_size(int32_t type) {
  switch (type) {
    case JM_MALLCTL_BOOL: return sizeof(bool);
    case JM_MALLCTL_UNSIGNED: return sizeof(unsigned);
    case JM_MALLCTL_UINT32: return sizeof(uint32_t);
    case JM_MALLCTL_SIZE: return sizeof(size_t);
    case JM_MALLCTL_SSIZE: return sizeof(ssize_t);
    case JM_MALLCTL_UINT64:
    case JM_MALLCTL_INT64: return sizeof(uint64_t);
    case JM_MALLCTL_STRING:
    case JM_MALLCTL_TEXT_BUFFER:
    case JM_MALLCTL_POINTER: return sizeof(void *);
    case JM_MALLCTL_PROF_STATS: return 2 * sizeof(uint64_t);
    default: return 0;
  }
}

bool jm_is_text_type(int32_t type) { return type == JM_MALLCTL_STRING || type == JM_MALLCTL_TEXT_BUFFER; }

static int jm_ask(const struct jm_question *question, void *old, size_t *old_length, void *new_value, size_t new_length) {
  return question->jemalloc.by_mib(question->mib.parts, question->mib.length, old, old_length, new_value, new_length);
}

/* The size jemalloc says the value has, or 0. Releases before 5.3 refuse a wrong size without saying the right one. */
static size_t jm_true_size(const struct jm_question *question) {
  union jm_value scratch = {0};
  size_t length = sizeof scratch;
  return jm_ask(question, &scratch, &length, NULL, 0) == EINVAL && length < sizeof scratch ? length : 0;
}

int jm_open_question(struct jm_names *names, const char *name, bool writes, struct jm_question *question) {
  struct jm_mib indices;
  int error = jm_names_pattern(name, question->pattern, &indices);
  if (error) return error;
  if (jm_is_refused_key(question->pattern, writes)) return EPERM;
  /* Read as anything else, the value would be taken for the address of a buffer. */
  if (strcmp(question->pattern, "arena.0.name") == 0 && question->type != JM_MALLCTL_TEXT_BUFFER &&
      !(writes && question->type == JM_MALLCTL_STRING))
    return EPERM;
  return jm_names_translate(names, &question->jemalloc, question->pattern, &indices, jm_is_text_type(question->type),
                            &question->mib);
}

int jm_read_value(const struct jm_question *question, union jm_value *value, char text[JM_TEXT_MAX], size_t *true_size) {
  size_t expected = jm_type_size(question->type), length = expected;
  bool buffer = question->type == JM_MALLCTL_TEXT_BUFFER;
  memset(value, 0, sizeof *value);
  text[0] = 0;
  *true_size = 0;
  if (buffer) value->text = text;
  int error = jm_ask(question, value, &length, NULL, 0);
  if (buffer || (!error && length == expected)) return error;
  size_t actual = error == EINVAL ? jm_true_size(question) : error ? 0 : length;
  if (actual != expected) *true_size = actual;
  return error ? error : EINVAL;
}

bool jm_is_profiling(void) {
  bool profiling = false;
  size_t size = sizeof profiling;
  jm_mallctl_fn ctl = jm_find_mallctl();
  return ctl && ctl("opt.prof", &profiling, &size, NULL, 0) == 0 && profiling;
}

static bool jm_begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

int jm_write_value(const struct jm_question *question, const union jm_value *value, union jm_value *old) {
  const char *pattern = question->pattern;
  /* Texts that jemalloc would read from, or write to, an address of 0. */
  if (!value && jm_is_text_key(pattern) && !jm_takes_no_text(pattern)) return EINVAL;
  if (old && (strcmp(pattern, "arena.0.name") == 0 || question->type == JM_MALLCTL_TEXT_BUFFER)) return EINVAL;
  /* Up to 5.2.1 a bare write of it reads the address of a length that is not given. */
  if (!value && strcmp(pattern, "arenas.narenas") == 0) return EPERM;
  /* Up to 5.2.1 a reset crashes where profiling is compiled in and off, once the thread has data of it. */
  if ((jm_begins(pattern, "prof.") || jm_begins(pattern, "thread.prof.")) && !jm_is_profiling()) return ENOENT;

  union jm_value copy = {0};
  if (value) copy = *value;
  if (old) memset(old, 0, sizeof *old);
  size_t length = jm_type_size(question->type);
  return jm_ask(question, old, old ? &length : NULL, value ? &copy : NULL, value ? jm_type_size(question->type) : 0);
}

int jm_refresh(struct jm_names *names, const struct jm_jemalloc *jemalloc) {
  struct jm_mib mib, indices = {.length = 1, .parts = {JM_NO_INDEX}};
  uint64_t epoch = 1;
  int error = jm_names_translate(names, jemalloc, "epoch", &indices, false, &mib);
  return error ? error : jemalloc->by_mib(mib.parts, mib.length, NULL, NULL, &epoch, sizeof epoch);
}
