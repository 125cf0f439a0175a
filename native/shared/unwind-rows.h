/* What one step of a walk needs at one address: where the caller's registers lie. Read once per address out of the program's own tables
 * (.eh_frame), then kept. */
#ifndef JM_UNWIND_ROWS_H
#define JM_UNWIND_ROWS_H

#include <stdbool.h>
#include <stdint.h>

enum jm_row_kind {
  /* No table covers the address: generated code, or a library without one. */
  JM_ROW_NONE = 0,
  /* The frame's address (CFA) is the stack pointer, or the frame pointer, and a distance; */
  JM_ROW_STACK = 1,
  JM_ROW_FRAME = 2,
  /* or stands in memory at the frame pointer and a distance. */
  JM_ROW_MEMORY = 3,
  /* The kernel called: all registers lie at the stack pointer. */
  JM_ROW_SIGNAL = 4,
  /* Nobody called: a thread's first function. */
  JM_ROW_END = 5,
};

struct jm_row {
  uint8_t kind;
  /* The caller's frame pointer lies at a distance from this frame's pointer, not from its address. */
  bool saved_at_frame;
  /* Distances in bytes. saved 0: the register is still the caller's; ra 0: so is the link register. */
  int32_t cfa, saved, ra;
};

/* The file around an address of `pc`; *start 0: none. */
struct jm_file {
  uintptr_t start, end;
  bool is_program;
  /* Loaded by node's require. */
  bool is_addon;
};

/* The file that keeps frame pointers; empty: none. */
extern struct jm_file jm_rows_pointers;

/* Outside of the hook, once: the file of this address keeps frame pointers (node; 0: none), and forks are prepared for. */
void jm_rows_prepare(uintptr_t keeps_pointers);

static inline bool jm_rows_keep_pointers(uintptr_t pc) {
  return pc - jm_rows_pointers.start < jm_rows_pointers.end - jm_rows_pointers.start;
}

/* Inside the hook: neither allocates nor faults, and waits for nobody but the loader's lock, which libgcc takes here, too. `exact`: `pc` is where the frame
 * was interrupted, not where it goes on. */
struct jm_row jm_rows_find(uintptr_t pc, bool exact);
struct jm_file jm_rows_file(uintptr_t pc);

/* Every so many walks: forgets all rows where a library was unloaded, whose addresses may be another's now. */
void jm_rows_check(void);

#endif
