/* Profiling from the first moment on, and a capture at the last. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "agent.h"
#include "mallctl-access.h"
#include "pool-askers.h"
#include "profiler.h"
#include "system-calls.h"
#include "v8-code.h"

extern char **environ;

/* Declared weak for who looks for it; it is what they find. */
__attribute__((visibility("default"))) const struct jm_profiler_table jemkit_profiler_1 = JM_PROFILER_TABLE;

#define JM_AT_EXIT "JEMKIT_PROFILE_AT_EXIT="

/* `JEMKIT_PROFILE_AT_EXIT=<pid>:<path>`, for what this process becomes by exec, and none of its children. */
static char jm_entry[4096 + 64];
static const char *jm_path;
static pid_t jm_process;

/* There in node alone, whose capture jemkit's own JavaScript writes before the end: later its memory is freed already. */
extern int napi_get_node_version(void *, const void **) __attribute__((weak));

static void jm_capture_at_exit(void) {
  if (jm_getpid() != jm_process) return;
  int error = jm_profiler_capture(jm_path);
  if (error == 0) return;
  char line[256];
  int length = snprintf(line, sizeof line, "jemkit: no heap profile of process %d in %.160s (errno %d)\n", (int)jm_process, jm_path, error);
  ssize_t written = jm_write(STDERR_FILENO, line, length > 0 && length < (int)sizeof line ? (size_t)length : sizeof line - 1);
  (void)written;
}

/* Whose exit is meant: the first process that sees a path without a pid. */
static const char *jm_take_at_exit(const char *value) {
  char *behind = NULL;
  unsigned long pid = value[0] == '/' ? 0 : strtoul(value, &behind, 10);
  if (value[0] == '/') {
    if ((size_t)snprintf(jm_entry, sizeof jm_entry, JM_AT_EXIT "%d:%s", (int)jm_getpid(), value) >= sizeof jm_entry) return NULL;
    for (char **entry = environ; *entry; entry++)
      if (strncmp(*entry, JM_AT_EXIT, sizeof JM_AT_EXIT - 1) == 0) *entry = jm_entry;
    return strchr(jm_entry, ':') + 1;
  }
  if (behind == value || behind[0] != ':' || behind[1] != '/' || pid != (unsigned long)jm_getpid()) return NULL;
  if ((size_t)snprintf(jm_entry, sizeof jm_entry, "%s", behind + 1) >= sizeof jm_entry) return NULL;
  return jm_entry;
}

void jm_profile(const char *wish, const char *at_exit, const char *thread_pool) {
  if (getauxval(AT_SECURE)) return;
  jm_path = at_exit ? jm_take_at_exit(at_exit) : NULL;
  if (!jm_is_profiling()) return;
  bool prepared = wish && strcmp(wish, "1") == 0 && jm_profiler_prepare();
  if (prepared && thread_pool && strcmp(thread_pool, "1") == 0) jm_carry_askers();
  if (!jm_path || napi_get_node_version) return;
  jm_process = jm_getpid();
  atexit(jm_capture_at_exit);
}
