#include "v8-interrupt.h"

#include <stdint.h>

#include "unwind-rows.h"
#include "v8-code.h"
#include "v8-names.h"

/* v8::ArrayBuffer::Allocator: behind its two destructors stand, in an order that depends on the version, what makes blocks and a few functions that take no memory. */
enum { FIRST_SLOT = 2, SLOTS = 4 };
/* No shorter than these functions. Behind them are others of the embedder, which V8 calls with none of its locks either. */
enum { FUNCTION = 512 };

bool jm_v8_may_interrupt(const struct jm_v8_isolate *isolate, void *v8, void *const *frames, unsigned count) {
  uintptr_t *const *allocator = jm_v8_GetArrayBufferAllocator ? jm_v8_GetArrayBufferAllocator(v8) : NULL;
  for (unsigned i = 0; i < count; i++) {
    uintptr_t pc = (uintptr_t)frames[i];
    /* From JavaScript on, what called it does not matter. */
    if (pc >= JM_FRAME_BASE || jm_v8_is_code(isolate, pc)) return false;
    for (unsigned slot = FIRST_SLOT; allocator && slot < FIRST_SLOT + SLOTS; slot++)
      if (pc - (*allocator)[slot] < FUNCTION) return true;
    if (!jm_rows_keep_pointers(pc) && jm_rows_file(pc - 1).is_addon) return true;
  }
  return false;
}
