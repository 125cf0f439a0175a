#define _GNU_SOURCE
#include "node-facts.h"

#ifdef __linux__
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Of one isolate some 2 KB; what is larger is no such text. */
#define JM_FACTS_MAX (1024 * 1024)
#define JM_FACTS_LIST "\"isolates\":["
#define JM_FACTS_END "]}"

struct jm_facts {
  struct jm_facts *next;
  napi_env env;
  int64_t at_ns;
  /* A NodeFacts: what is said of the process up to the list of isolates, then the isolate, then what closes both. 0: any other text. */
  size_t head_length;
  size_t length;
  size_t room;
  char *text;
};

/* Held for the copying of some KB, by the threads of JavaScript and by the agent's. */
static pthread_mutex_t jm_lock = PTHREAD_MUTEX_INITIALIZER;
static struct jm_facts *jm_first;
static atomic_uint jm_asked;

static struct jm_facts **jm_find(napi_env env) {
  struct jm_facts **at = &jm_first;
  while (*at && (*at)->env != env) at = &(*at)->next;
  return at;
}

/* At the end of an environment, and when JavaScript wants no more of it. */
static void jm_remove(void *env) {
  pthread_mutex_lock(&jm_lock);
  struct jm_facts **at = jm_find(env);
  struct jm_facts *facts = *at;
  if (facts) *at = facts->next;
  pthread_mutex_unlock(&jm_lock);
  if (!facts) return;
  free(facts->text);
  free(facts);
}

static struct jm_facts *jm_add(napi_env env) {
  struct jm_facts *facts = calloc(1, sizeof *facts);
  if (!facts) return NULL;
  facts->env = env;
  if (napi_add_env_cleanup_hook(env, jm_remove, env) != napi_ok) {
    free(facts);
    return NULL;
  }
  pthread_mutex_lock(&jm_lock);
  facts->next = jm_first;
  jm_first = facts;
  pthread_mutex_unlock(&jm_lock);
  return facts;
}

/* Where the list of isolates begins in a text; 0 where it has none. */
static size_t jm_head_length(const char *text, size_t length) {
  const char *list = memmem(text, length, JM_FACTS_LIST, strlen(JM_FACTS_LIST));
  if (!list || length < strlen(JM_FACTS_END)) return 0;
  size_t head = (size_t)(list - text) + strlen(JM_FACTS_LIST);
  size_t end = length - strlen(JM_FACTS_END);
  return head <= end && memcmp(text + end, JM_FACTS_END, strlen(JM_FACTS_END)) == 0 ? head : 0;
}

/* publishNodeFacts(text: string): boolean. False where there was no memory for it. */
static napi_value jm_publish_node_facts(napi_env env, napi_callback_info info) {
  size_t argc = 1, length = 0;
  napi_value args[1], result = NULL;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 1 ||
      napi_get_value_string_utf8(env, args[0], NULL, 0, &length) != napi_ok) {
    napi_throw_type_error(env, NULL, "publishNodeFacts: expected (text: string)");
    return NULL;
  }
  bool done = false;
  struct jm_facts *facts = NULL;
  if (length <= JM_FACTS_MAX) {
    pthread_mutex_lock(&jm_lock);
    facts = *jm_find(env);
    pthread_mutex_unlock(&jm_lock);
    /* Only this thread takes this entry out again. */
    if (!facts) facts = jm_add(env);
  }
  if (facts) {
    pthread_mutex_lock(&jm_lock);
    if (facts->room < length + 1) {
      char *text = realloc(facts->text, length + 256);
      if (text) {
        facts->text = text;
        facts->room = length + 256;
      }
    }
    facts->length = 0;
    if (facts->room > length) {
      done = napi_get_value_string_utf8(env, args[0], facts->text, length + 1, &length) == napi_ok;
      facts->length = done ? length : 0;
      facts->head_length = jm_head_length(facts->text, facts->length);
      facts->at_ns = jm_now_ns();
    }
    pthread_mutex_unlock(&jm_lock);
  }
  napi_get_boolean(env, done, &result);
  return result;
}

/* withdrawNodeFacts() */
static napi_value jm_withdraw_node_facts(napi_env env, napi_callback_info info) {
  (void)info;
  pthread_mutex_lock(&jm_lock);
  bool published = *jm_find(env) != NULL;
  pthread_mutex_unlock(&jm_lock);
  if (!published) return NULL;
  napi_remove_env_cleanup_hook(env, jm_remove, env);
  jm_remove(env);
  return NULL;
}

/* nodeCountsAsked(): number, how often somebody has asked for a count of ArrayBuffers. */
static napi_value jm_node_counts_asked(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result = NULL;
  napi_create_uint32(env, atomic_load(&jm_asked), &result);
  return result;
}

static void jm_put_isolate(struct jm_buffer *answer, const struct jm_facts *facts) {
  jm_buffer_put(answer, facts->text + facts->head_length, facts->length - facts->head_length - strlen(JM_FACTS_END));
}

int32_t jm_node_facts(struct jm_buffer *answer) {
  pthread_mutex_lock(&jm_lock);
  const struct jm_facts *first = NULL;
  int64_t at_ns = INT64_MAX;
  for (const struct jm_facts *facts = jm_first; facts; facts = facts->next) {
    if (facts->length == 0) continue;
    if (!first) first = facts;
    if (facts->at_ns < at_ns) at_ns = facts->at_ns;
  }
  if (first) {
    uint64_t moment = (uint64_t)at_ns;
    jm_buffer_put(answer, &moment, sizeof moment);
    if (first->head_length == 0) {
      jm_buffer_put(answer, first->text, first->length);
    } else {
      jm_buffer_put(answer, first->text, first->head_length);
      jm_put_isolate(answer, first);
      for (const struct jm_facts *facts = first->next; facts; facts = facts->next) {
        if (facts->length == 0 || facts->head_length == 0) continue;
        jm_buffer_put(answer, ",", 1);
        jm_put_isolate(answer, facts);
      }
      jm_buffer_put(answer, JM_FACTS_END, strlen(JM_FACTS_END));
    }
  }
  pthread_mutex_unlock(&jm_lock);
  return first ? 0 : ENOENT;
}

int32_t jm_ask_node_count(void) {
  pthread_mutex_lock(&jm_lock);
  bool anybody = jm_first != NULL;
  pthread_mutex_unlock(&jm_lock);
  if (anybody) atomic_fetch_add(&jm_asked, 1);
  return anybody ? 0 : ENOENT;
}

void jm_register_node_facts(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"publishNodeFacts", NULL, jm_publish_node_facts, NULL, NULL, NULL, napi_enumerable, NULL},
      {"withdrawNodeFacts", NULL, jm_withdraw_node_facts, NULL, NULL, NULL, napi_enumerable, NULL},
      {"nodeCountsAsked", NULL, jm_node_counts_asked, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
}
#endif
