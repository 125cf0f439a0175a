/* Many counters in one call. A sampler is a JavaScript function that carries its list of translated names; called with a Float64Array it
 * refreshes jemalloc's statistics and fills the array, and makes nothing that must be collected. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mallctl-counters.h"
#include "mallctl.h"

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
  for (uint32_t i = 0; i < sampler->count; i++) counters[i] = jm_read_counter(&sampler->jemalloc, &sampler->counters[i]);
  napi_create_int32(env, error, &result);
  return result;
}

static void jm_end_sampler(napi_env env, void *sampler, void *hint) {
  (void)env;
  (void)hint;
  free(sampler);
}

napi_value jm_open_mallctl_sampler(napi_env env, napi_callback_info info) {
  static const char *const usage = "openMallctlSampler: expected (names: string[], types: number[])";
  size_t argc = 2;
  napi_value args[2], element, result = NULL;
  uint32_t count = 0, types = 0;
  struct jm_names *names = NULL;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 2 ||
      napi_get_array_length(env, args[0], &count) != napi_ok || napi_get_array_length(env, args[1], &types) != napi_ok ||
      count != types || count > 4096)
    return jm_throw(env, usage);
  struct jm_jemalloc jemalloc = jm_find_jemalloc();
  if (!jemalloc.by_mib || napi_get_instance_data(env, (void **)&names) != napi_ok || !names) return NULL;

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
    else if (complete) jm_open_counter(names, &jemalloc, name, counter);
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
