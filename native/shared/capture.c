#define _GNU_SOURCE
#include "capture.h"

#include <errno.h>

#include "profiler.h"

#ifdef __linux__
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "jemalloc.h"
#include "mallctl-access.h"
#include "system-calls.h"
#include "v8-code.h"

#define JM_CAPTURE_PATH_MAX 4096
#define JM_RENAME_NOREPLACE 1u

void jm_capture_flush(struct jm_capture_file *file) {
  for (size_t at = 0; at < file->used && !file->error;) {
    ssize_t written = jm_write(file->descriptor, file->buffer + at, file->used - at);
    if (written > 0) at += (size_t)written;
    else if (written == 0 || errno != EINTR) file->error = written == 0 ? EIO : errno;
  }
  file->used = 0;
}

void jm_capture_put(struct jm_capture_file *file, const char *bytes, size_t count) {
  while (count > 0 && !file->error) {
    size_t room = sizeof file->buffer - file->used, part = count < room ? count : room;
    memcpy(file->buffer + file->used, bytes, part);
    file->used += part;
    bytes += part;
    count -= part;
    if (file->used == sizeof file->buffer) jm_capture_flush(file);
  }
}

void jm_capture_put_text(struct jm_capture_file *file, const char *text) { jm_capture_put(file, text, strlen(text)); }

void jm_capture_put_escaped(struct jm_capture_file *file, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    const char *as = text[i] == '\\' ? "\\\\" : text[i] == '\t' ? "\\t" : text[i] == '\n' ? "\\n" : NULL;
    if (as) jm_capture_put(file, as, 2);
    else jm_capture_put(file, text + i, 1);
  }
}

static void jm_put_stats(void *file, const char *text) { jm_capture_put_text(file, text); }

static bool jm_put_frames(void *file, const char *text, size_t length) {
  struct jm_capture_file *to = file;
  jm_capture_put(to, text, length);
  return !to->error;
}

static void jm_put_number(struct jm_capture_file *file, const char *name, uint64_t number) {
  char line[64];
  snprintf(line, sizeof line, "%s\t%llu\n", name, (unsigned long long)number);
  jm_capture_put_text(file, line);
}

static void jm_put_line(struct jm_capture_file *file, const char *name, const char *text) {
  jm_capture_put_text(file, name);
  jm_capture_put(file, "\t", 1);
  jm_capture_put_escaped(file, text, strlen(text));
  jm_capture_put(file, "\n", 1);
}

/* node::per_process::metadata, whose first member is a C++ text: node's version. Its bytes lie inside of it, as short texts do in GNU's library; in any
 * other form it is not read. */
extern const struct {
  const char *text;
  size_t length;
  char bytes[16];
} jm_node_metadata __asm__("_ZN4node11per_process8metadataE") __attribute__((weak));

static void jm_put_node(struct jm_capture_file *file) {
  if (!&jm_node_metadata || jm_node_metadata.text != jm_node_metadata.bytes) return;
  size_t length = jm_node_metadata.length;
  if (length == 0 || length >= sizeof jm_node_metadata.bytes) return;
  char version[sizeof jm_node_metadata.bytes + 1] = "v";
  memcpy(version + 1, jm_node_metadata.bytes, length + 1);
  jm_put_line(file, "node", version);
}

static void jm_put_head(struct jm_capture_file *file) {
  struct jm_profiler_state state;
  struct timespec now;
  const char *version = NULL;
  size_t size = sizeof version;
  jm_profiler_look(&state);
  clock_gettime(CLOCK_REALTIME, &now);
  bool ours = state.unwinder == JM_UNWINDER_JEMKIT;
  jm_capture_put_text(file, "\nJEMKIT_CAPTURE 1\n");
  jm_put_number(file, "pid", (uint64_t)jm_getpid());
  jm_put_number(file, "taken_ms", (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
  jm_put_line(file, "unwinder", ours ? "jemkit" : "jemalloc");
  jm_put_node(file);
  if (jm_find_mallctl()("version", &version, &size, NULL, 0) == 0 && version) jm_put_line(file, "jemalloc", version);
  if (ours) {
    jm_put_number(file, "samples", state.samples);
    jm_put_number(file, "truncated", state.truncated);
    jm_put_number(file, "without_javascript", state.without_javascript);
    return;
  }
  jm_capture_put_text(file, "note\tThe stacks are jemalloc's own, which end where JavaScript begins");
  if (state.why[0]) {
    jm_capture_put_text(file, ": ");
    jm_capture_put_escaped(file, state.why, strlen(state.why));
  }
  jm_capture_put_text(file, ".\n");
}

static void jm_put_sections(struct jm_capture_file *file) {
  jm_put_head(file);
  jm_capture_put_text(file, "JEMKIT_BUILD_IDS\n");
  jm_capture_put_build_ids(file);
  jm_capture_put_text(file, "JEMKIT_FRAMES\n");
  jm_v8_write_frames(jm_put_frames, file);
  jm_capture_put_text(file, "JEMKIT_STATISTICS\n");
  jm_stats_print_fn print = jm_find_stats_print();
  /* Sums over arenas, with size classes. Single arenas are left out: where a program destroys some, asking for them ends it. */
  if (print) print(jm_put_stats, file, "Jdaxeh");
  jm_capture_put_text(file, "\nJEMKIT_END\n");
  jm_capture_flush(file);
}

/* jemalloc says of no failure what it was, and of a write that was cut short not even that it failed: then the last line is not whole. */
static int jm_dump_error(int descriptor, int error) {
  static const char bytes[4096];
  struct stat found;
  char last = 0;
  int seen = jm_stat_at(descriptor, "", &found, AT_EMPTY_PATH);
  if (!error && seen == 0 && found.st_size > 0 && jm_pread(descriptor, &last, 1, found.st_size - 1) == 1 && last == '\n') return 0;
  return jm_write(descriptor, bytes, sizeof bytes) == -1 ? errno : EIO;
}

static int jm_write_capture(int descriptor) {
  char opened[64];
  const char *name = opened;
  snprintf(opened, sizeof opened, "/proc/thread-self/fd/%d", descriptor);
  int error = jm_dump_error(descriptor, jm_find_mallctl()("prof.dump", NULL, NULL, &name, sizeof name));
  if (error) return error;
  struct jm_capture_file *file = mmap(NULL, sizeof *file, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (file == MAP_FAILED) return ENOMEM;
  file->descriptor = descriptor;
  jm_put_sections(file);
  error = file->error;
  munmap(file, sizeof *file);
  return error;
}

/* Gives the file its name, if nothing has that name. */
static int jm_give_name(const char *partial, const char *path) {
  if (syscall(SYS_renameat2, AT_FDCWD, partial, AT_FDCWD, path, JM_RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS && errno != EPERM) return errno;
  /* File systems that do not know such a rename, and filters of system calls. */
  if (syscall(SYS_linkat, AT_FDCWD, partial, AT_FDCWD, path, 0) != 0) return errno;
  jm_unlink_at(AT_FDCWD, partial);
  return 0;
}

static int jm_capture_to(const char *path) {
  char partial[JM_CAPTURE_PATH_MAX];
  struct stat found;
  if ((size_t)snprintf(partial, sizeof partial, "%s.partial", path) >= sizeof partial) return ENAMETOOLONG;
  if (jm_stat_at(AT_FDCWD, path, &found, 0) == 0) return EEXIST;
  if (errno != ENOENT) return errno;
  int descriptor = jm_open(partial, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (descriptor == -1) return errno;
  int error = jm_write_capture(descriptor);
  jm_close(descriptor);
  if (!error) error = jm_give_name(partial, path);
  if (error) jm_unlink_at(AT_FDCWD, partial);
  return error;
}

int jm_profiler_capture(const char *path) {
  /* The process that captures: a child of fork may have been made in the middle of it. */
  static atomic_int busy;
  int mine = jm_getpid(), other = atomic_load(&busy);
  if (!jm_is_profiling()) return ENOENT;
  if (other == mine || !atomic_compare_exchange_strong(&busy, &other, mine)) return EBUSY;
  /* Beyond a limit of file sizes the kernel sends what ends most programs. */
  sigset_t limit, before;
  const struct timespec now = {0};
  sigemptyset(&limit);
  sigaddset(&limit, SIGXFSZ);
  sigprocmask(SIG_BLOCK, &limit, &before);
  int error = jm_capture_to(path);
  if (error == EFBIG && !sigismember(&before, SIGXFSZ)) sigtimedwait(&limit, NULL, &now);
  sigprocmask(SIG_SETMASK, &before, NULL);
  atomic_store(&busy, 0);
  return error;
}
#else
int jm_profiler_capture(const char *path) {
  (void)path;
  return ENOTSUP;
}
#endif
