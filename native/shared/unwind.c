#define _GNU_SOURCE
#include "unwind.h"

#include <stddef.h>
#if defined(__linux__) && defined(__x86_64__)
#include <ucontext.h>
#endif

#include "unwind-rows.h"
#include "unwind-stack.h"

/* No frame of a program is larger: such a step is a wrong one. */
#define JM_FRAME_MAX (UINT64_C(8) << 20)
/* Below is no code, and above no address of a program. */
#define JM_CODE_MIN UINT64_C(0x10000)
#define JM_CODE_MAX (UINT64_C(1) << 47)
/* As many frames as jemalloc takes by default, and more than V8 is usually asked for. */
#define JM_JAVASCRIPT_MAX 128

/* Present where the process has V8: in node, or in its libnode.so. */
extern void jm_v8_try_get_current(void) __asm__("_ZN2v87Isolate13TryGetCurrentEv") __attribute__((weak));

bool jm_unwind_prepare(void) {
  const char *why = NULL;
  jm_rows_prepare((uintptr_t)jm_v8_try_get_current);
  return jm_v8_try_get_current && jm_v8_find(&why);
}

enum jm_step { JM_STEPPED, JM_BOTTOM, JM_LOST };

static bool jm_is_code_address(uintptr_t pc) { return pc >= JM_CODE_MIN && pc < JM_CODE_MAX; }

static uintptr_t jm_strip(uintptr_t pc) {
#if defined(__aarch64__)
  /* Signed return addresses. */
  return pc & (JM_CODE_MAX * 2 - 1);
#else
  return pc;
#endif
}

/* The caller's registers by the frame pointer. Its word may also be anything that a function without one left in the register: what it points to must look
 * like a frame. */
static enum jm_step jm_step_pointers(struct jm_place *place, struct jm_stack *stack) {
  uintptr_t fp, pc;
  if (place->fp == 0) return JM_BOTTOM;
  if (place->fp < place->sp || place->fp - place->sp > JM_FRAME_MAX) return JM_LOST;
  if (!jm_stack_read(stack, place->fp, &fp) || !jm_stack_read(stack, place->fp + sizeof fp, &pc)) return JM_LOST;
  pc = jm_strip(pc);
  if (pc == 0) return JM_BOTTOM;
  if (!jm_is_code_address(pc) || pc - stack->low < stack->high - stack->low) return JM_LOST;
  *place = (struct jm_place){.pc = pc, .sp = place->fp + 2 * sizeof fp, .fp = fp};
  return JM_STEPPED;
}

static enum jm_step jm_step_signal(struct jm_place *place, struct jm_stack *stack) {
#if defined(__linux__) && defined(__x86_64__)
  const size_t registers = offsetof(ucontext_t, uc_mcontext.gregs);
  struct jm_place next;
  if (!jm_stack_read(stack, place->sp + registers + REG_RIP * sizeof next.pc, &next.pc) ||
      !jm_stack_read(stack, place->sp + registers + REG_RSP * sizeof next.pc, &next.sp) ||
      !jm_stack_read(stack, place->sp + registers + REG_RBP * sizeof next.pc, &next.fp) || !jm_is_code_address(next.pc))
    return JM_LOST;
  /* A signal handler may have a stack of its own. */
  if (next.sp < stack->low || next.sp >= stack->high) *stack = jm_stack_around(next.sp & ~(uintptr_t)7);
  *place = next;
  return JM_STEPPED;
#else
  (void)place, (void)stack;
  return JM_LOST;
#endif
}

static enum jm_step jm_step_row(struct jm_place *place, struct jm_stack *stack, struct jm_row row) {
  uintptr_t cfa = row.kind == JM_ROW_STACK ? place->sp : place->fp;
  struct jm_place next = {.fp = place->fp};
  cfa += (uintptr_t)(intptr_t)row.cfa;
  if (row.kind == JM_ROW_MEMORY && !jm_stack_read(stack, cfa, &cfa)) return JM_LOST;
  if (cfa <= place->sp || cfa - place->sp > JM_FRAME_MAX) return JM_LOST;
  /* Only the innermost function has its return address in a register, and that was left. */
  if (row.ra == 0 || !jm_stack_read(stack, cfa + (uintptr_t)(intptr_t)row.ra, &next.pc)) return JM_LOST;
  uintptr_t saved = (row.saved_at_frame ? place->fp : cfa) + (uintptr_t)(intptr_t)row.saved;
  if ((row.saved != 0 || row.saved_at_frame) && !jm_stack_read(stack, saved, &next.fp)) return JM_LOST;
  next.pc = jm_strip(next.pc);
  next.sp = cfa;
  if (next.pc == 0) return JM_BOTTOM;
  if (!jm_is_code_address(next.pc)) return JM_LOST;
  *place = next;
  return JM_STEPPED;
}

/* Where no table is. A wrong step before may have led to what is no code at all, and that is no bottom. */
static enum jm_step jm_step_without_row(struct jm_place *place, struct jm_stack *stack) {
  uintptr_t pc = place->pc;
  enum jm_step step = jm_step_pointers(place, stack);
  return step == JM_BOTTOM && jm_rows_file(pc).start == 0 ? JM_LOST : step;
}

static enum jm_step jm_step(struct jm_place *place, struct jm_stack *stack, bool *exact) {
  if (!*exact && jm_rows_keep_pointers(place->pc)) {
    enum jm_step step = jm_step_pointers(place, stack);
    /* Assembly functions, and builds of other people, may do without; then the tables are what is left. */
    if (step != JM_LOST) return step;
  }
  struct jm_row row = jm_rows_find(place->pc, *exact);
  *exact = row.kind == JM_ROW_SIGNAL;
  switch (row.kind) {
    case JM_ROW_NONE: return jm_step_without_row(place, stack);
    case JM_ROW_END: return JM_BOTTOM;
    case JM_ROW_SIGNAL: return jm_step_signal(place, stack);
    default: return jm_step_row(place, stack, row);
  }
}

/* V8's own walk, for what the stack alone does not tell: where an interpreted function is in its bytecode. */
struct jm_javascript {
  struct jm_v8_isolate *isolate;
  bool asked;
  unsigned count, next;
  uintptr_t pcs[JM_JAVASCRIPT_MAX];
};

/* V8 takes the frame it is given for one in the middle of something, and begins with its caller. */
static void jm_ask_v8(struct jm_javascript *from, const struct jm_place *callee) {
  if (from->asked) return;
  from->asked = true;
  from->count = jm_v8_stack(from->isolate, callee->pc, callee->sp, callee->fp, from->pcs, JM_JAVASCRIPT_MAX);
}

/* Both walks meet the same functions of JavaScript in the same order; V8's has machine code under the same address, and no frames of stubs. */
static void jm_pass_machine_code(struct jm_javascript *from, uintptr_t pc) {
  for (unsigned at = from->next; at < from->count && at < from->next + 2; at++)
    if (from->pcs[at] == pc) from->next = at + 1;
}

/* The frame has room for them below its pointer. */
static bool jm_read_fixed_words(struct jm_stack *stack, const struct jm_place *place, uintptr_t words[JM_V8_FIXED_WORDS]) {
  if (place->fp < place->sp || place->fp - place->sp < JM_V8_FIXED_WORDS * sizeof *words || place->fp - place->sp > JM_FRAME_MAX) return false;
  for (unsigned i = 0; i < JM_V8_FIXED_WORDS; i++)
    if (!jm_stack_read(stack, place->fp - (i + 1) * sizeof *words, &words[i])) return false;
  return true;
}

static uintptr_t jm_next_interpreted(struct jm_javascript *from, const struct jm_place *callee) {
  jm_ask_v8(from, callee);
  uintptr_t pc = from->next < from->count ? from->pcs[from->next++] : 0;
  return pc && jm_v8_is_interpreter(from->isolate, pc) ? 0 : pc;
}

/* `machine`: the address itself, which is kept while V8 tells of no code: a perf map may name it. */
static uint64_t jm_name_frame(struct jm_walk *walk, struct jm_v8_isolate *isolate, uintptr_t pc, uintptr_t machine) {
  struct jm_v8_counts counts = {0};
  uint64_t number = pc ? jm_v8_frame(isolate, pc) : 0;
  walk->without_javascript = false;
  if (number) return number;
  walk->unnamed = true;
  if (machine) jm_v8_count(&counts);
  return machine && counts.isolates_listening == 0 ? machine : JM_FRAME_BASE + JM_FRAME_UNNAMED_JAVASCRIPT;
}

static uint64_t jm_interpreted_frame(struct jm_walk *walk, struct jm_javascript *from, struct jm_stack *stack, const struct jm_place *place,
                                     const struct jm_place *callee) {
  uintptr_t words[JM_V8_FIXED_WORDS];
  bool readable = jm_read_fixed_words(stack, place, words);
  uint64_t known = readable ? jm_v8_interpreted_frame(from->isolate, words) : 0;
  if (known) {
    /* Where V8 was asked already, its walk has this frame, too. */
    if (from->next < from->count) from->next++;
    walk->without_javascript = false;
    return known;
  }
  uintptr_t pc = jm_next_interpreted(from, callee);
  if (readable && pc) jm_v8_learn_interpreted(from->isolate, words, pc);
  return jm_name_frame(walk, from->isolate, pc, place->pc);
}

unsigned jm_unwind(struct jm_walk *walk, struct jm_v8_isolate *isolate, void **frames, unsigned max) {
  struct jm_javascript javascript;
  struct jm_stack stack = jm_stack_at(walk->from.sp);
  struct jm_place place = walk->from, callee = place;
  enum jm_step step = JM_STEPPED;
  bool exact = false;
  unsigned count = 0;
  javascript.isolate = isolate;
  javascript.asked = false;
  javascript.count = javascript.next = 0;
  walk->truncated = walk->unnamed = false;
  walk->without_javascript = true;
  jm_rows_check();

  while (step == JM_STEPPED && place.pc - walk->skip_start < walk->skip_end - walk->skip_start)
    step = jm_step(&place, &stack, &exact);
  while (step == JM_STEPPED && count < max) {
    uint64_t frame = place.pc;
    if (isolate && jm_v8_is_code(isolate, place.pc)) {
      if (jm_v8_is_interpreter(isolate, place.pc)) {
        frame = jm_interpreted_frame(walk, &javascript, &stack, &place, &callee);
      } else {
        jm_pass_machine_code(&javascript, place.pc);
        frame = jm_name_frame(walk, isolate, place.pc, place.pc);
      }
    }
    frames[count++] = (void *)(uintptr_t)frame;
    callee = place;
    step = jm_step(&place, &stack, &exact);
  }
  jm_stack_learn(&stack);

  /* A library without tables between here and the JavaScript that called it, which may have a 0 where others have their frame, as a bottom has: V8 knows where
   * its own frames begin. */
  if (step != JM_STEPPED && isolate && walk->without_javascript) {
    jm_ask_v8(&javascript, &place);
    for (; javascript.next < javascript.count && count < max; javascript.next++)
      frames[count++] = (void *)(uintptr_t)jm_name_frame(walk, isolate, javascript.pcs[javascript.next], 0);
    if (javascript.next < javascript.count) step = JM_STEPPED;
  }
  walk->truncated = step != JM_BOTTOM;
  if (step == JM_STEPPED && count > 0) frames[count - 1] = (void *)(uintptr_t)(JM_FRAME_BASE + JM_FRAME_TRUNCATED);
  return count;
}
