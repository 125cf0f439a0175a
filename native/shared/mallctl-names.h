/* From names of jemalloc's control interface to numbers. What was translated once is kept, until its owner closes it: an environment
 * of Node, or an agent. Not for two threads at once. */
#ifndef JM_MALLCTL_NAMES_H
#define JM_MALLCTL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "jemalloc.h"

/* jemalloc's own limit on the depth of a name. */
#define JM_MIB_MAX 7
/* Longer than any name of the table, indices written out. */
#define JM_NAME_MAX 192

/* Stands in a list of indices where the name has a word. */
#define JM_NO_INDEX SIZE_MAX

struct jm_mib {
  size_t length;
  size_t parts[JM_MIB_MAX];
};

struct jm_names;

/* NULL where there is no memory. */
struct jm_names *jm_names_open(void);
void jm_names_close(struct jm_names *names);

/* Splits a name into its pattern, with every index written as 0, and the indices where they stand. An errno or 0. */
int jm_names_pattern(const char *name, char pattern[JM_NAME_MAX], struct jm_mib *indices);

/* The numbers of a name; those of its pattern are asked of jemalloc once. `text`: it is used as a text, which must be right. An errno
 * or 0. */
int jm_names_translate(struct jm_names *names, const struct jm_jemalloc *jemalloc, const char *pattern,
                       const struct jm_mib *indices, bool text, struct jm_mib *mib);

#endif
