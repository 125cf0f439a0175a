/* A program with known chains of calls below its allocations: `profile-host MODE`. Every block is 50,000 bytes and stays. With -DDIRECT the stacks are not
 * jemalloc's samples: each allocation prints its own walk, one a line, as the addresses of the frames. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))
/* Not a tail call, whose frame would be gone. */
#define AFTER() __asm__ volatile("" ::: "memory")

void *volatile kept;

#ifdef DIRECT
#include "unwind.h"
static NOINLINE void allocate(void) {
  const uintptr_t *here = __builtin_frame_address(0);
  struct jm_walk walk = {.from = {.pc = here[1], .sp = (uintptr_t)(here + 2), .fp = here[0]}};
  void *frames[128];
  unsigned count = jm_unwind(&walk, NULL, frames, 128);
  char line[128 * 20];
  size_t used = 0;
  for (unsigned i = 0; i < count; i++) used += (size_t)snprintf(line + used, sizeof line - used, " %lx", (unsigned long)frames[i]);
  printf("@%s%s\n", line, walk.truncated ? " truncated" : "");
}
#else
static inline void allocate(void) { kept = memset(malloc(50000), 1, 50000); }
#endif

NOINLINE void leaf(void) {
  allocate();
  AFTER();
}
NOINLINE void middle(void) {
  leaf();
  AFTER();
}
NOINLINE void recurse(int depth) {
  if (depth == 0) middle();
  else recurse(depth - 1);
  AFTER();
}
/* The compiler aligns its frame, and finds its caller's by an expression. */
NOINLINE void aligned(int size) {
  _Alignas(64) char block[64];
  char *more = __builtin_alloca((size_t)size);
  memset(block, 1, sizeof block);
  memset(more, 2, (size_t)size);
  __asm__ volatile("" ::"r"(block), "r"(more) : "memory");
  middle();
  __asm__ volatile("" ::"r"(block), "r"(more) : "memory");
}
NOINLINE int compared(const void *one, const void *other) {
  middle();
  return *(const int *)one - *(const int *)other;
}
void *on_thread(void *nothing) {
  recurse(3);
  return nothing;
}

static ucontext_t here, there;
void on_fiber(void) {
  recurse(3);
  AFTER();
}

void on_signal(int number) {
  (void)number;
  middle();
  AFTER();
}
NOINLINE void raised(void) {
  raise(SIGUSR1);
  AFTER();
}

extern int mallctl(const char *, void *, size_t *, void *, size_t) __attribute__((weak));

static void run_fiber(void) {
  size_t size = 64 * 1024;
  /* The page behind it must not be read. */
  char *stack = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(stack + size, 4096, PROT_NONE);
  getcontext(&there);
  there.uc_stack.ss_sp = stack;
  there.uc_stack.ss_size = size;
  there.uc_link = &here;
  makecontext(&there, on_fiber, 0);
  swapcontext(&here, &there);
}

static void run_signal(void) {
  static char stack[256 * 1024];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  sigaltstack(&alternate, NULL);
  sigaction(SIGUSR1, &action, NULL);
  raised();
}

static void on_lost(int number) {
  (void)number;
  middle();
  exit(0);
}
NOINLINE void lose_stack(void) {
#if defined(__x86_64__)
  __asm__ volatile("mov $64, %rsp; push %rax");
#elif defined(__aarch64__)
  __asm__ volatile("mov x9, #64; mov sp, x9; str x9, [sp, #-16]!");
#endif
}

/* The stack pointer of the frame that the handler interrupts is no address that may be read. */
static void run_lost(void) {
  static char stack[256 * 1024];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = on_lost, .sa_flags = SA_ONSTACK};
  sigaltstack(&alternate, NULL);
  sigaction(SIGSEGV, &action, NULL);
  lose_stack();
}

static int run_fork(const char *path) {
  pid_t child = fork();
  if (child == 0) {
    recurse(3);
    if (mallctl && path) mallctl("prof.dump", NULL, NULL, &path, sizeof path);
    exit(0);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status;
}

static void *churn(void *nothing) {
  for (int i = 0; i < 300; i++) {
    recurse(i % 50);
    free(kept == NULL ? malloc(10) : NULL);
  }
  return nothing;
}

/* All at once: threads that allocate, libraries that come and go, forks. */
static int run_storm(const char *library) {
  pthread_t threads[4];
  int wrong = 0;
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, churn, NULL);
  for (int i = 0; i < 60; i++) {
    void *loaded = dlopen(library, RTLD_NOW);
    void (*call)(void (*)(void)) = loaded ? (void (*)(void (*)(void)))dlsym(loaded, "through") : NULL;
    if (!call) wrong = 1;
    else call(middle);
    if (loaded) dlclose(loaded);
    if (i % 6 == 0) wrong |= run_fork(NULL);
  }
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return wrong;
}

static int run_library(const char *path) {
  void *library = dlopen(path, RTLD_NOW);
  void (*call)(void (*)(void)) = library ? (void (*)(void (*)(void)))dlsym(library, "through") : NULL;
  if (!call) return 1;
  call(middle);
  return 0;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "", *argument = argc > 2 ? argv[2] : NULL;
  pthread_t thread;
  int numbers[] = {3, 1, 2};
  setvbuf(stdout, NULL, _IOLBF, 0);
#ifdef DIRECT
  jm_unwind_prepare();
#endif
  if (strcmp(mode, "recurse") == 0) recurse(atoi(argument));
  else if (strcmp(mode, "aligned") == 0) aligned(100);
  else if (strcmp(mode, "callback") == 0) qsort(numbers, 3, sizeof *numbers, compared);
  else if (strcmp(mode, "fiber") == 0) run_fiber();
  else if (strcmp(mode, "signal") == 0) run_signal();
  else if (strcmp(mode, "lost") == 0) run_lost();
  else if (strcmp(mode, "fork") == 0) return run_fork(argument);
  else if (strcmp(mode, "library") == 0) return run_library(argument);
  else if (strcmp(mode, "storm") == 0) return run_storm(argument);
  else if (strcmp(mode, "thread") == 0) {
    pthread_create(&thread, NULL, on_thread, NULL);
    pthread_join(thread, NULL);
  } else return 2;
  return 0;
}
