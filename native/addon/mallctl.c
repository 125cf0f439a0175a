/* Values between JavaScript and jemalloc's control interface. */
#include "mallctl.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "mallctl-access.h"

/* How an integer is given: by its type (64 bits as bigint, a size as number if a number holds it), always as bigint, or as the nearest
 * number. */
enum { JM_FORM_TYPED = 0, JM_FORM_EXACT = 1, JM_FORM_NUMBER = 2 };

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
    case JM_MALLCTL_STRING:
    case JM_MALLCTL_TEXT_BUFFER: return jm_text_value(env, value->text);
    case JM_MALLCTL_PROF_STATS:
      if (napi_create_array_with_length(env, 2, &result) != napi_ok) return NULL;
      for (uint32_t i = 0; i < 2; i++)
        if (napi_create_bigint_uint64(env, value->pair[i], &element) == napi_ok) napi_set_element(env, result, i, element);
      return result;
    default: return NULL;
  }
}

/* What both functions begin with. NULL in *failure and false: there is no jemalloc. */
static bool jm_begin(napi_env env, napi_value name_value, bool writes, struct jm_question *question, napi_value *failure) {
  char name[JM_NAME_MAX];
  size_t length = 0;
  struct jm_names *names = NULL;
  *failure = NULL;
  if (napi_get_value_string_utf8(env, name_value, name, sizeof name, &length) != napi_ok) {
    jm_throw(env, "mallctl: expected a name");
    return false;
  }
  question->jemalloc = jm_find_jemalloc();
  if (!question->jemalloc.by_mib) return false;
  int error = length == sizeof name - 1 || strlen(name) != length ? ENOENT : 0;
  if (!error && (napi_get_instance_data(env, (void **)&names) != napi_ok || !names)) error = ENOMEM;
  if (!error) error = jm_open_question(names, name, writes, question);
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
  if (!jm_begin(env, args[0], false, &question, &failure)) return failure;

  union jm_value value;
  char text[JM_TEXT_MAX];
  size_t true_size = 0;
  int error = jm_read_value(&question, &value, text, &true_size);
  return error ? jm_failure(env, error, true_size) : jm_to_javascript(env, &value, question.type, form);
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
  if (!jm_begin(env, args[0], true, &question, &failure)) return failure;

  bool asks = old_type != JM_MALLCTL_VOID;
  int error = jm_write_value(&question, bare ? NULL : &value, asks ? &old : NULL);
  if (error) return jm_failure(env, error, 0);
  if (asks) return jm_to_javascript(env, &old, old_type, form);
  napi_get_boolean(env, true, &result);
  return result;
}

/* mallctlRefresh(): jemalloc takes new statistics; an errno, 0, or undefined without jemalloc */
static napi_value jm_mallctl_refresh(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result = NULL;
  struct jm_jemalloc jemalloc = jm_find_jemalloc();
  if (!jemalloc.by_mib) return NULL;
  struct jm_names *names = NULL;
  int error = napi_get_instance_data(env, (void **)&names) == napi_ok && names ? jm_refresh(names, &jemalloc) : ENOMEM;
  napi_create_int32(env, error, &result);
  return result;
}

static void jm_end_environment(napi_env env, void *names, void *hint) {
  (void)env;
  (void)hint;
  jm_names_close(names);
}

void jm_register_mallctl(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"mallctlRead", NULL, jm_mallctl_read, NULL, NULL, NULL, napi_enumerable, NULL},
      {"mallctlWrite", NULL, jm_mallctl_write, NULL, NULL, NULL, napi_enumerable, NULL},
      {"mallctlRefresh", NULL, jm_mallctl_refresh, NULL, NULL, NULL, napi_enumerable, NULL},
      {"openMallctlSampler", NULL, jm_open_mallctl_sampler, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  struct jm_names *names = jm_names_open();
  if (names && napi_set_instance_data(env, names, jm_end_environment, NULL) != napi_ok) jm_names_close(names);
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
}
