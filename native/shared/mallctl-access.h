/* Reads and writes one value of jemalloc's control interface, for the addon and the agent alike. The caller says which type it expects;
 * jemalloc is only ever given the size of that type, and it refuses another one instead of writing: a release in which a type
 * differs is answered with an error, not with somebody's memory. What would harm the process is not passed on. */
#ifndef JM_MALLCTL_ACCESS_H
#define JM_MALLCTL_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "jemalloc.h"
#include "mallctl-names.h"
#include "mallctl-types.h"

/* jemalloc's names of arenas take 32 bytes, or as many as were set. */
#define JM_TEXT_MAX 256
/* The most a text may have that is written: a path. */
#define JM_WRITE_TEXT_MAX 4096
/* Larger than any value of the table. */
#define JM_PROBE_SIZE 64

union jm_value {
  bool boolean;
  unsigned plain;
  uint32_t u32;
  size_t size;
  ssize_t ssize;
  uint64_t u64;
  int64_t i64;
  const char *text;
  uint64_t pair[2];
  unsigned char bytes[JM_PROBE_SIZE];
};

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "sizes are read and written as 64 bits");

struct jm_question {
  struct jm_jemalloc jemalloc;
  struct jm_mib mib;
  int32_t type;
  char pattern[JM_NAME_MAX];
};

/* The bytes a value of this type has in memory; 0 for void, and for what is no type. */
size_t jm_type_size(int32_t type);

/* Whether a value of this type is the address of a text. */
bool jm_is_text_type(int32_t type);

/* What reading and writing begin with; question->jemalloc and question->type are given. An errno (EPERM: refused) or 0. */
int jm_open_question(struct jm_names *names, const char *name, bool writes, struct jm_question *question);

/* An errno or 0. `text` is where jemalloc writes one that it has no memory of its own for. With EINVAL *true_size is the size jemalloc says
 * the value has, or 0. */
int jm_read_value(const struct jm_question *question, union jm_value *value, char text[JM_TEXT_MAX], size_t *true_size);

/* Writes; `value` is NULL for a bare write. With `old` it gives the value before. An errno or 0. */
int jm_write_value(const struct jm_question *question, const union jm_value *value, union jm_value *old);

/* jemalloc takes new statistics. An errno or 0. */
int jm_refresh(struct jm_names *names, const struct jm_jemalloc *jemalloc);

/* Whether opt.prof is on. */
bool jm_is_profiling(void);

#endif
