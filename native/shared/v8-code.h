/* JavaScript in a stack: which addresses are V8's code, and which function each of them is. Everything is found by name in the node executable
 * at run time; where one name is missing all of it answers 'none'. V8 moves code and uses addresses again, so an address in a
 * profile would name the wrong function later: the hook writes a number instead, which stands for one place in one function for good. */
#ifndef JM_V8_CODE_H
#define JM_V8_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A frame that is no address: JM_FRAME_BASE + number. Above every address of a program, and exact as a double. */
#define JM_FRAME_BASE UINT64_C(0x0010000000000000)

enum jm_fixed_frame {
  /* Work of libuv's thread pool whose asker is not known. */
  JM_FRAME_THREAD_POOL = 1,
  /* The frames below it asked for the work; they did not wait for it. */
  JM_FRAME_ASYNCHRONOUS = 2,
  /* More frames than fit. */
  JM_FRAME_TRUNCATED = 3,
  /* A JavaScript function that no code event told of. */
  JM_FRAME_UNNAMED_JAVASCRIPT = 4,
  JM_FRAME_FIRST_CODE = 16,
};

struct jm_v8_isolate;

/* Looks the functions up, once, outside of any allocation. False: no V8 here, or one that lacks what is needed; `*why` says it. */
bool jm_v8_find(const char **why);

/* The rest is called inside the hook, thus inside malloc: nothing allocates, blocks or faults. */

/* The isolate that this thread is in, or NULL. */
struct jm_v8_isolate *jm_v8_current(void);

/* Whether `pc` is in V8's code: generated, or the builtins embedded in the executable. */
bool jm_v8_is_code(const struct jm_v8_isolate *isolate, uintptr_t pc);

/* Whether a frame that returns to `pc` is of an interpreted function: then the address tells nothing, and jm_v8_stack does. */
bool jm_v8_is_interpreter(struct jm_v8_isolate *isolate, uintptr_t pc);

/* V8's own walk: the JavaScript frames from this pc, sp and fp on, innermost first, each as a machine address or, for an interpreted function, as one in its
 * bytecode. 0 while V8 collects garbage. */
unsigned jm_v8_stack(struct jm_v8_isolate *isolate, uintptr_t pc, uintptr_t sp, uintptr_t fp, uintptr_t *pcs, unsigned max);

/* The number of the place (JM_FRAME_BASE + n), or 0 where no code event told of it. */
uint64_t jm_v8_frame(struct jm_v8_isolate *isolate, uintptr_t pc);

/* The words below an interpreted function's frame pointer, downwards: two of them tell where in which bytecode it is. */
#define JM_V8_FIXED_WORDS 6
/* The number of an interpreted function's place, without jm_v8_stack; 0: not known to be what that would give. */
uint64_t jm_v8_interpreted_frame(struct jm_v8_isolate *isolate, const uintptr_t words[JM_V8_FIXED_WORDS]);
/* What jm_v8_stack gave for these words. */
void jm_v8_learn_interpreted(struct jm_v8_isolate *isolate, const uintptr_t words[JM_V8_FIXED_WORDS], uintptr_t pc);

/* Has V8 tell this isolate of its code at the next moment when it may be asked (v8::Isolate::RequestInterrupt); if the stack that leads here is one from which
 * that may be said. */
void jm_v8_request_events(struct jm_v8_isolate *isolate, void *const *frames, unsigned count);

/* Outside of the hook, on the isolate's own thread, called from JavaScript: has V8 tell of the code it has and will have. 0 or an errno. */
int jm_v8_listen(void);
/* The isolate of this thread ends, or nobody wants its events any more. */
void jm_v8_stop_listening(void);

/* Writes a line per number that the hook has given: `<hex address>\t<kind>\t<line>\t<column>\t<position>\t<function line>\t<function column>\t<address of
 * the frame it is inlined into, or ->\t<name>\t<script>\n`; unknown: 0, position -1. kind: js, builtin, regexp, wasm, stub, marker. Backslash, tab and newline in
 * texts are \\ \t \n. From any thread. `write` gives false to stop. */
bool jm_v8_write_frames(bool (*write)(void *to, const char *text, size_t length), void *to);

struct jm_v8_counts {
  uint32_t isolates_listening;
  uint64_t code_events;
  uint64_t frames_numbered;
  uint64_t memory_bytes;
};
void jm_v8_count(struct jm_v8_counts *counts);

#endif
