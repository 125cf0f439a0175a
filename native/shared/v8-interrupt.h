/* Whether v8::Isolate::RequestInterrupt may be called here, inside malloc. It keeps its requests in a queue, and takes memory for that: a malloc made there must
 * not ask again, for the queue is half changed. */
#ifndef JM_V8_INTERRUPT_H
#define JM_V8_INTERRUPT_H

#include <stdbool.h>

/* Looks at the function's machine code; false where it is not of a known form. */
bool jm_v8_find_interrupt(void);

/* No word of the stack above may be a place in that function. */
bool jm_v8_outside_of_interrupt(void);

#endif
