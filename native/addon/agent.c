/* The agent of a Node process: one for all its environments. It goes when the last one that asked for it has. */
#include "agent.h"

#ifdef __linux__
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node-facts.h"
#include "server.h"

struct jm_environment {
  struct jm_environment *next;
  napi_env env;
};

/* Guards all below. */
static pthread_mutex_t jm_lock = PTHREAD_MUTEX_INITIALIZER;
static struct jm_environment *jm_environments;
static char jm_directory[JM_PATH_MAX];
/* The process that the agent is in: a child of fork does not have it. 0: there is none. */
static pid_t jm_process;

/* A text of JavaScript in memory of its own, or NULL. */
static char *jm_copy_text(napi_env env, napi_value value, size_t *length) {
  if (napi_get_value_string_utf8(env, value, NULL, 0, length) != napi_ok) return NULL;
  char *text = malloc(*length + 1);
  if (text) napi_get_value_string_utf8(env, value, text, *length + 1, length);
  return text;
}

static void jm_leave(void *found) {
  napi_env env = found;
  pthread_mutex_lock(&jm_lock);
  struct jm_environment **at = &jm_environments;
  while (*at && (*at)->env != env) at = &(*at)->next;
  if (*at) {
    struct jm_environment *gone = *at;
    *at = gone->next;
    free(gone);
    /* Not waited for: it may be in the middle of a long purge, which must not hold up the end of a worker or of the process. */
    if (!jm_environments && jm_process == getpid()) {
      jm_server_stop();
      jm_process = 0;
    }
  }
  pthread_mutex_unlock(&jm_lock);
}

static bool jm_has(napi_env env) {
  struct jm_environment *at = jm_environments;
  while (at && at->env != env) at = at->next;
  return at != NULL;
}

struct jm_claim {
  char text[JM_PROOF_MAX];
};

/* JEMKIT_AGENT_FILTERS as the process was started with it: --no-children takes it out of what the program itself sees. Empty where it is not there, or is
 * longer than any true one. */
static struct jm_claim jm_read_claim(void) {
  static const char name[] = "JEMKIT_AGENT_FILTERS=";
  struct jm_claim claim = {""};
  FILE *environment = fopen("/proc/self/environ", "re");
  char *entry = NULL;
  size_t size = 0;
  while (environment && getdelim(&entry, &size, 0, environment) > 0)
    if (strncmp(entry, name, sizeof name - 1) == 0 && strlen(entry) - (sizeof name - 1) < sizeof claim.text)
      strcpy(claim.text, entry + sizeof name - 1);
  free(entry);
  if (environment) fclose(environment);
  return claim;
}

/* The path of the socket, or NULL and why. The lock is held. */
static const char *jm_open_agent(const char *directory, size_t length, char reason[256]) {
  if (jm_process == getpid()) {
    const char *open = jm_server_path(reason);
    if (open) return open;
    /* It has failed since then, as after a change of user: another try. */
    jm_server_stop();
  }
  /* Of one that was told to end, the thread may still be there. */
  jm_server_wait();
  struct jm_claim claim = jm_read_claim();
  int filters = jm_proven_filters(claim.text);
  if (filters == JM_FILTERS_UNKNOWN)
    return strcpy(reason, "the system calls of this process are filtered (seccomp), and only jem run and jemkit/auto try whether the filter "
                          "bears an agent"),
           NULL;
  if (length >= sizeof jm_directory) return strcpy(reason, "the folder's path is too long"), NULL;
  memcpy(jm_directory, directory, length + 1);
  struct jm_start start = {.directory = jm_directory,
                           .suffix = ".node.sock",
                           .place = JM_WIRE_IN_ADDON,
                           .filters = filters,
                           .node_facts = jm_node_facts,
                           .node_count = jm_ask_node_count};
  jm_server_measure();
  if (!jm_server_start(&start)) return strcpy(reason, "no thread can be started"), NULL;
  const char *path = jm_server_path(reason);
  if (path) jm_process = getpid();
  return path;
}

/* startAgent(folder: string): {path: string} or {reason: string} */
static napi_value jm_start_agent(napi_env env, napi_callback_info info) {
  size_t argc = 1, length = 0;
  napi_value args[1], result = NULL, text = NULL;
  char *directory = NULL, reason[256] = "";
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) == napi_ok && argc > 0)
    directory = jm_copy_text(env, args[0], &length);
  if (!directory || directory[0] != '/' || strlen(directory) != length) {
    free(directory);
    napi_throw_type_error(env, NULL, "startAgent: expected (folder: string), an absolute path");
    return NULL;
  }
  pthread_mutex_lock(&jm_lock);
  struct jm_environment *entry = jm_has(env) ? NULL : malloc(sizeof *entry);
  bool hooked = !entry || napi_add_env_cleanup_hook(env, jm_leave, env) == napi_ok;
  const char *path = hooked ? jm_open_agent(directory, length, reason) : NULL;
  if (path && entry) {
    *entry = (struct jm_environment){.next = jm_environments, .env = env};
    jm_environments = entry;
  } else if (entry) {
    if (hooked) napi_remove_env_cleanup_hook(env, jm_leave, env);
    free(entry);
  }
  if (napi_create_object(env, &result) != napi_ok ||
      napi_create_string_utf8(env, path ? path : reason, NAPI_AUTO_LENGTH, &text) != napi_ok ||
      napi_set_named_property(env, result, path ? "path" : "reason", text) != napi_ok)
    result = NULL;
  pthread_mutex_unlock(&jm_lock);
  free(directory);
  return result;
}

/* stopAgent() */
static napi_value jm_stop_agent(napi_env env, napi_callback_info info) {
  (void)info;
  pthread_mutex_lock(&jm_lock);
  bool has = jm_has(env);
  pthread_mutex_unlock(&jm_lock);
  if (!has) return NULL;
  napi_remove_env_cleanup_hook(env, jm_leave, env);
  jm_leave(env);
  return NULL;
}

void jm_register_agent(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"startAgent", NULL, jm_start_agent, NULL, NULL, NULL, napi_enumerable, NULL},
      {"stopAgent", NULL, jm_stop_agent, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  jm_register_node_facts(env, exports);
}
#else
void jm_register_agent(napi_env env, napi_value exports) {
  (void)env;
  (void)exports;
}
#endif
