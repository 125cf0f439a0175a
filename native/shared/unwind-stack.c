#define _GNU_SOURCE
#include "unwind-stack.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef __linux__
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The smallest page there is: what is readable on one byte of it is on all. */
#define JM_PAGE UINT64_C(4096)
/* At most asked for in one walk: 2 MB. */
#define JM_ASKED_MAX 512
/* The kernel keeps this distance below the program's first stack free of other mappings, however low its limit. */
#define JM_FIRST_STACK (UINT64_C(128) << 20)
/* A thread's descriptor is at the top of its stack. Farther below, the stack is asked for page by page in each walk. */
#define JM_OWN_STACK (UINT64_C(1) << 20)

/* Readable parts of the threads' own stacks; `check` is the three others xored, so that half a row is no match. */
struct jm_known {
  _Atomic uint64_t check, thread, low, high;
};
#define JM_KNOWN 256
static struct jm_known jm_known[JM_KNOWN];

static struct jm_known *jm_known_of(uintptr_t thread) {
  return &jm_known[(thread * UINT64_C(0x9e3779b97f4a7c15) >> 40) % JM_KNOWN];
}

/* Whether the kernel answers: an emulator of it may not look at the address, and a filter of system calls refuses all. Then nothing that is not known is
 * read. */
static atomic_int jm_answers;
enum { JM_NOT_TRIED, JM_ANSWERS, JM_ANSWERS_WRONG };

/* The kernel copies a set of signals from there before it finds that nothing can be done with it. */
static bool jm_ask(uintptr_t page) {
  int before = errno;
  bool refused = syscall(SYS_rt_sigprocmask, ~0, page, NULL, (size_t)8) == -1;
  bool readable = refused && errno == EINVAL;
  if (!readable && (!refused || errno != EFAULT)) atomic_store_explicit(&jm_answers, JM_ANSWERS_WRONG, memory_order_relaxed);
  errno = before;
  return readable;
}

static bool jm_kernel_answers(void) {
  if (atomic_load_explicit(&jm_answers, memory_order_relaxed) == JM_NOT_TRIED) {
    /* Two addresses of which the answer is known; the second is no program's. */
    bool right = jm_ask((uintptr_t)__builtin_frame_address(0) & ~(JM_PAGE - 1)) && !jm_ask(UINTPTR_MAX & ~(JM_PAGE - 1));
    int untried = JM_NOT_TRIED;
    atomic_compare_exchange_strong(&jm_answers, &untried, right ? JM_ANSWERS : JM_ANSWERS_WRONG);
  }
  return atomic_load_explicit(&jm_answers, memory_order_relaxed) == JM_ANSWERS;
}

static bool jm_is_readable(uintptr_t page) { return jm_kernel_answers() && jm_ask(page); }

struct jm_stack jm_stack_at(uintptr_t sp) {
  uintptr_t thread = (uintptr_t)pthread_self();
  struct jm_known *known = jm_known_of(thread);
  uint64_t low = atomic_load_explicit(&known->low, memory_order_relaxed);
  uint64_t high = atomic_load_explicit(&known->high, memory_order_relaxed);
  uint64_t check = atomic_load_explicit(&known->check, memory_order_relaxed);
  uint64_t of = atomic_load_explicit(&known->thread, memory_order_relaxed);
  struct jm_stack stack = {.low = sp, .high = (sp | (JM_PAGE - 1)) + 1};
  bool whole = of == thread && check == (of ^ low ^ high * 3);
  if (!whole) return stack;
  if (sp >= low && sp < high) stack.high = high;
  stack.known_low = low;
  stack.known_high = high;
  return stack;
}

struct jm_stack jm_stack_around(uintptr_t sp) {
  struct jm_stack stack = jm_stack_at(sp);
  bool known = stack.known_low && sp >= stack.known_low && sp < stack.known_high;
  if (!known) stack.high = sp & ~(JM_PAGE - 1);
  return stack;
}

/* Whether all from here to the thread's descriptor, or to the top of the first thread's stack, is one stack. */
static bool jm_is_own(const struct jm_stack *stack, uintptr_t thread) {
  static _Atomic uintptr_t top;
  uintptr_t first = atomic_load_explicit(&top, memory_order_relaxed);
  /* The kernel's random bytes lie above the first frame. */
  if (!first) atomic_store_explicit(&top, first = (uintptr_t)getauxval(AT_RANDOM), memory_order_relaxed);
  /* Frames may lie in the same page. */
  if (stack->low < first && stack->high <= (first | (JM_PAGE - 1)) + 1 && first - stack->low < JM_FIRST_STACK) return true;
  if (stack->high > thread || thread - stack->low > JM_OWN_STACK) return false;
  for (uintptr_t page = stack->high; page < thread; page += JM_PAGE)
    if (!jm_is_readable(page)) return false;
  return true;
}

void jm_stack_learn(const struct jm_stack *stack) {
  uintptr_t thread = (uintptr_t)pthread_self();
  if (stack->asked == 0 || !jm_is_own(stack, thread)) return;
  struct jm_known *known = jm_known_of(thread);
  uint64_t low = stack->low & ~(JM_PAGE - 1), high = stack->high;
  atomic_store_explicit(&known->thread, thread, memory_order_relaxed);
  atomic_store_explicit(&known->low, low, memory_order_relaxed);
  atomic_store_explicit(&known->high, high, memory_order_relaxed);
  atomic_store_explicit(&known->check, thread ^ low ^ high * 3, memory_order_relaxed);
}

bool jm_stack_reaches(struct jm_stack *stack, uintptr_t end) {
  while (stack->high < end) {
    if (stack->asked >= JM_ASKED_MAX || !jm_is_readable(stack->high)) return false;
    stack->asked++;
    stack->high += JM_PAGE;
    if (stack->high == stack->known_low) stack->high = stack->known_high;
  }
  return true;
}
#else
struct jm_stack jm_stack_at(uintptr_t sp) { return (struct jm_stack){.low = sp, .high = sp}; }
struct jm_stack jm_stack_around(uintptr_t sp) { return jm_stack_at(sp); }
void jm_stack_learn(const struct jm_stack *stack) { (void)stack; }
bool jm_stack_reaches(struct jm_stack *stack, uintptr_t end) { return end <= stack->high; }
#endif
