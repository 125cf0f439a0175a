/* Which memory of a stack may be read. A thread may run on its own stack, on one for signals, or on one that a program made for coroutines: what is not known
 * to be mapped is asked of the kernel, a page at a time. */
#ifndef JM_UNWIND_STACK_H
#define JM_UNWIND_STACK_H

#include <stdbool.h>
#include <stdint.h>

struct jm_stack {
  /* Readable from low to high. */
  uintptr_t low, high;
  /* What is known of the thread's own stack, or 0. */
  uintptr_t known_low, known_high;
  unsigned asked;
};

/* The stack around the address of a frame that is there. */
struct jm_stack jm_stack_at(uintptr_t sp);
/* The stack around an address that may be none of one: of a thread that ran into the end of its stack. */
struct jm_stack jm_stack_around(uintptr_t sp);
/* Keeps what was learnt, where the stack is the thread's own, which does not go as long as the thread is there. */
void jm_stack_learn(const struct jm_stack *stack);
/* Whether the stack goes on up to `end`; then it does from now on. */
bool jm_stack_reaches(struct jm_stack *stack, uintptr_t end);

/* Frames lie beside what the address sanitizer guards. */
__attribute__((no_sanitize("address"))) static inline uintptr_t jm_stack_word(uintptr_t at) { return *(const volatile uintptr_t *)at; }

/* Reads a word; false where there is none, or it is not aligned. */
static inline bool jm_stack_read(struct jm_stack *stack, uintptr_t at, uintptr_t *word) {
  if (at % sizeof *word != 0 || at < stack->low || at > UINTPTR_MAX - sizeof *word) return false;
  if (at + sizeof *word > stack->high && !jm_stack_reaches(stack, at + sizeof *word)) return false;
  *word = jm_stack_word(at);
  return true;
}

#endif
