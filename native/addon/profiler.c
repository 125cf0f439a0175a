/* The heap profiler for JavaScript: the process's one, whoever started it, and the code events of each environment that wants to give them. */
#include <errno.h>
#include <node_api.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profiler-functions.h"
#include "profiler.h"
#include "wire.h"

static napi_value jm_number(napi_env env, int number) {
  napi_value result = NULL;
  napi_create_int32(env, number, &result);
  return result;
}

static napi_value jm_throw(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

/* profilerStart(lgSample: number, flags: number): number, an errno or 0 */
static napi_value jm_start(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value args[2];
  int64_t lg_sample = 0;
  uint32_t flags = 0;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 2 ||
      napi_get_value_int64(env, args[0], &lg_sample) != napi_ok || napi_get_value_uint32(env, args[1], &flags) != napi_ok)
    return jm_throw(env, "profilerStart: expected (lgSample: number, flags: number)");
  struct jm_profiler_wish wish = {.lg_sample = lg_sample,
                                  .thread_pool = (flags & JM_WIRE_PROF_THREAD_POOL) != 0,
                                  .reset = (flags & JM_WIRE_PROF_FORGET) != 0};
  return jm_number(env, jm_profiler()->start(&wish));
}

/* profilerStop(): number, an errno or 0 */
static napi_value jm_stop(napi_env env, napi_callback_info info) {
  (void)info;
  return jm_number(env, jm_profiler()->stop());
}

/* profilerCapture(path: string): number, an errno or 0 */
static napi_value jm_capture(napi_env env, napi_callback_info info) {
  size_t argc = 1, length = 0;
  napi_value args[1];
  char *path = NULL;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) == napi_ok && argc > 0 &&
      napi_get_value_string_utf8(env, args[0], NULL, 0, &length) == napi_ok)
    path = malloc(length + 1);
  if (!path || napi_get_value_string_utf8(env, args[0], path, length + 1, &length) != napi_ok || strlen(path) != length) {
    free(path);
    return jm_throw(env, "profilerCapture: expected (path: string)");
  }
  int error = jm_profiler()->capture(path);
  free(path);
  return jm_number(env, error);
}

/* profilerState(): string, the JSON of JM_WIRE_PROF_STATE */
static napi_value jm_state(napi_env env, napi_callback_info info) {
  (void)info;
  char text[JM_PROFILER_TEXT_MAX];
  napi_value result = NULL;
  size_t length = jm_profiler()->describe(text, sizeof text);
  napi_create_string_utf8(env, text, length, &result);
  return result;
}

/* The environments that listen; each is added and taken out by its own thread. */
struct jm_listener {
  struct jm_listener *next;
  napi_env env;
};
static pthread_mutex_t jm_lock = PTHREAD_MUTEX_INITIALIZER;
static struct jm_listener *jm_listeners;

/* Takes one out of the list, or, with `add`, puts it in; gives the one that was there. */
static struct jm_listener *jm_exchange_listener(napi_env env, struct jm_listener *add) {
  pthread_mutex_lock(&jm_lock);
  struct jm_listener **at = &jm_listeners;
  while (*at && (*at)->env != env) at = &(*at)->next;
  struct jm_listener *found = *at;
  if (found && !add) *at = found->next;
  if (!found && add) {
    *add = (struct jm_listener){.next = jm_listeners, .env = env};
    jm_listeners = add;
  }
  pthread_mutex_unlock(&jm_lock);
  return found;
}

static void jm_leave(void *env) {
  struct jm_listener *found = jm_exchange_listener(env, NULL);
  if (!found) return;
  free(found);
  jm_profiler()->stop_listening();
}

/* profilerListen(): number, an errno or 0. Until profilerStopListening, or the end of the environment. */
static napi_value jm_listen(napi_env env, napi_callback_info info) {
  (void)info;
  struct jm_listener *mine = malloc(sizeof *mine);
  if (!mine) return jm_number(env, ENOMEM);
  if (jm_exchange_listener(env, mine)) {
    free(mine);
    return jm_number(env, 0);
  }
  int error = napi_add_env_cleanup_hook(env, jm_leave, env) == napi_ok ? jm_profiler()->listen() : ENOMEM;
  if (!error) return jm_number(env, 0);
  napi_remove_env_cleanup_hook(env, jm_leave, env);
  free(jm_exchange_listener(env, NULL));
  return jm_number(env, error);
}

/* profilerStopListening() */
static napi_value jm_stop_listening(napi_env env, napi_callback_info info) {
  (void)info;
  napi_remove_env_cleanup_hook(env, jm_leave, env);
  jm_leave(env);
  return NULL;
}

void jm_register_profiler(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"profilerStart", NULL, jm_start, NULL, NULL, NULL, napi_enumerable, NULL},
      {"profilerStop", NULL, jm_stop, NULL, NULL, NULL, napi_enumerable, NULL},
      {"profilerCapture", NULL, jm_capture, NULL, NULL, NULL, napi_enumerable, NULL},
      {"profilerState", NULL, jm_state, NULL, NULL, NULL, napi_enumerable, NULL},
      {"profilerListen", NULL, jm_listen, NULL, NULL, NULL, napi_enumerable, NULL},
      {"profilerStopListening", NULL, jm_stop_listening, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
}
