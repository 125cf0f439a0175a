/* Whether v8::Isolate::RequestInterrupt may be called here, inside malloc. It takes locks of V8, and memory for a queue: V8 may be asking for memory just now with one
 * of these locks held (Atomics.wait keeps its list of waiters so), or with that queue half changed. */
#ifndef JM_V8_INTERRUPT_H
#define JM_V8_INTERRUPT_H

#include <stdbool.h>

#include "v8-isolates.h"

/* These frames, innermost first, lead to malloc: V8 may be interrupted where it makes an ArrayBuffer, which it does only where it could collect garbage too, thus with
 * no such lock; and where an addon asks for the memory. */
bool jm_v8_may_interrupt(const struct jm_v8_isolate *isolate, void *v8, void *const *frames, unsigned count);

#endif
