/* jemalloc's control interface for JavaScript. The state is one environment's own (a worker has one too): the numbers of the names
 * that were asked for. It goes when the environment goes. */
#ifndef JM_MALLCTL_H
#define JM_MALLCTL_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

struct jm_mallctl_state;

struct jm_mallctl_state *jm_mallctl_state_create(void);
void jm_mallctl_state_destroy(struct jm_mallctl_state *state);

/* Splits a name into its pattern, with every index written as 0, and the indices where they stand. An errno or 0. */
int jm_mallctl_pattern(const char *name, char pattern[JM_NAME_MAX], struct jm_mib *indices);

/* The numbers of a name; those of its pattern are asked of jemalloc once. `text`: it is used as a text, which must be right. An errno
 * or 0. */
int jm_mallctl_translate(struct jm_mallctl_state *state, const struct jm_jemalloc *jemalloc, const char *pattern,
                         const struct jm_mib *indices, bool text, struct jm_mib *mib);

/* Adds mallctlRead, mallctlWrite, mallctlRefresh and openMallctlSampler. */
void jm_register_mallctl(napi_env env, napi_value exports);

/* openMallctlSampler(names: string[], types: number[]): a function that fills a Float64Array, or undefined without jemalloc. */
napi_value jm_open_mallctl_sampler(napi_env env, napi_callback_info info);

#endif
