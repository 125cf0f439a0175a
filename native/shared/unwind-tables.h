#ifndef JM_UNWIND_TABLES_H
#define JM_UNWIND_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "unwind-rows.h"

/* The memory that a loaded file's tables may be in. */
struct jm_span {
  uintptr_t start, end;
};

/* The row of an address, out of the tables behind a PT_GNU_EH_FRAME header. Reads nothing outside of the span. */
struct jm_row jm_read_table(uintptr_t header, struct jm_span span, uintptr_t pc);

#endif
