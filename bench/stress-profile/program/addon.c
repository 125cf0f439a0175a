/* What native code can do to a walk of its stack: no unwind tables, anything in the frame pointer's register, fork, signals at any moment. */
#define _GNU_SOURCE
#include <errno.h>
#include <node_api.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uintptr_t wrong_pointer(unsigned kind, uintptr_t here) {
  switch (kind % 8) {
    case 0: return 0;
    case 1: return 1;
    case 2: return here;
    case 3: return here + 13;
    case 4: return here - 4096;
    case 5: return UINTPTR_MAX - 7;
    case 6: return here + (UINT64_C(1) << 40);
    default: return (uintptr_t)&wrong_pointer;
  }
}

/* malloc with this in the register where others have their frame. */
__attribute__((noinline)) static void *allocate(size_t bytes, unsigned kind) {
#if defined(__x86_64__)
  uintptr_t here;
  __asm__("mov %%rsp, %0" : "=r"(here));
  register uintptr_t pointer __asm__("rbp") = wrong_pointer(kind, here & ~(uintptr_t)15);
  __asm__ volatile("" : "+r"(pointer));
#else
  (void)kind, (void)wrong_pointer;
#endif
  void *block = malloc(bytes);
#if defined(__x86_64__)
  __asm__ volatile("" : "+r"(pointer));
#endif
  return block;
}

static unsigned calls;

/* hold(bytes): held for good. */
static napi_value hold(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int64_t bytes = 0;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_int64(env, argument, &bytes);
  char *volatile block = allocate((size_t)bytes, __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED));
  if (block) memset(block, 1, (size_t)bytes);
  return NULL;
}

/* call(function): from C, with blocks that come and go around it. */
static napi_value call(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value function, receiver, result = NULL;
  napi_get_cb_info(env, info, &count, &function, NULL, NULL);
  napi_get_undefined(env, &receiver);
  void *block = allocate(3000, __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED));
  napi_call_function(env, receiver, function, 0, NULL, &result);
  free(block);
  return result;
}

/* The status of a child that allocated and ended; 1000 where it did not end. */
static napi_value fork_and_wait(napi_env env, napi_callback_info info) {
  (void)info;
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    for (unsigned i = 0; i < 400; i++) free(allocate(2000 + i, i));
    _exit(0);
  }
  pid_t ended = 0;
  for (int i = 0; child > 0 && i < 20000 && ended == 0; i++) {
    ended = waitpid(child, &status, WNOHANG);
    if (ended == -1 && errno == EINTR) ended = 0;
    if (ended == 0) usleep(1000);
  }
  if (child > 0 && ended == 0) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    status = 1000;
  }
  napi_value result;
  napi_create_int32(env, child > 0 ? status : -errno, &result);
  return result;
}

static volatile sig_atomic_t signals;
__attribute__((noinline)) static unsigned burn(unsigned depth) {
  volatile char frame[128];
  memset((char *)frame, (int)depth, sizeof frame);
  return depth == 0 ? (unsigned)frame[3] : burn(depth - 1) + (unsigned)frame[depth % sizeof frame];
}
static void on_signal(int number) {
  int before = errno;
  (void)number;
  burn(20);
  signals++;
  errno = before;
}

/* A real-time signal for this thread each so many microseconds; 0 ends it. Gives how many came. */
static napi_value interrupt(napi_env env, napi_callback_info info) {
  static timer_t timer;
  static int running;
  size_t count = 1;
  napi_value argument, result;
  int32_t micros = 0;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_int32(env, argument, &micros);
  if (running) timer_delete(timer);
  running = 0;
  if (micros > 0) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGRTMIN + 5, &action, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 5};
    event._sigev_un._tid = (int)syscall(SYS_gettid);
    struct itimerspec each = {.it_interval = {.tv_nsec = micros * 1000L}, .it_value = {.tv_nsec = micros * 1000L}};
    running = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &each, NULL) == 0;
  }
  napi_create_int32(env, (int32_t)signals, &result);
  return result;
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback function;
  } FUNCTIONS[] = {{"hold", hold}, {"call", call}, {"forkAndWait", fork_and_wait}, {"interrupt", interrupt}};
  for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
    napi_value function;
    napi_create_function(env, FUNCTIONS[i].name, NAPI_AUTO_LENGTH, FUNCTIONS[i].function, NULL, &function);
    napi_set_named_property(env, exports, FUNCTIONS[i].name, function);
  }
  return exports;
}
