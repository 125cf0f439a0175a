#define _GNU_SOURCE
#include "server-steer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jemalloc.h"
#include "mallctl-access.h"
#include "profiler.h"
#include "server.h"
#include "system-calls.h"

#define JM_ALL_ARENAS_INDEX 4096

void jm_name_arena(char name[JM_NAME_MAX], uint32_t arena, const char *verb) {
  /* 4096 itself is jemalloc's own number for all: as an index it is one that no arena has. */
  unsigned index = arena == JM_WIRE_ALL_ARENAS ? JM_ALL_ARENAS_INDEX : arena == JM_ALL_ARENAS_INDEX ? UINT32_MAX : arena;
  snprintf(name, JM_NAME_MAX, "arena.%u.%s", index, verb);
}

int32_t jm_set_prof_active(unsigned char on, unsigned char *before) {
  jm_mallctl_fn ctl = jm_find_mallctl();
  size_t length = sizeof *before;
  if (!ctl) return JM_WIRE_NO_JEMALLOC;
  if (!jm_is_profiling()) return ENOENT;
  return ctl("prof.active", before, &length, &on, sizeof on);
}

int32_t jm_reset_prof(int64_t sample) {
  jm_mallctl_fn ctl = jm_find_mallctl();
  size_t rate = (size_t)sample;
  if (!ctl) return JM_WIRE_NO_JEMALLOC;
  /* Up to 5.2.1 a reset crashes where profiling is compiled in and off. */
  if (!jm_is_profiling()) return ENOENT;
  return ctl("prof.reset", NULL, NULL, sample == -1 ? NULL : &rate, sample == -1 ? 0 : sizeof rate);
}

static int jm_dump(jm_mallctl_fn ctl, const char *path) {
  return ctl("prof.dump", NULL, NULL, path ? &path : NULL, path ? sizeof path : 0);
}

/* jemalloc's names are relative to the working directory, which must be the program's. */
static int32_t jm_dump_unnamed(jm_mallctl_fn ctl) {
  if (!jm_has_own_directory()) return jm_dump(ctl, NULL);
  if (jm_chdir("/proc/self/cwd") == -1) return errno;
  int error = jm_dump(ctl, NULL);
  return jm_chdir("/") == -1 && !error ? errno : error;
}

/* Whoever may ask has the rights of the process's user, and not those that the process alone was given (systemd's AmbientCapabilities=, setcap): it
 * must not make files for them where the user may not. True where it cannot be told. */
static bool jm_has_rights_over_files(void) {
  /* CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_SYS_ADMIN */
  const unsigned long long mask = 0x1f | UINT64_C(1) << 21;
  char text[4096];
  int status = jm_open_status();
  ssize_t length = status == -1 ? -1 : jm_pread(status, text, sizeof text - 1, 0);
  if (status != -1) jm_close(status);
  if (length <= 0) return true;
  text[length] = 0;
  const char *line = strstr(text, "\nCapEff:\t");
  return !line || (strtoull(line + sizeof "\nCapEff:\t" - 1, NULL, 16) & mask) != 0;
}

/* What a client must be, and give, to have a file written: a status. */
static int32_t jm_take_path(const unsigned char *bytes, size_t length, char path[JM_PATH_MAX]) {
  if (!jm_find_mallctl()) return JM_WIRE_NO_JEMALLOC;
  if (length == 0 || length >= JM_PATH_MAX || bytes[0] != '/' || memchr(bytes, 0, length)) return JM_WIRE_MALFORMED;
  if (!jm_is_profiling()) return ENOENT;
  if (jm_geteuid() != 0 && jm_has_rights_over_files()) return EACCES;
  memcpy(path, bytes, length);
  path[length] = 0;
  return 0;
}

int32_t jm_start_prof(const unsigned char *question, size_t length) {
  struct jm_profiler_wish wish;
  const unsigned char known = JM_WIRE_PROF_THREAD_POOL | JM_WIRE_PROF_FORGET;
  if (length != sizeof wish.lg_sample + 1 || (question[sizeof wish.lg_sample] & ~known)) return JM_WIRE_MALFORMED;
  memcpy(&wish.lg_sample, question, sizeof wish.lg_sample);
  wish.thread_pool = question[sizeof wish.lg_sample] & JM_WIRE_PROF_THREAD_POOL;
  wish.reset = question[sizeof wish.lg_sample] & JM_WIRE_PROF_FORGET;
  if (wish.lg_sample < -1) return JM_WIRE_MALFORMED;
  return jm_find_mallctl() ? jm_profiler()->start(&wish) : JM_WIRE_NO_JEMALLOC;
}

int32_t jm_stop_prof(void) { return jm_find_mallctl() ? jm_profiler()->stop() : JM_WIRE_NO_JEMALLOC; }

int32_t jm_capture_prof(const unsigned char *bytes, size_t length, uint64_t *size) {
  char path[JM_PATH_MAX];
  struct stat written;
  int32_t status = jm_take_path(bytes, length, path);
  if (!status) status = jm_profiler()->capture(path);
  if (!status) *size = jm_stat_at(AT_FDCWD, path, &written, 0) == 0 ? (uint64_t)written.st_size : 0;
  return status;
}

int32_t jm_dump_prof(const unsigned char *bytes, size_t length) {
  jm_mallctl_fn ctl = jm_find_mallctl();
  char path[JM_PATH_MAX], opened[64];
  if (!ctl) return JM_WIRE_NO_JEMALLOC;
  if (length == 0) return jm_is_profiling() ? jm_dump_unnamed(ctl) : ENOENT;
  int32_t status = jm_take_path(bytes, length, path);
  if (status) return status;
  /* jemalloc empties what is there, and follows links. So the file is made here, where nothing may be, and jemalloc opens it through
   * its descriptor: in between nobody can put another one in its place. */
  int file = jm_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (file == -1) return errno;
  snprintf(opened, sizeof opened, "/proc/thread-self/fd/%d", file);
  int error = jm_dump(ctl, opened);
  jm_close(file);
  if (error) jm_unlink_at(AT_FDCWD, path);
  return error;
}
