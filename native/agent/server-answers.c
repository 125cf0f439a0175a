/* One function for each operation. It gets the bytes of its question, appends those of its answer, and gives the answer's status. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "mallctl-access.h"
#include "profiler.h"
#include "server-steer.h"
#include "server.h"
#include "system-calls.h"

struct jm_asked {
  struct jm_server *server;
  struct jm_client *client;
  const unsigned char *bytes;
  size_t length;
  struct jm_buffer *answer;
};

static bool jm_begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* Beyond what the addon refuses: the agent's thread is nobody's, so its own tcache and counters say nothing; and files are made only
 * where JM_WIRE_PROF_DUMP looks before. */
static bool jm_is_refused_here(const char *pattern, bool writes) {
  return jm_begins(pattern, "thread.") ||
         (writes && (strcmp(pattern, "prof.dump") == 0 || jm_begins(pattern, "prof.log_")));
}

/* A name out of a question, as a text. */
static int32_t jm_take_name(const unsigned char *bytes, size_t length, char name[JM_NAME_MAX]) {
  if (length == 0 || memchr(bytes, 0, length)) return JM_WIRE_MALFORMED;
  if (length >= JM_NAME_MAX) return ENOENT;
  memcpy(name, bytes, length);
  name[length] = 0;
  return 0;
}

static int32_t jm_open_named(const struct jm_asked *asked, const char *name, bool writes, struct jm_question *question) {
  struct jm_mib indices;
  question->jemalloc = asked->server->jemalloc;
  if (!question->jemalloc.by_mib) return JM_WIRE_NO_JEMALLOC;
  if (jm_names_pattern(name, question->pattern, &indices) != 0) return ENOENT;
  if (jm_is_refused_here(question->pattern, writes)) return JM_WIRE_REFUSED;
  int error = jm_open_question(asked->server->names, name, writes, question);
  return error == EPERM ? JM_WIRE_REFUSED : error;
}

static void jm_put_value(struct jm_buffer *answer, int32_t type, const union jm_value *value, size_t true_size) {
  bool text = jm_is_text_type(type);
  struct jm_wire_value head = {
      .type = (uint8_t)type, .is_null = text && value && !value->text, .true_size = (uint32_t)true_size};
  jm_buffer_put(answer, &head, sizeof head);
  if (!value) return;
  if (!text) jm_buffer_put(answer, value, jm_type_size(type));
  else if (value->text) jm_buffer_put(answer, value->text, strlen(value->text));
}

static int32_t jm_answer_hello(const struct jm_asked *asked) {
  const char *version = NULL;
  size_t length = sizeof version;
  bool prof = false;
  jm_mallctl_fn ctl = jm_find_mallctl();
  if (!ctl || ctl("version", &version, &length, NULL, 0) != 0 || !version) version = "";
  length = sizeof prof;
  if (!ctl || ctl("config.prof", &prof, &length, NULL, 0) != 0) prof = false;
  struct jm_wire_hello hello = {
      .pid = (uint32_t)jm_getpid(),
      .flags = asked->server->place | (*version ? JM_WIRE_HAS_JEMALLOC : 0u) | (prof ? JM_WIRE_PROF_COMPILED_IN : 0u) |
               (jm_is_profiling() ? JM_WIRE_PROF_ENABLED : 0u),
      .started_ns = asked->server->started_ns,
      .now_ns = (uint64_t)jm_now_ns(),
  };
  jm_buffer_put(asked->answer, &hello, sizeof hello);
  jm_buffer_put(asked->answer, JM_VERSION, sizeof JM_VERSION);
  jm_buffer_put(asked->answer, version, strlen(version) + 1);
  return 0;
}

static int32_t jm_answer_read(const struct jm_asked *asked) {
  struct jm_question question;
  union jm_value value;
  char name[JM_NAME_MAX], text[JM_TEXT_MAX];
  size_t true_size;
  if (asked->length < 4 || jm_type_size(asked->bytes[0]) == 0) return JM_WIRE_MALFORMED;
  question.type = asked->bytes[0];
  int32_t status = jm_take_name(asked->bytes + 4, asked->length - 4, name);
  if (!status) status = jm_open_named(asked, name, false, &question);
  if (!status && asked->bytes[1]) status = jm_refresh(asked->server->names, &asked->server->jemalloc);
  if (status) {
    if (status == EINVAL) jm_put_value(asked->answer, question.type, NULL, 0);
    return status;
  }
  status = jm_read_value(&question, &value, text, &true_size);
  if (!status || status == EINVAL) jm_put_value(asked->answer, question.type, status ? NULL : &value, true_size);
  return status;
}

/* A value out of a question. A text stays where it is. */
static bool jm_take_value(int32_t type, const unsigned char *bytes, size_t length, union jm_value *value) {
  memset(value, 0, sizeof *value);
  if (type == JM_MALLCTL_STRING) {
    value->text = (const char *)bytes;
    return length <= JM_WRITE_TEXT_MAX && memchr(bytes, 0, length) == bytes + length - 1;
  }
  if (type < JM_MALLCTL_BOOL || type > JM_MALLCTL_INT64 || length != jm_type_size(type)) return false;
  memcpy(value, bytes, length);
  return type != JM_MALLCTL_BOOL || value->bytes[0] <= 1;
}

static int32_t jm_answer_write(const struct jm_asked *asked) {
  struct jm_question question;
  union jm_value value, old;
  char name[JM_NAME_MAX];
  uint16_t name_length;
  if (asked->length < 4) return JM_WIRE_MALFORMED;
  memcpy(&name_length, asked->bytes + 2, sizeof name_length);
  int32_t type = asked->bytes[0], old_type = asked->bytes[1];
  if (asked->length - 4 < name_length || (old_type != JM_MALLCTL_VOID && old_type != type)) return JM_WIRE_MALFORMED;
  const unsigned char *bytes = asked->bytes + 4 + name_length;
  size_t length = asked->length - 4 - name_length;
  if (length > 0 ? !jm_take_value(type, bytes, length, &value) : type > JM_MALLCTL_PROF_STATS) return JM_WIRE_MALFORMED;
  question.type = type;
  int32_t status = jm_take_name(asked->bytes + 4, name_length, name);
  if (!status) status = jm_open_named(asked, name, true, &question);
  bool asks = old_type != JM_MALLCTL_VOID;
  if (!status) status = jm_write_value(&question, length > 0 ? &value : NULL, asks ? &old : NULL);
  if (!status && asks) jm_put_value(asked->answer, old_type, &old, 0);
  return status;
}

static int32_t jm_answer_select(const struct jm_asked *asked) {
  uint16_t count;
  size_t at = sizeof count;
  if (asked->length < sizeof count) return JM_WIRE_MALFORMED;
  memcpy(&count, asked->bytes, sizeof count);
  if (count > JM_WIRE_SELECTED_MAX) return JM_WIRE_MALFORMED;
  asked->client->selected = 0;
  for (uint16_t i = 0; i < count; i++) {
    if (asked->length - at < 2) return JM_WIRE_MALFORMED;
    int32_t type = asked->bytes[at];
    size_t length = asked->bytes[at + 1];
    at += 2;
    if (asked->length - at < length || !jm_is_counter_type(type)) return JM_WIRE_MALFORMED;
    struct jm_counter *counter = &asked->client->counters[i];
    char name[JM_NAME_MAX], pattern[JM_NAME_MAX];
    struct jm_mib indices;
    *counter = (struct jm_counter){.type = type};
    bool open = jm_take_name(asked->bytes + at, length, name) == 0 && jm_names_pattern(name, pattern, &indices) == 0 &&
                !jm_is_refused_here(pattern, false) && asked->server->jemalloc.by_mib;
    if (open) jm_open_counter(asked->server->names, &asked->server->jemalloc, name, counter);
    at += length;
  }
  if (at != asked->length) return JM_WIRE_MALFORMED;
  asked->client->selected = count;
  return 0;
}

static int32_t jm_answer_sample(const struct jm_asked *asked) {
  const struct jm_client *client = asked->client;
  if (!asked->server->jemalloc.by_mib) return JM_WIRE_NO_JEMALLOC;
  int error = jm_refresh(asked->server->names, &asked->server->jemalloc);
  if (error) return error;
  uint64_t now = (uint64_t)jm_now_ns();
  jm_buffer_put(asked->answer, &now, sizeof now);
  for (uint32_t i = 0; i < client->selected; i++) {
    double number = jm_read_counter(&asked->server->jemalloc, &client->counters[i]);
    jm_buffer_put(asked->answer, &number, sizeof number);
  }
  return 0;
}

static void jm_put_text(void *answer, const char *text) { jm_buffer_put(answer, text, strlen(text)); }

/* Where a program destroys arenas (4097 stands for those that it has), jemalloc's printer asks for one that is just gone, and then ends the
 * process. */
static bool jm_destroys_arenas(void) {
  bool destroyed = false;
  size_t length = sizeof destroyed;
  jm_mallctl_fn ctl = jm_find_mallctl();
  return ctl && ctl("arena.4097.initialized", &destroyed, &length, NULL, 0) == 0 && destroyed;
}

static int32_t jm_answer_stats(const struct jm_asked *asked) {
  /* jemalloc knows some twenty letters. */
  char options[64];
  jm_stats_print_fn print = jm_find_stats_print();
  if (!print) return JM_WIRE_NO_JEMALLOC;
  if (asked->length >= sizeof options - 1 || (asked->length && memchr(asked->bytes, 0, asked->length))) return JM_WIRE_MALFORMED;
  memcpy(options, asked->bytes, asked->length);
  options[asked->length] = 0;
  if (jm_destroys_arenas()) strcat(options, "a");
  print(jm_put_text, asked->answer, options);
  return 0;
}

static int32_t jm_answer_prof(const struct jm_asked *asked, uint16_t operation) {
  char state[JM_PROFILER_TEXT_MAX];
  uint64_t size = 0;
  int32_t status;
  switch (operation) {
    case JM_WIRE_PROF_START: return jm_start_prof(asked->bytes, asked->length);
    case JM_WIRE_PROF_STOP: return asked->length ? JM_WIRE_MALFORMED : jm_stop_prof();
    case JM_WIRE_PROF_CAPTURE:
      status = jm_capture_prof(asked->bytes, asked->length, &size);
      if (!status) jm_buffer_put(asked->answer, &size, sizeof size);
      return status;
    default:
      if (asked->length) return JM_WIRE_MALFORMED;
      if (!asked->server->jemalloc.by_mib) return JM_WIRE_NO_JEMALLOC;
      jm_buffer_put(asked->answer, state, jm_profiler()->describe(state, sizeof state));
      return 0;
  }
}

static int32_t jm_answer_node(const struct jm_asked *asked) {
  return asked->server->node_facts ? asked->server->node_facts(asked->answer) : ENOENT;
}

static int32_t jm_answer_steering(const struct jm_asked *asked, uint16_t operation) {
  struct jm_question question = {.type = JM_MALLCTL_VOID};
  uint32_t arena;
  int64_t sample;
  switch (operation) {
    case JM_WIRE_DECAY:
    case JM_WIRE_PURGE: {
      if (asked->length != sizeof arena) return JM_WIRE_MALFORMED;
      memcpy(&arena, asked->bytes, sizeof arena);
      char name[JM_NAME_MAX];
      jm_name_arena(name, arena, operation == JM_WIRE_PURGE ? "purge" : "decay");
      int32_t status = jm_open_named(asked, name, true, &question);
      return status ? status : jm_write_value(&question, NULL, NULL);
    }
    case JM_WIRE_PROF_ACTIVE: {
      if (asked->length != 1 || asked->bytes[0] > 1) return JM_WIRE_MALFORMED;
      unsigned char before = 0;
      int32_t status = jm_set_prof_active(asked->bytes[0], &before);
      if (!status) jm_buffer_put(asked->answer, &before, 1);
      return status;
    }
    case JM_WIRE_PROF_DUMP: return jm_dump_prof(asked->bytes, asked->length);
    case JM_WIRE_PROF_RESET:
      if (asked->length != sizeof sample) return JM_WIRE_MALFORMED;
      memcpy(&sample, asked->bytes, sizeof sample);
      return sample < -1 ? JM_WIRE_MALFORMED : jm_reset_prof(sample);
    default: return JM_WIRE_UNKNOWN_OPERATION;
  }
}

static int32_t jm_dispatch(const struct jm_asked *asked, const struct jm_wire_header *question) {
  if (question->version != JM_WIRE_VERSION) return JM_WIRE_OTHER_VERSION;
  if (question->length > JM_WIRE_QUESTION_MAX) return JM_WIRE_MALFORMED;
  switch (question->operation) {
    case JM_WIRE_HELLO: return jm_answer_hello(asked);
    case JM_WIRE_READ: return jm_answer_read(asked);
    case JM_WIRE_WRITE: return jm_answer_write(asked);
    case JM_WIRE_SELECT: return jm_answer_select(asked);
    case JM_WIRE_SAMPLE: return jm_answer_sample(asked);
    case JM_WIRE_STATS: return jm_answer_stats(asked);
    case JM_WIRE_NODE: return jm_answer_node(asked);
    case JM_WIRE_NODE_COUNT: return asked->server->node_count ? asked->server->node_count() : ENOENT;
    case JM_WIRE_PROF_START:
    case JM_WIRE_PROF_STOP:
    case JM_WIRE_PROF_CAPTURE:
    case JM_WIRE_PROF_STATE: return jm_answer_prof(asked, question->operation);
    default: return jm_answer_steering(asked, question->operation);
  }
}

void jm_answer(struct jm_server *server, struct jm_client *client, const struct jm_wire_header *question,
               const unsigned char *bytes) {
  struct jm_buffer *answer = &client->answer;
  struct jm_wire_header header = *question;
  header.version = JM_WIRE_VERSION;
  header.length = 0;
  jm_buffer_put(answer, &header, sizeof header);
  struct jm_asked asked = {server, client, bytes, question->length, answer};
  header.status = jm_dispatch(&asked, question);
  if (answer->failed && answer->data) {
    answer->failed = false;
    answer->used = sizeof header;
    header.status = JM_WIRE_TOO_LARGE;
  }
  if (answer->failed) return;
  header.length = (uint32_t)(answer->used - sizeof header);
  memcpy(answer->data, &header, sizeof header);
}
