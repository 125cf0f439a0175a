/* Reads and writes one value. JavaScript says which type it expects; jemalloc is only ever given the size of that type, and it refuses
 * another one instead of writing: a release in which a type differs is answered with an error, not with somebody's memory. */
#include "mallctl.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "mallctl-types.h"
#include "refused-keys.h"
#include "text-keys.h"

/* How an integer is given: by its type (64 bits as bigint, a size as number if a number holds it), always as bigint, or as the nearest
 * number. */
enum { JM_FORM_TYPED = 0, JM_FORM_EXACT = 1, JM_FORM_NUMBER = 2 };

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

static size_t jm_type_size(int32_t type) {
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

static napi_value jm_throw(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

static void jm_set_number(napi_env env, napi_value object, const char *name, double number) {
  napi_value value;
  if (napi_create_double(env, number, &value) == napi_ok) napi_set_named_property(env, object, name, value);
}

/* {errno, bytes}: bytes is the value's true size where that was the reason and jemalloc told it, else 0. */
static napi_value jm_failure(napi_env env, int error, size_t bytes) {
  napi_value result;
  if (napi_create_object(env, &result) != napi_ok) return NULL;
  jm_set_number(env, result, "errno", error);
  jm_set_number(env, result, "bytes", (double)bytes);
  return result;
}

static napi_value jm_unsigned_value(napi_env env, uint64_t number, int32_t form, bool counts) {
  napi_value result = NULL;
  /* 2^63 is the largest power that can be compared: the one above does not come back from a double. */
  bool exact = number <= (UINT64_C(1) << 53) || (number < (UINT64_C(1) << 63) && (uint64_t)(double)number == number);
  if (form == JM_FORM_EXACT || (form == JM_FORM_TYPED && (counts || !exact))) napi_create_bigint_uint64(env, number, &result);
  else napi_create_double(env, (double)number, &result);
  return result;
}

static napi_value jm_signed_value(napi_env env, int64_t number, int32_t form, bool counts) {
  napi_value result = NULL;
  bool exact = number >= -(INT64_C(1) << 53) && number <= (INT64_C(1) << 53);
  if (form == JM_FORM_EXACT || (form == JM_FORM_TYPED && (counts || !exact))) napi_create_bigint_int64(env, number, &result);
  else napi_create_double(env, (double)number, &result);
  return result;
}

static napi_value jm_text_value(napi_env env, const char *text) {
  napi_value result = NULL;
  if (text) napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
  else napi_get_null(env, &result);
  return result;
}

static napi_value jm_to_javascript(napi_env env, const union jm_value *value, int32_t type, int32_t form) {
  napi_value result = NULL, element;
  switch (type) {
    case JM_MALLCTL_BOOL:
      /* Read as a byte: a bool that is neither 0 nor 1 has no defined meaning in C. */
      napi_get_boolean(env, value->bytes[0] != 0, &result);
      return result;
    case JM_MALLCTL_UNSIGNED: return jm_unsigned_value(env, value->plain, form, false);
    case JM_MALLCTL_UINT32: return jm_unsigned_value(env, value->u32, form, false);
    case JM_MALLCTL_SIZE: return jm_unsigned_value(env, value->size, form, false);
    case JM_MALLCTL_SSIZE: return jm_signed_value(env, value->ssize, form, false);
    case JM_MALLCTL_UINT64: return jm_unsigned_value(env, value->u64, form, true);
    case JM_MALLCTL_INT64: return jm_signed_value(env, value->i64, form, true);
    case JM_MALLCTL_POINTER: return jm_unsigned_value(env, (uint64_t)(uintptr_t)value->text, JM_FORM_EXACT, true);
    case JM_MALLCTL_STRING: return jm_text_value(env, value->text);
    case JM_MALLCTL_PROF_STATS:
      if (napi_create_array_with_length(env, 2, &result) != napi_ok) return NULL;
      for (uint32_t i = 0; i < 2; i++)
        if (napi_create_bigint_uint64(env, value->pair[i], &element) == napi_ok) napi_set_element(env, result, i, element);
      return result;
    default: return NULL;
  }
}

static int jm_ask(const struct jm_question *question, void *old, size_t *old_length, void *new_value, size_t new_length) {
  return question->jemalloc.by_mib(question->mib.parts, question->mib.length, old, old_length, new_value, new_length);
}

/* The size jemalloc says the value has, or 0. Releases before 5.3 refuse a wrong size without saying the right one. */
static size_t jm_true_size(const struct jm_question *question) {
  union jm_value scratch = {0};
  size_t length = sizeof scratch;
  return jm_ask(question, &scratch, &length, NULL, 0) == EINVAL && length < sizeof scratch ? length : 0;
}

/* What both functions begin with. NULL in *failure and false: there is no jemalloc. */
static bool jm_open_question(napi_env env, napi_value name_value, bool writes, struct jm_question *question, napi_value *failure) {
  char name[JM_NAME_MAX], *pattern = question->pattern;
  size_t length = 0;
  struct jm_mib indices;
  struct jm_mallctl_state *state = NULL;
  *failure = NULL;
  if (napi_get_value_string_utf8(env, name_value, name, sizeof name, &length) != napi_ok) {
    jm_throw(env, "mallctl: expected a name");
    return false;
  }
  question->jemalloc = jm_find_jemalloc();
  if (!question->jemalloc.by_mib) return false;
  int error = length == sizeof name - 1 || strlen(name) != length ? ENOENT : jm_mallctl_pattern(name, pattern, &indices);
  if (!error && jm_is_refused_key(pattern, writes)) error = EPERM;
  /* Read as anything else, the value would be taken for the address of a buffer. */
  if (!error && strcmp(pattern, "arena.0.name") == 0 && question->type != JM_MALLCTL_TEXT_BUFFER &&
      !(writes && question->type == JM_MALLCTL_STRING))
    error = EPERM;
  if (!error && (napi_get_instance_data(env, (void **)&state) != napi_ok || !state)) error = ENOMEM;
  bool text = question->type == JM_MALLCTL_STRING || question->type == JM_MALLCTL_TEXT_BUFFER;
  if (!error)
    error = jm_mallctl_translate(state, &question->jemalloc, pattern, &indices, text, &question->mib);
  if (!error) return true;
  *failure = jm_failure(env, error, 0);
  return false;
}

/* mallctlRead(name: string, type: number, form: number): the value, null for a null text, {errno, bytes}, or undefined without jemalloc */
static napi_value jm_mallctl_read(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value args[3], failure;
  struct jm_question question;
  int32_t form = 0;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 3 ||
      napi_get_value_int32(env, args[1], &question.type) != napi_ok || jm_type_size(question.type) == 0 ||
      napi_get_value_int32(env, args[2], &form) != napi_ok)
    return jm_throw(env, "mallctlRead: expected (name: string, type: number, form: number)");
  if (!jm_open_question(env, args[0], false, &question, &failure)) return failure;

  size_t expected = jm_type_size(question.type), length = expected;
  union jm_value value = {0};
  char text[JM_TEXT_MAX] = "";
  if (question.type == JM_MALLCTL_TEXT_BUFFER) value.text = text;
  int error = jm_ask(&question, &value, &length, NULL, 0);
  if (question.type == JM_MALLCTL_TEXT_BUFFER) return error ? jm_failure(env, error, 0) : jm_text_value(env, text);
  if (!error && length == expected) return jm_to_javascript(env, &value, question.type, form);
  size_t actual = error == EINVAL ? jm_true_size(&question) : error ? 0 : length;
  return jm_failure(env, error ? error : EINVAL, actual == expected ? 0 : actual);
}

/* The bytes of a value to be written, or false. Integers come as bigint. */
static bool jm_from_javascript(napi_env env, napi_value given, int32_t type, union jm_value *value, char text[JM_WRITE_TEXT_MAX]) {
  bool lossless = false;
  size_t length = 0;
  switch (type) {
    case JM_MALLCTL_BOOL: return napi_get_value_bool(env, given, &value->boolean) == napi_ok;
    case JM_MALLCTL_UNSIGNED:
    case JM_MALLCTL_UINT32:
    case JM_MALLCTL_SIZE:
    case JM_MALLCTL_UINT64: {
      uint64_t number = 0;
      if (napi_get_value_bigint_uint64(env, given, &number, &lossless) != napi_ok || !lossless) return false;
      if (jm_type_size(type) == sizeof(uint32_t)) {
        value->u32 = (uint32_t)number;
        return number <= UINT32_MAX;
      }
      value->u64 = number;
      return true;
    }
    case JM_MALLCTL_SSIZE:
    case JM_MALLCTL_INT64: return napi_get_value_bigint_int64(env, given, &value->i64, &lossless) == napi_ok && lossless;
    case JM_MALLCTL_STRING:
      if (napi_get_value_string_utf8(env, given, text, JM_WRITE_TEXT_MAX, &length) != napi_ok) return false;
      value->text = text;
      return length < JM_WRITE_TEXT_MAX - 1 && strlen(text) == length;
    default: return false;
  }
}

/* mallctlWrite(name: string, type: number, value: boolean | bigint | string | undefined, oldType: number, form: number): as
 * mallctlRead: the value before where oldType is not void, else true */
static napi_value jm_mallctl_write(napi_env env, napi_callback_info info) {
  size_t argc = 5;
  napi_value args[5], failure, result = NULL;
  napi_valuetype given = napi_undefined;
  struct jm_question question;
  int32_t old_type = 0, form = 0;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 5 ||
      napi_get_value_int32(env, args[1], &question.type) != napi_ok || napi_typeof(env, args[2], &given) != napi_ok ||
      napi_get_value_int32(env, args[3], &old_type) != napi_ok || napi_get_value_int32(env, args[4], &form) != napi_ok ||
      (old_type != JM_MALLCTL_VOID && (old_type != question.type || old_type == JM_MALLCTL_TEXT_BUFFER)))
    return jm_throw(env, "mallctlWrite: expected (name: string, type: number, value, oldType: number, form: number)");

  union jm_value value = {0}, old = {0};
  char text[JM_WRITE_TEXT_MAX];
  bool bare = given == napi_undefined;
  if (!bare && !jm_from_javascript(env, args[2], question.type, &value, text))
    return jm_throw(env, "mallctlWrite: the value is not one of this type");
  if (!jm_open_question(env, args[0], true, &question, &failure)) return failure;

  /* Texts that jemalloc would read from, or write to, an address of 0. */
  bool needs_text = bare && jm_is_text_key(question.pattern) && !jm_takes_no_text(question.pattern);
  if (needs_text || (old_type != JM_MALLCTL_VOID && strcmp(question.pattern, "arena.0.name") == 0))
    return jm_failure(env, EINVAL, 0);

  /* Up to 5.2.1 a bare write of it reads the address of a length that is not given. */
  if (bare && strcmp(question.pattern, "arenas.narenas") == 0) return jm_failure(env, EPERM, 0);
  /* Up to 5.2.1 a reset crashes where profiling is compiled in and off, once the thread has data of it. */
  if (strncmp(question.pattern, "prof.", 5) == 0 || strncmp(question.pattern, "thread.prof.", 12) == 0) {
    bool profiling = false;
    size_t size = sizeof profiling;
    jm_mallctl_fn ctl = jm_find_mallctl();
    if (!ctl || ctl("opt.prof", &profiling, &size, NULL, 0) != 0 || !profiling) return jm_failure(env, ENOENT, 0);
  }

  size_t expected = jm_type_size(old_type), length = expected;
  int error = jm_ask(&question, expected ? &old : NULL, expected ? &length : NULL, bare ? NULL : &value,
                     bare ? 0 : jm_type_size(question.type));
  if (error) return jm_failure(env, error, 0);
  if (expected) return jm_to_javascript(env, &old, old_type, form);
  napi_get_boolean(env, true, &result);
  return result;
}

/* mallctlRefresh(): jemalloc takes new statistics; an errno, 0, or undefined without jemalloc */
static napi_value jm_mallctl_refresh(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result = NULL;
  struct jm_jemalloc jemalloc = jm_find_jemalloc();
  if (!jemalloc.by_mib) return NULL;
  struct jm_mallctl_state *state = NULL;
  struct jm_mib mib, indices = {.length = 1, .parts = {JM_NO_INDEX}};
  uint64_t epoch = 1;
  int error = napi_get_instance_data(env, (void **)&state) == napi_ok && state ? 0 : ENOMEM;
  if (!error) error = jm_mallctl_translate(state, &jemalloc, "epoch", &indices, false, &mib);
  if (!error) error = jemalloc.by_mib(mib.parts, mib.length, NULL, NULL, &epoch, sizeof epoch);
  napi_create_int32(env, error, &result);
  return result;
}

static void jm_end_environment(napi_env env, void *state, void *hint) {
  (void)env;
  (void)hint;
  jm_mallctl_state_destroy(state);
}

void jm_register_mallctl(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"mallctlRead", NULL, jm_mallctl_read, NULL, NULL, NULL, napi_enumerable, NULL},
      {"mallctlWrite", NULL, jm_mallctl_write, NULL, NULL, NULL, napi_enumerable, NULL},
      {"mallctlRefresh", NULL, jm_mallctl_refresh, NULL, NULL, NULL, napi_enumerable, NULL},
      {"openMallctlSampler", NULL, jm_open_mallctl_sampler, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  struct jm_mallctl_state *state = jm_mallctl_state_create();
  if (state && napi_set_instance_data(env, state, jm_end_environment, NULL) != napi_ok) jm_mallctl_state_destroy(state);
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
}
