/* A program for the agent to be in: `agent-host MODE [ARGUMENT]`. It says `ready` where it waits, and then ends with 7 at the end of its stdin; any other
 * exit code is an error of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h"

#define EXPECT(condition)                                                             \
  do {                                                                                \
    if (!(condition)) {                                                               \
      fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #condition, errno);       \
      _exit(99);                                                                      \
    }                                                                                 \
  } while (0)

/* Functions of a program's own by names of the C library's: not the agent's to call. */
void own_send(void) __asm__("send");
void own_bind(void) __asm__("bind");
void own_poll(void) __asm__("poll");
void own_connect(void) __asm__("connect");
void own_unshare(void) __asm__("unshare");
void own_send(void) { abort(); }
void own_bind(void) { abort(); }
void own_poll(void) { abort(); }
void own_connect(void) { abort(); }
void own_unshare(void) { abort(); }

static int wait_for_end(void) {
  char byte;
  puts("ready");
  fflush(stdout);
  while (read(0, &byte, 1) == 1) continue;
  return 7;
}

static void wait_for_line(void) {
  char byte = 0;
  puts("ready");
  fflush(stdout);
  while (byte != '\n') EXPECT(read(0, &byte, 1) == 1);
}

/* Allocates in sizes of many classes, all the while. */
static void *churn(void *nothing) {
  static void *blocks[256];
  for (unsigned i = 0;; i++) {
    free(blocks[i % 256]);
    blocks[i % 256] = malloc(16u << i % 12);
  }
  return nothing;
}

/* As daemons do: closes whatever it did not open; and expects the lowest number for what it opens. */
static int close_all(void) {
  puts("ready");
  fflush(stdout);
  for (int round = 0; round < 400; round++) {
    for (int fd = 3; fd < 256; fd++) close(fd);
    EXPECT(open("/dev/null", O_RDONLY) == 3);
    usleep(1000);
  }
  return wait_for_end();
}

static int fork_many(int count) {
  pthread_t thread;
  pthread_create(&thread, NULL, churn, NULL);
  puts("ready");
  fflush(stdout);
  for (int i = 0; i < count; i++) {
    pid_t child = fork();
    EXPECT(child != -1);
    if (child == 0) {
      free(malloc(1000 + i));
      if (i % 2) _exit(i % 100);
      exit(i % 100);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == i % 100);
  }
  return wait_for_end();
}

static int fork_one(void) {
  int ends[2];
  EXPECT(pipe(ends) == 0);
  pid_t child = fork();
  EXPECT(child != -1);
  if (child == 0) {
    char byte;
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1) continue;
    exit(0);
  }
  printf("%d\n", (int)child);
  int code = wait_for_end(), status;
  close(ends[1]);
  EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return code;
}

static int daemonize(const char *file, unsigned pause_ms) {
  /* GCC 12's address sanitizer does not take its allocator's locks around fork: the agent's thread must not be inside it. */
  usleep(pause_ms * 1000);
  if (fork() > 0) _exit(7);
  setsid();
  usleep(pause_ms * 1000);
  if (fork() > 0) _exit(0);
  for (int fd = 0; fd < 256; fd++) close(fd);
  umask(0);
  EXPECT(chdir("/") == 0);
  EXPECT(open("/dev/null", O_RDWR) == 0 && dup(0) == 1 && dup(0) == 2);
  int out = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  dprintf(out, "%d\n", (int)getpid());
  close(out);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  int number;
  sigwait(&set, &number);
  exit(0);
}

/* By the program itself, for the calling thread or for all; then it goes on when it is told to. */
static int filter_later(const char *filter, unsigned long flags) {
  wait_for_line();
  add_filter(filter, flags);
  return wait_for_end();
}

static void filter_socket(unsigned action) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  /* For all threads at once, as a sandbox does. */
  EXPECT(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0);
}

static void *end_slowly(void *nothing) {
  usleep(400 * 1000);
  return nothing;
}

/* The process lives as long as its last thread of its own. */
static void *end_at_once(void *nothing) { return nothing; }

static int leave_main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, end_slowly, NULL);
  pthread_detach(thread);
  puts("ready");
  fflush(stdout);
  pthread_exit(NULL);
}

/* What stands in the buffer of stdout is written by exit, which the last thread calls; the first is gone while the agent still sleeps. */
static int leave_main_at_once(void) {
  pthread_t thread;
  puts("still in the buffer");
  pthread_create(&thread, NULL, end_at_once, NULL);
  pthread_detach(thread);
  pthread_exit(NULL);
}

/* More than the agent's stack would be without them. */
static __thread char thread_locals[240 * 1024];

/* How long fork takes for whoever forks, in microseconds. */
static int time_forks(int count) {
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (int i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
  }
  clock_gettime(CLOCK_MONOTONIC, &to);
  printf("%.1f\n", ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / 1e3 / count);
  return 0;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "", *argument = argc > 2 ? argv[2] : "";
  if (strcmp(mode, "wait") == 0) return wait_for_end();
  if (strcmp(mode, "close-all") == 0) return close_all();
  if (strcmp(mode, "fork-many") == 0) return fork_many(atoi(argument));
  if (strcmp(mode, "fork-one") == 0) return fork_one();
  if (strcmp(mode, "time-forks") == 0) return time_forks(atoi(argument));
  if (strcmp(mode, "daemonize") == 0) return daemonize(argument, argc > 3 ? (unsigned)atoi(argv[3]) : 0);
  if (strcmp(mode, "leave-main") == 0) return leave_main();
  if (strcmp(mode, "leave-main-at-once") == 0) return leave_main_at_once();
  if (strcmp(mode, "thread-locals") == 0) {
    memset(thread_locals, 1, sizeof thread_locals);
    return wait_for_end();
  }
  if (strcmp(mode, "exit-after") == 0) {
    usleep((useconds_t)atoi(argument));
    exit(7);
  }
  if (strcmp(mode, "setuid") == 0) {
    EXPECT(setgid((gid_t)atoi(argument)) == 0 && setuid((uid_t)atoi(argument)) == 0);
    return wait_for_end();
  }
  if (strcmp(mode, "setuid-later") == 0) {
    wait_for_line();
    EXPECT(setgid((gid_t)atoi(argument)) == 0 && setuid((uid_t)atoi(argument)) == 0);
    return wait_for_end();
  }
  if (strcmp(mode, "chroot") == 0) {
    EXPECT(chroot(argument) == 0 && chdir("/") == 0);
    return wait_for_end();
  }
  if (strcmp(mode, "no-descriptors") == 0) {
    struct rlimit limit = {3, 3};
    EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    return wait_for_end();
  }
  if (strcmp(mode, "seccomp-errno") == 0 || strcmp(mode, "seccomp-kill") == 0) {
    filter_socket(strcmp(mode, "seccomp-errno") == 0 ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS);
    if (*argument) {
      execv(argument, (char *[]){"agent-host", "wait", NULL});
      return 98;
    }
    return wait_for_end();
  }
  if (strcmp(mode, "filter") == 0) {
    add_filter(argument, SECCOMP_FILTER_FLAG_TSYNC);
    return wait_for_end();
  }
  if (strcmp(mode, "filter-later") == 0) return filter_later(argument, SECCOMP_FILTER_FLAG_TSYNC);
  if (strcmp(mode, "filter-thread") == 0) return filter_later(argument, 0);
  if (strcmp(mode, "filter-fork") == 0) {
    add_filter(argument, 0);
    return fork_one();
  }
  if (strcmp(mode, "umask") == 0) {
    umask(0);
    EXPECT(chdir("/usr") == 0);
    return wait_for_end();
  }
  if (strcmp(mode, "exec") == 0) {
    wait_for_line();
    execv("/proc/self/exe", (char *[]){argv[0], "wait", NULL});
    return 98;
  }
  return 97;
}
