/* Tries every system call that the agent makes, in a process of its own that may be killed for it. Only a call's number and its plain arguments
 * count before a filter, not what is behind an address, and it is asked before the kernel looks at either: so most are made with no descriptor
 * at all, and change nothing. Before each a line says which one comes, so that the last line of who was killed says for what. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "agent.h"
#include "old-threads.h"
#include "server.h"
#include "system-calls.h"

#define JM_TRIAL_MS 1000

JM_OLD(pthread_create);
JM_OLD(pthread_attr_setstacksize);

__attribute__((format(printf, 1, 2))) static void jm_tell(const char *format, ...) {
  char line[128];
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  __builtin_va_end(arguments);
  if (length > 0 && (size_t)length < sizeof line) jm_write(STDOUT_FILENO, line, (size_t)length);
}

/* What the agent cannot do without. */
enum jm_need { JM_SPARED, JM_NEEDED };

struct jm_call {
  const char *name;
  enum jm_need need;
  /* The error that it gives where no filter refuses it; 0: it succeeds. */
  int usual;
  long number;
  long arguments[6];
};

static _Atomic uint32_t jm_thread_ran;

static void *jm_thread(void *nothing) {
  atomic_store(&jm_thread_ran, 1);
  return nothing;
}

/* The C library makes threads by one of two calls, and each has some of its own at its beginning and end. */
static int jm_try_thread(void) {
  pthread_t thread;
  pthread_attr_t attributes;
  if (!pthread_create || !pthread_attr_setstacksize) return ENOSYS;
  jm_server_thread_attributes(&attributes, false);
  int error = pthread_create(&thread, &attributes, jm_thread, NULL);
  pthread_attr_destroy(&attributes);
  struct timespec moment = {.tv_nsec = 20000};
  /* It goes on in parallel to its own end. */
  while (!error && !atomic_load(&jm_thread_ran)) nanosleep(&moment, NULL);
  return error;
}

static void jm_try_all(void) {
  static struct sockaddr_un address = {.sun_family = AF_UNIX};
  static struct stat found;
  static char bytes[256];
  static uint32_t word;
  static uint64_t signals = UINT64_C(1) << (JM_WAKING - 1);
  static struct timespec now;
  static const struct timespec past;
  static struct pollfd none;
  static struct ucred peer;
  static socklen_t peer_length = sizeof peer;
  const long status_flags = O_RDONLY | O_CLOEXEC, folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const long create_flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
#define JM_AT(object) (long)(uintptr_t)(object)
  const struct jm_call calls[] = {
      {"prctl", JM_SPARED, 0, SYS_prctl, {PR_SET_NAME, JM_AT("jemkit-agent")}},
      {"gettid", JM_SPARED, 0, SYS_gettid, {0}},
      {"getpid", JM_SPARED, 0, SYS_getpid, {0}},
      {"geteuid", JM_SPARED, 0, SYS_geteuid, {0}},
      {"close_range", JM_NEEDED, 0, SYS_close_range, {~0u, ~0u, JM_CLOSE_RANGE_UNSHARE}},
      {"epoll_create1", JM_NEEDED, 0, SYS_epoll_create1, {EPOLL_CLOEXEC}},
      {"clock_gettime", JM_SPARED, 0, SYS_clock_gettime, {CLOCK_MONOTONIC, JM_AT(&now)}},
      {"rt_sigprocmask", JM_SPARED, 0, SYS_rt_sigprocmask, {SIG_SETMASK, 0, 0, sizeof signals}},
      {"futex", JM_SPARED, 0, SYS_futex, {JM_AT(&word), FUTEX_WAKE_PRIVATE, INT32_MAX}},
      {"futex", JM_SPARED, EAGAIN, SYS_futex, {JM_AT(&word), FUTEX_WAIT_PRIVATE, 1, 0}},
      {"signalfd4", JM_SPARED, 0, SYS_signalfd4, {-1, JM_AT(&signals), sizeof signals, O_CLOEXEC}},
      {"tgkill", JM_SPARED, EINVAL, SYS_tgkill, {-1, -1, JM_WAKING}},
      {"mmap", JM_NEEDED, EINVAL, SYS_mmap, {0, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
      {"mremap", JM_NEEDED, EFAULT, SYS_mremap, {0, 4096, 8192, MREMAP_MAYMOVE}},
      {"madvise", JM_SPARED, 0, SYS_madvise, {0, 0, MADV_DONTFORK}},
      {"munmap", JM_SPARED, EINVAL, SYS_munmap, {0, 0}},
      {"openat", JM_NEEDED, 0, SYS_openat, {AT_FDCWD, JM_AT("/proc/thread-self/status"), status_flags, 0}},
      {"openat", JM_NEEDED, 0, SYS_openat, {AT_FDCWD, JM_AT("/"), folder_flags, 0}},
      {"openat", JM_SPARED, ENOENT, SYS_openat, {AT_FDCWD, JM_AT(""), create_flags, 0600}},
      {"pread64", JM_NEEDED, EBADF, SYS_pread64, {-1, JM_AT(bytes), sizeof bytes, 0}},
      {"read", JM_SPARED, EBADF, SYS_read, {-1, JM_AT(bytes), sizeof bytes}},
      {"write", JM_SPARED, EBADF, SYS_write, {-1, JM_AT(bytes), sizeof bytes}},
      {"close", JM_SPARED, EBADF, SYS_close, {-1}},
      {"newfstatat", JM_NEEDED, EBADF, SYS_newfstatat, {-1, JM_AT(""), JM_AT(&found), AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW}},
      {"getdents64", JM_SPARED, EBADF, SYS_getdents64, {-1, JM_AT(bytes), sizeof bytes}},
      {"lseek", JM_SPARED, EBADF, SYS_lseek, {-1, 0, SEEK_SET}},
      /* Captures get their name by these. */
      {"renameat2", JM_SPARED, EBADF, SYS_renameat2, {-1, JM_AT("-"), -1, JM_AT("-"), 1}},
      {"linkat", JM_SPARED, EBADF, SYS_linkat, {-1, JM_AT("-"), -1, JM_AT("-"), 0}},
      {"mkdirat", JM_NEEDED, EEXIST, SYS_mkdirat, {AT_FDCWD, JM_AT("/"), 0700}},
      {"unlinkat", JM_SPARED, EBADF, SYS_unlinkat, {-1, JM_AT("-"), 0}},
      {"fchmod", JM_SPARED, EBADF, SYS_fchmod, {-1, 0600}},
      {"fchmodat", JM_SPARED, EBADF, SYS_fchmodat, {-1, JM_AT("-"), 0600}},
#ifdef SYS_creat
      /* jemalloc's, for profiles. */
      {"creat", JM_SPARED, ENOENT, SYS_creat, {JM_AT(""), 0644}},
#endif
      {"socket", JM_NEEDED, 0, SYS_socket, {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0}},
      {"bind", JM_NEEDED, EBADF, SYS_bind, {-1, JM_AT(&address), sizeof address}},
      {"listen", JM_NEEDED, EBADF, SYS_listen, {-1, JM_BACKLOG}},
      {"connect", JM_SPARED, EBADF, SYS_connect, {-1, JM_AT(&address), sizeof address}},
      {"ppoll", JM_NEEDED, 0, SYS_ppoll, {JM_AT(&none), 0, JM_AT(&past), 0, 0}},
      {"accept4", JM_NEEDED, EBADF, SYS_accept4, {-1, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK}},
      {"getsockopt", JM_NEEDED, EBADF, SYS_getsockopt, {-1, SOL_SOCKET, SO_PEERCRED, JM_AT(&peer), JM_AT(&peer_length)}},
      {"recvfrom", JM_NEEDED, EBADF, SYS_recvfrom, {-1, JM_AT(bytes), sizeof bytes, MSG_DONTWAIT, 0, 0}},
      {"sendto", JM_NEEDED, EBADF, SYS_sendto, {-1, JM_AT(bytes), sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0}},
      {"pidfd_open", JM_SPARED, 0, SYS_pidfd_open, {jm_getpid(), 0}},
      {"pidfd_getfd", JM_SPARED, EBADF, SYS_pidfd_getfd, {-1, STDERR_FILENO, 0}},
  };
  const char *refused = "pthread_create";
  jm_tell("call %s\n", refused);
  int error = jm_try_thread();
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    const struct jm_call *call = &calls[i];
    const long *with = call->arguments;
    jm_tell("call %s\n", call->name);
    errno = 0;
    syscall(call->number, with[0], with[1], with[2], with[3], with[4], with[5]);
    if (error || call->need != JM_NEEDED || errno == call->usual) continue;
    error = errno;
    refused = call->name;
  }
  if (error) jm_tell("refused %s %d\n", refused, error);
  else jm_tell("works\n");
}

void jm_trial(void) {
  char proof[JM_PROOF_MAX];
  int filters = jm_filters_here();
  if (filters == 0) return;
  if (filters == JM_FILTERS_UNKNOWN) {
    jm_tell("filters unknown\n");
    return;
  }
  jm_filters_proof(filters, proof);
  jm_tell("filters %s\n", proof);
  /* A process of one thread: where a filter ends threads only, the allocator's own would go on without the one that tries. */
  pid_t child = fork();
  if (child == 0) {
    /* Being killed is what this one is for: no core, nor a report of a crash. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    jm_try_all();
    _exit(0);
  }
  if (child == -1) {
    jm_tell("refused fork %d\n", errno);
    return;
  }
  int status = 0;
  struct timespec moment = {.tv_nsec = 100000};
  /* A filter may also have somebody asked who never answers. */
  int64_t until = jm_now_ns() + JM_TRIAL_MS * INT64_C(1000000);
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (jm_now_ns() > until) kill(child, SIGKILL);
    nanosleep(&moment, NULL);
  }
  if (WIFSIGNALED(status)) jm_tell("signal %d\n", WTERMSIG(status));
}
