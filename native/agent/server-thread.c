/* The thread: when it opens its socket, and how it ends. What another thread must know of it stands in one place, and `phase` says who may
 * touch the rest: the server's thread while it is JM_OPENING, others to read while it is JM_OPEN. */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "old-threads.h"
#include "server.h"
#include "system-calls.h"

JM_OLD(pthread_create);
JM_OLD(pthread_attr_setstacksize);
JM_OLD(pthread_join);

/* Room for jemalloc's statistics, beside the thread-local variables of all modules; 16 KB crashed hosts. */
#define JM_STACK_BYTES (256 * 1024)
/* Between a change of user and the next socket. */
#define JM_REOPEN_NS (JM_SECOND_NS / 10)
/* The longest that an exit waits for a socket that is just being made. */
#define JM_EXIT_WAIT_NS JM_SECOND_NS
/* The longest that a start waits for the thread, which needs a tenth of a millisecond. */
#define JM_START_WAIT_NS (JM_SECOND_NS / 50)

enum jm_phase {
  JM_NONE = 0,
  /* The thread is not yet where it calls nothing before it has looked at its filters. */
  JM_STARTING,
  /* A thread is there, and no socket. */
  JM_WAITING,
  JM_OPENING,
  JM_OPEN,
  JM_FAILED,
  /* It is told to end, and has no socket any more. */
  JM_ENDED,
};

static struct {
  _Atomic uint32_t phase;
  /* The process it is about: another one is a child that fork's handlers did not see. */
  pid_t process;
  pid_t thread;
  pthread_t handle;
  bool joinable;
  struct jm_trace trace;
  /* Who told it to end did not take the socket away. */
  bool leaves_socket;
  char reason[256];
  struct jm_start start;
  dev_t error_device;
  ino_t error_inode;
} jm_state;

/* The thread's own. */
static struct jm_server jm_server;

static void jm_wake_waiting(void) {
  syscall(SYS_futex, &jm_state.phase, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static bool jm_step(uint32_t from, uint32_t to) {
  bool stepped = atomic_compare_exchange_strong(&jm_state.phase, &from, to);
  if (stepped) jm_wake_waiting();
  return stepped;
}

/* Waits while the phase is this one; until a moment, or for ever where it is 0. A moment, not a span: the signal by which the C library
 * changes users interrupts every wait. */
static void jm_wait_phase(uint32_t phase, int64_t until_ns) {
  struct timespec left;
  while (atomic_load(&jm_state.phase) == phase) {
    int64_t rest = until_ns ? until_ns - jm_now_ns() : JM_SECOND_NS;
    if (rest <= 0) return;
    left = (struct timespec){.tv_sec = rest / JM_SECOND_NS, .tv_nsec = rest % JM_SECOND_NS};
    long waited = syscall(SYS_futex, &jm_state.phase, FUTEX_WAIT_PRIVATE, phase, &left, NULL, 0);
    /* No second call, as the program may have filtered it meanwhile. */
    if (until_ns && waited == -1 && errno == ETIMEDOUT) return;
  }
}

static void jm_fail(const char *what, const char *reason, int error) {
  /* strerror's texts may be read from a file, and strerror_r has two forms: the number says enough. */
  if (error) snprintf(jm_state.reason, sizeof jm_state.reason, "%.180s %s (errno %d)", what, reason, error);
  else snprintf(jm_state.reason, sizeof jm_state.reason, "%.180s %s", what, reason);
  if (!jm_state.start.explicit) return;
  char line[sizeof jm_state.reason + 64];
  snprintf(line, sizeof line, "jemkit: process %d runs without an agent: %s\n", (int)jm_getpid(), jm_state.reason);
  jm_say(line, jm_state.error_device, jm_state.error_inode);
}

/* One socket from opening to end; the phase is JM_OPENING before and after, but where the process ends. Gives what comes next: JM_WAITING
 * for another socket, or how it ended. */
static enum jm_phase jm_run_once(void) {
  jm_own_directory(jm_state.start.filters > 0);
  const char *reason = jm_socket_open(&jm_server.socket, &jm_state.trace, jm_state.start.directory, jm_state.start.suffix);
  if (reason) {
    jm_fail(jm_state.trace.path, reason, errno);
    return JM_FAILED;
  }
  if (!jm_step(JM_OPENING, JM_OPEN)) return JM_ENDED;
  jm_sweep(&jm_server.socket);
  enum jm_end end = jm_serve(&jm_server);
  /* Told to end: who says so has taken the socket away, if it could. */
  bool told = !jm_step(JM_OPEN, JM_OPENING);
  jm_socket_close(&jm_server.socket, &jm_state.trace);
  return told ? JM_ENDED : end == JM_END_OTHER_USER ? JM_WAITING : JM_FAILED;
}

static bool jm_is_over(void) { return atomic_load(&jm_state.phase) != JM_OPEN; }

static enum jm_phase jm_run(const struct jm_start *start, int status) {
  enum jm_phase next;
  jm_server = (struct jm_server){
      .jemalloc = jm_find_jemalloc(),
      .names = jm_names_open(),
      .place = start->place,
      .started_ns = (uint64_t)jm_now_ns(),
      .node_facts = start->node_facts,
      .node_count = start->node_count,
      .status = status,
      .filters = start->filters,
      .waker = jm_open_waker(),
      .is_over = jm_is_over,
  };
  while ((next = jm_server.names ? jm_run_once() : JM_FAILED) == JM_WAITING) {
    jm_step(JM_OPENING, JM_WAITING);
    jm_wait_phase(JM_WAITING, jm_now_ns() + JM_REOPEN_NS);
    next = JM_ENDED;
    if (!jm_step(JM_WAITING, JM_OPENING)) break;
  }
  jm_close(jm_server.waker);
  jm_names_close(jm_server.names);
  return next;
}

void jm_server_vanish(void) {
  uint32_t phase = atomic_load(&jm_state.phase);
  /* Nobody is woken by it: who waits looks again and again. */
  while (!atomic_compare_exchange_weak(&jm_state.phase, &phase, phase == JM_ENDED ? JM_NONE : JM_FAILED)) continue;
  /* Not the C library's end of a thread, which is several calls; its descriptors go with it. */
  for (;;) syscall(SYS_exit, 0);
}

static void *jm_thread(void *nothing) {
  (void)nothing;
  prctl(PR_SET_NAME, "jemkit-agent", 0, 0, 0);
  const struct jm_start *start = &jm_state.start;
  jm_state.thread = (pid_t)syscall(SYS_gettid);
  bool able = jm_own_descriptors(start->filters > 0);
  int error = errno;
  /* Opened now: later the program may have another root. */
  int status = able ? jm_open_status() : -1;
  jm_step(JM_STARTING, JM_WAITING);
  if (start->open_at_ns) jm_wait_phase(JM_WAITING, start->open_at_ns);
  if (able && jm_filters(status) != start->filters) jm_server_vanish();
  enum jm_phase last = JM_ENDED;
  if (jm_step(JM_WAITING, JM_OPENING)) {
    if (!able) jm_fail("its thread", "cannot have descriptors of its own", error);
    last = able ? jm_run(start, status) : JM_FAILED;
  }
  /* The last thing it does: then another one may be started. */
  jm_step(last == JM_ENDED ? JM_ENDED : JM_OPENING, last == JM_ENDED ? JM_NONE : last);
  return NULL;
}

static size_t jm_thread_locals;

static int jm_add_thread_locals(struct dl_phdr_info *module, size_t size, void *sum) {
  (void)size;
  for (int i = 0; i < module->dlpi_phnum; i++)
    if (module->dlpi_phdr[i].p_type == PT_TLS) *(size_t *)sum += module->dlpi_phdr[i].p_memsz + module->dlpi_phdr[i].p_align;
  return 0;
}

void jm_server_measure(void) {
  size_t sum = 0;
  dl_iterate_phdr(jm_add_thread_locals, &sum);
  /* Whole pages of any machine. */
  jm_thread_locals = (sum + 0xffff) & ~(size_t)0xffff;
}

void jm_server_thread_attributes(pthread_attr_t *attributes, bool joined) {
  pthread_attr_init(attributes);
  if (!joined) pthread_attr_setdetachstate(attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(attributes, JM_STACK_BYTES + jm_thread_locals);
}

bool jm_server_start(const struct jm_start *start) {
  if (!pthread_create || !pthread_attr_setstacksize) return false;
  struct stat error_stream;
  jm_state.start = *start;
  if (start->explicit && jm_stat_at(STDERR_FILENO, "", &error_stream, AT_EMPTY_PATH) == 0) {
    jm_state.error_device = error_stream.st_dev;
    jm_state.error_inode = error_stream.st_ino;
  }
  jm_state.process = jm_getpid();
  jm_state.leaves_socket = false;
  atomic_store(&jm_state.phase, JM_STARTING);

  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  jm_server_thread_attributes(&attributes, start->joined);
  sigfillset(&all);
  /* The thread inherits it: no signal of the program's is ever handled there. */
  sigprocmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread, &attributes, jm_thread, NULL);
  sigprocmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  jm_state.handle = thread;
  jm_state.joinable = error == 0 && start->joined;
  if (error) atomic_store(&jm_state.phase, JM_NONE);
  /* The program may be about to filter the calls of all its threads. */
  else jm_wait_phase(JM_STARTING, jm_now_ns() + JM_START_WAIT_NS);
  return error == 0;
}

bool jm_server_forked(void) {
  uint32_t phase = atomic_exchange(&jm_state.phase, JM_NONE);
  return phase == JM_STARTING || phase == JM_WAITING || phase == JM_OPENING || phase == JM_OPEN;
}

const char *jm_server_path(char reason[256]) {
  jm_wait_phase(JM_STARTING, 0);
  jm_wait_phase(JM_WAITING, 0);
  jm_wait_phase(JM_OPENING, 0);
  if (atomic_load(&jm_state.phase) == JM_OPEN) return jm_state.trace.path;
  memcpy(reason, jm_state.reason, sizeof jm_state.reason);
  return NULL;
}

/* Tells the thread to end. The socket goes now, and not when the thread comes to it: it may be in the middle of anything. True: it has to be
 * woken. */
static bool jm_tell_to_end(void) {
  uint32_t phase = atomic_load(&jm_state.phase);
  /* There is no socket, and nobody but the thread who would have to know. */
  while (phase == JM_STARTING || phase == JM_WAITING)
    if (atomic_compare_exchange_weak(&jm_state.phase, &phase, JM_ENDED)) return false;
  if (phase != JM_OPENING && phase != JM_OPEN) return false;
  /* The program may have locked up the thread that ends it, and not the agent's: there nothing may be called that it would not call itself. */
  bool locked_up = jm_state.start.filters == 0 ? prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0 : jm_filters_here() != jm_state.start.filters;
  if (!locked_up && jm_state.process != jm_getpid()) return false;
  if (!locked_up) jm_wait_phase(JM_OPENING, jm_now_ns() + JM_EXIT_WAIT_NS);
  jm_state.leaves_socket = locked_up;
  phase = JM_OPEN;
  if (!atomic_compare_exchange_strong(&jm_state.phase, &phase, JM_ENDED)) return false;
  if (!locked_up) jm_trace_remove(&jm_state.trace);
  return true;
}

void jm_server_stop(void) {
  if (jm_tell_to_end()) jm_wake(jm_state.process, jm_state.thread);
  /* It may be waiting for the moment to open. */
  else jm_wake_waiting();
}

void jm_server_join(void) {
  if (!pthread_join || !jm_state.joinable || jm_state.process != jm_getpid()) return;
  jm_state.joinable = false;
  pthread_join(jm_state.handle, NULL);
}

void jm_server_wait(void) { jm_wait_phase(JM_ENDED, 0); }

/* The thread itself goes with the process. */
__attribute__((destructor)) static void jm_at_exit(void) { jm_tell_to_end(); }
