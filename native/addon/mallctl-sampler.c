/* Many counters in one call. A sampler is a JavaScript function that carries its list of translated names; called with a Float64Array it
 * refreshes jemalloc's statistics and fills the array, and makes nothing that must be collected. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mallctl-types.h"
#include "mallctl.h"
#include "refused-keys.h"

struct jm_counter {
  struct jm_mib mib;
  int32_t type;
  /* Where the value lies, if it need not be asked for: the epoch, and two counters that jemalloc keeps in the memory of this very
   * thread, which is the only one that calls the sampler. */
  const volatile uint64_t *live;
};

struct jm_sampler {
  struct jm_jemalloc jemalloc;
  struct jm_mib epoch;
  uint64_t epoch_now;
  uint32_t count;
  struct jm_counter counters[];
};

static napi_value jm_throw(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

static double jm_read_counter(const struct jm_sampler *sampler, const struct jm_counter *counter) {
  if (counter->live) return (double)*counter->live;
  uint64_t wide = 0;
  uint32_t narrow = 0;
  unsigned char byte = 0;
  bool is_narrow = counter->type == JM_MALLCTL_UNSIGNED || counter->type == JM_MALLCTL_UINT32;
  bool is_bool = counter->type == JM_MALLCTL_BOOL;
  void *target = is_narrow ? (void *)&narrow : is_bool ? (void *)&byte : (void *)&wide;
  size_t length = is_narrow ? sizeof narrow : is_bool ? sizeof byte : sizeof wide;
  if (counter->mib.length == 0) return NAN;
  if (sampler->jemalloc.by_mib(counter->mib.parts, counter->mib.length, target, &length, NULL, 0) != 0) return NAN;
  if (is_narrow) return narrow;
  if (is_bool) return byte != 0;
  bool is_signed = counter->type == JM_MALLCTL_SSIZE || counter->type == JM_MALLCTL_INT64;
  return is_signed ? (double)(int64_t)wide : (double)wide;
}

/* (counters: Float64Array): an errno or 0. What could not be read is NaN. */
static napi_value jm_sample(napi_env env, napi_callback_info info) {
  size_t argc = 1, length = 0;
  napi_value args[1], result = NULL;
  napi_typedarray_type kind;
  void *data = NULL, *found = NULL;
  /* Asked each time and not kept: JavaScript may detach an array's memory. */
  if (napi_get_cb_info(env, info, &argc, args, NULL, &found) != napi_ok || argc < 1 || !found ||
      napi_get_typedarray_info(env, args[0], &kind, &length, &data, NULL, NULL) != napi_ok || kind != napi_float64_array)
    return jm_throw(env, "sample: expected a Float64Array");
  struct jm_sampler *sampler = found;
  if (!data || length < sampler->count) return jm_throw(env, "sample: the array is too short, or was detached");
  uint64_t epoch = 1;
  size_t epoch_size = sizeof sampler->epoch_now;
  int error = sampler->jemalloc.by_mib(sampler->epoch.parts, sampler->epoch.length, &sampler->epoch_now, &epoch_size, &epoch,
                                       sizeof epoch);
  double *counters = data;
  for (uint32_t i = 0; i < sampler->count; i++) counters[i] = jm_read_counter(sampler, &sampler->counters[i]);
  napi_create_int32(env, error, &result);
  return result;
}

static void jm_end_sampler(napi_env env, void *sampler, void *hint) {
  (void)env;
  (void)hint;
  free(sampler);
}

/* A name this jemalloc does not have stays without numbers, and is NaN in every sample. */
static void jm_open_counter(struct jm_mallctl_state *state, const struct jm_jemalloc *jemalloc, const char *name,
                            struct jm_counter *counter) {
  char pattern[JM_NAME_MAX];
  struct jm_mib indices;
  bool allocated = strcmp(name, "thread.allocated") == 0, deallocated = strcmp(name, "thread.deallocated") == 0;
  const char *asked = allocated ? "thread.allocatedp" : deallocated ? "thread.deallocatedp" : name;
  counter->mib.length = 0;
  if (jm_mallctl_pattern(asked, pattern, &indices) != 0 || jm_is_refused_key(pattern, false)) return;
  if (jm_mallctl_translate(state, jemalloc, pattern, &indices, false, &counter->mib) != 0) counter->mib.length = 0;
  if (!(allocated || deallocated) || counter->mib.length == 0) return;
  size_t length = sizeof counter->live;
  if (jemalloc->by_mib(counter->mib.parts, counter->mib.length, &counter->live, &length, NULL, 0) != 0) counter->live = NULL;
  /* Without the address the number is not to be had by these numbers, which are the address's. */
  counter->mib.length = 0;
}

static bool jm_is_counter_type(int32_t type) { return type >= JM_MALLCTL_BOOL && type <= JM_MALLCTL_INT64; }

napi_value jm_open_mallctl_sampler(napi_env env, napi_callback_info info) {
  static const char *const usage = "openMallctlSampler: expected (names: string[], types: number[])";
  size_t argc = 2;
  napi_value args[2], element, result = NULL;
  uint32_t count = 0, types = 0;
  struct jm_mallctl_state *state = NULL;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 2 ||
      napi_get_array_length(env, args[0], &count) != napi_ok || napi_get_array_length(env, args[1], &types) != napi_ok ||
      count != types || count > 4096)
    return jm_throw(env, usage);
  struct jm_jemalloc jemalloc = jm_find_jemalloc();
  if (!jemalloc.by_mib || napi_get_instance_data(env, (void **)&state) != napi_ok || !state) return NULL;

  struct jm_sampler *sampler = calloc(1, sizeof *sampler + count * sizeof *sampler->counters);
  if (!sampler) return NULL;
  sampler->jemalloc = jemalloc;
  sampler->count = count;
  sampler->epoch.length = JM_MIB_MAX;
  bool complete = jemalloc.name_to_mib("epoch", sampler->epoch.parts, &sampler->epoch.length) == 0;
  for (uint32_t i = 0; complete && i < count; i++) {
    char name[JM_NAME_MAX];
    size_t length = 0;
    struct jm_counter *counter = &sampler->counters[i];
    complete = napi_get_element(env, args[0], i, &element) == napi_ok &&
               napi_get_value_string_utf8(env, element, name, sizeof name, &length) == napi_ok && length < sizeof name - 1 &&
               napi_get_element(env, args[1], i, &element) == napi_ok &&
               napi_get_value_int32(env, element, &counter->type) == napi_ok && jm_is_counter_type(counter->type);
    if (complete && strcmp(name, "epoch") == 0) counter->live = &sampler->epoch_now;
    else if (complete) jm_open_counter(state, &jemalloc, name, counter);
  }
  if (!complete) {
    free(sampler);
    return jm_throw(env, usage);
  }
  if (napi_create_function(env, "sample", NAPI_AUTO_LENGTH, jm_sample, sampler, &result) != napi_ok ||
      napi_add_finalizer(env, result, sampler, jm_end_sampler, NULL, NULL) != napi_ok) {
    free(sampler);
    return NULL;
  }
  return result;
}
