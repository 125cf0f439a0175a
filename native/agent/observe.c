/* Whether this process gets an agent, and what becomes of it in the children it forks. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>

#include "agent.h"
#include "old-threads.h"
#include "proven-programs.h"
#include "server.h"
#include "system-calls.h"

/* A program that is over by then has cost a thread that slept. */
#define JM_OPEN_AFTER_START_NS (JM_SECOND_NS / 10)
/* Most children of a fork become another program, or end. */
#define JM_OPEN_AFTER_FORK_NS JM_SECOND_NS

/* Not in environ: programs that change their title write over it. */
static char jm_directory[JM_PATH_MAX] = "/tmp";
static struct jm_start jm_start_here = {.directory = jm_directory, .suffix = ".sock", .joined = true};

static bool jm_is_among(const char *name, const char *const *programs, size_t count) {
  for (size_t i = 0; i < count; i++) {
    size_t known = strlen(programs[i]);
    if (strncmp(name, programs[i], known) == 0 && name[known + strspn(name + known, "0123456789.")] == 0) return true;
  }
  return false;
}

#define JM_IS_AMONG(name, programs) jm_is_among(name, programs, sizeof programs / sizeof *programs)

static bool jm_is_program_for_it(bool always) {
  char path[JM_PATH_MAX];
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return always;
  path[length] = 0;
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  return always ? !JM_IS_AMONG(name, jm_unfit_programs) : JM_IS_AMONG(name, jm_proven_programs);
}

JM_OLD(pthread_key_create);
JM_OLD(pthread_setspecific);

static pthread_key_t jm_main_thread;

/* A program may end its first thread alone (pthread_exit), and is over when the last of its threads is: which the agent's must not be. */
static void jm_main_thread_ended(void *nothing) {
  (void)nothing;
  jm_server_stop();
  /* The last thread to go runs exit(): that must be one of the program's own, which has its descriptors. */
  jm_server_join();
}

static bool jm_start_server(int64_t after_ns) {
  jm_start_here.open_at_ns = jm_now_ns() + after_ns;
  return pthread_setspecific(jm_main_thread, &jm_start_here) == 0 && jm_server_start(&jm_start_here);
}

/* The allocator's own handler was registered before this one, and so has run: threads can be made. */
static void jm_after_fork(void) {
  int error = errno;
  if (jm_server_forked() && jm_filters_here() == jm_start_here.filters) jm_start_server(JM_OPEN_AFTER_FORK_NS);
  errno = error;
}

void jm_observe(const char *wish, const char *claim) {
  bool always = strcmp(wish, "1") == 0;
  /* In a program that runs with more rights than who started it, nobody's wish counts. */
  if (!(always || strcmp(wish, "auto") == 0) || getauxval(AT_SECURE)) return;
  jm_start_here.filters = jm_proven_filters(claim);
  if (jm_start_here.filters == JM_FILTERS_UNKNOWN || !jm_is_program_for_it(always)) return;
  const char *directory = jm_variable("JEMKIT_AGENT_DIR");
  if (directory && *directory == '/' && strlen(directory) < sizeof jm_directory) strcpy(jm_directory, directory);
  jm_start_here.explicit = always;
  jm_server_measure();
  if (!pthread_key_create || !pthread_setspecific || pthread_key_create(&jm_main_thread, jm_main_thread_ended) != 0) return;
  /* In this order: starting a thread allocates, so an allocator that must be told of forks asks for it before we do. */
  if (jm_start_server(JM_OPEN_AFTER_START_NS)) pthread_atfork(NULL, NULL, jm_after_fork);
}
