/* The addon: what JavaScript cannot do itself. Each function is one or two system calls, keeps no state, and reports failure by
 * an error number. Nothing here runs unless it is called. */
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/xattr.h>
#endif

#include "agent.h"
#include "jemalloc.h"
#include "mallctl.h"
#include "profiler-functions.h"

#ifdef __APPLE__
/* A bundle cannot name environ itself (environ(7) of macOS). */
#include <crt_externs.h>
#define environ (*_NSGetEnviron())
#else
extern char **environ;
#endif

static napi_value jm_number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

static napi_value jm_throw(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

/* A copy of a Buffer as a C string, or NULL where it is no Buffer or holds a NUL. */
static char *jm_copy_string(napi_env env, napi_value value) {
  bool is_buffer = false;
  void *data = NULL;
  size_t length = 0;
  if (napi_is_buffer(env, value, &is_buffer) != napi_ok || !is_buffer) return NULL;
  if (napi_get_buffer_info(env, value, &data, &length) != napi_ok) return NULL;
  if (length > 0 && memchr(data, 0, length)) return NULL;
  char *copy = malloc(length + 1);
  if (!copy) return NULL;
  if (length > 0) memcpy(copy, data, length);
  copy[length] = 0;
  return copy;
}

static void jm_free_strings(char **strings, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) free(strings[i]);
  free(strings);
}

/* Node ignores these two from its first moment on. execve keeps 'ignored', so the next program would never die of a closed
 * pipe, which every shell pipeline relies on. */
static const int jm_ignored_by_node[] = {SIGPIPE, SIGXFSZ};

/* replaceProcess(path: Buffer, argv: Buffer[], keepIgnored: boolean): number, an errno; on success it does not return. */
static napi_value jm_replace_process(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value args[3];
  uint32_t count = 0;
  bool keep_ignored = false;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 3 ||
      napi_get_array_length(env, args[1], &count) != napi_ok || count == 0 ||
      napi_get_value_bool(env, args[2], &keep_ignored) != napi_ok)
    return jm_throw(env, "replaceProcess: expected (path: Buffer, argv: Buffer[], keepIgnored: boolean)");

  char *path = jm_copy_string(env, args[0]);
  char **argv = calloc((size_t)count + 1, sizeof *argv);
  bool complete = path && argv;
  for (uint32_t i = 0; complete && i < count; i++) {
    napi_value element;
    complete = napi_get_element(env, args[1], i, &element) == napi_ok && (argv[i] = jm_copy_string(env, element));
  }
  if (!complete) {
    free(path);
    if (argv) jm_free_strings(argv, count);
    return jm_throw(env, "replaceProcess: expected Buffers without NUL bytes");
  }

  struct sigaction saved[sizeof jm_ignored_by_node / sizeof *jm_ignored_by_node];
  struct sigaction fresh = {.sa_handler = SIG_DFL};
  size_t resets = keep_ignored ? 0 : sizeof saved / sizeof *saved;
  for (size_t i = 0; i < resets; i++) sigaction(jm_ignored_by_node[i], &fresh, &saved[i]);

  /* A CPU profiler (V8's --cpu-prof) keeps sending SIGPROF to this thread. execve resets its handler, and a pending one would end
   * the new program; an ignored one is dropped. */
  struct sigaction profiling, ignored = {.sa_handler = SIG_IGN};
  bool profiled = sigaction(SIGPROF, NULL, &profiling) == 0 && profiling.sa_handler != SIG_DFL;
  if (profiled) sigaction(SIGPROF, &ignored, NULL);

  execve(path, argv, environ);

  int error = errno;
  if (profiled) sigaction(SIGPROF, &profiling, NULL);
  for (size_t i = 0; i < resets; i++) sigaction(jm_ignored_by_node[i], &saved[i], NULL);
  free(path);
  jm_free_strings(argv, count);
  return jm_number(env, error);
}

/* setInheritable(fd: number, inheritable: boolean): number, an errno or 0 */
static napi_value jm_set_inheritable(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value args[2];
  int32_t fd = -1;
  bool inheritable = false;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 2 ||
      napi_get_value_int32(env, args[0], &fd) != napi_ok || napi_get_value_bool(env, args[1], &inheritable) != napi_ok)
    return jm_throw(env, "setInheritable: expected (descriptor: number, inheritable: boolean)");
  int flags = fcntl(fd, F_GETFD);
  if (flags == -1) return jm_number(env, errno);
  flags = inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
  return jm_number(env, fcntl(fd, F_SETFD, flags) == -1 ? errno : 0);
}

/* setOpenFilesSoftLimit(soft: number): number, an errno or 0. The hard limit stays. */
static napi_value jm_set_open_files_soft_limit(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value args[1];
  double soft = 0;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 1 ||
      napi_get_value_double(env, args[0], &soft) != napi_ok || !(soft >= 0 && soft < 9007199254740992.0))
    return jm_throw(env, "setOpenFilesSoftLimit: expected (soft: number)");
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return jm_number(env, errno);
  if ((rlim_t)soft > limit.rlim_max) return jm_number(env, EINVAL);
  limit.rlim_cur = (rlim_t)soft;
  return jm_number(env, setrlimit(RLIMIT_NOFILE, &limit) == -1 ? errno : 0);
}

/* hasFileCapabilities(path: Buffer): boolean. Such a program starts in the loader's secure mode. */
static napi_value jm_has_file_capabilities(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value args[1], result = NULL;
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok || argc < 1) argc = 0;
  char *path = argc ? jm_copy_string(env, args[0]) : NULL;
  if (!path) return jm_throw(env, "hasFileCapabilities: expected (path: Buffer)");
#ifdef __linux__
  bool has = getxattr(path, "security.capability", NULL, 0) > 0;
#else
  bool has = false;
#endif
  free(path);
  napi_get_boolean(env, has, &result);
  return result;
}

/* Whether a malloc made here moves jemalloc's counter for this thread. Volatile: a compiler may drop a malloc that is freed at once,
 * and may believe that malloc changes no memory it can see. */
static bool jm_serves(jm_mallctl_fn ctl) {
  volatile uint64_t *allocated = NULL;
  size_t length = sizeof allocated;
  if (ctl("thread.allocatedp", &allocated, &length, NULL, 0) != 0 || !allocated) return false;
  uint64_t before = *allocated;
  void *volatile block = malloc(64);
  uint64_t after = *allocated;
  free(block);
  return after != before;
}

/* readJemalloc(): {version, profilingCompiledIn, pageBytes, serves} or undefined */
static napi_value jm_read_jemalloc(napi_env env, napi_callback_info info) {
  (void)info;
  jm_mallctl_fn ctl = jm_find_mallctl();
  const char *version = NULL;
  bool prof = false;
  size_t page = 0;
  size_t length = sizeof version;
  if (!ctl || ctl("version", &version, &length, NULL, 0) != 0 || !version) return NULL;
  length = sizeof prof;
  if (ctl("config.prof", &prof, &length, NULL, 0) != 0) prof = false;
  length = sizeof page;
  if (ctl("arenas.page", &page, &length, NULL, 0) != 0) page = 0;

  napi_value result, value = NULL;
  if (napi_create_object(env, &result) != napi_ok) return NULL;
  napi_create_string_utf8(env, version, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, result, "version", value);
  napi_get_boolean(env, prof, &value);
  napi_set_named_property(env, result, "profilingCompiledIn", value);
  napi_set_named_property(env, result, "pageBytes", jm_number(env, (double)page));
  napi_get_boolean(env, jm_serves(ctl), &value);
  napi_set_named_property(env, result, "serves", value);
  return result;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"replaceProcess", NULL, jm_replace_process, NULL, NULL, NULL, napi_enumerable, NULL},
      {"setInheritable", NULL, jm_set_inheritable, NULL, NULL, NULL, napi_enumerable, NULL},
      {"setOpenFilesSoftLimit", NULL, jm_set_open_files_soft_limit, NULL, NULL, NULL, napi_enumerable, NULL},
      {"hasFileCapabilities", NULL, jm_has_file_capabilities, NULL, NULL, NULL, napi_enumerable, NULL},
      {"readJemalloc", NULL, jm_read_jemalloc, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  jm_register_mallctl(env, exports);
  jm_register_agent(env, exports);
  jm_register_profiler(env, exports);
  return exports;
}
