/* Memory for what is known of V8's code. It comes from mmap alone, because it is read inside malloc, and a piece once mapped stays mapped, so that a reader
 * who comes too late finds old bytes and never a fault. */
#ifndef JM_V8_MEMORY_H
#define JM_V8_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of it together, the table of frames apart. Beyond it new functions stay unnamed, and old names stay right. */
#define JM_V8_MEMORY_MAX ((size_t)96 << 20)

/* One lock for all who write; who reads takes none. Nobody allocates with malloc while holding it. */
void jm_v8_lock(void);
void jm_v8_unlock(void);

/* The rest is called with the lock held. */

/* Bytes for good, aligned to 8 and zero, or NULL. */
void *jm_v8_take(size_t size);

/* A block of 16 << `class` bytes that can be given back. Before it stands its class, which never changes. */
void *jm_v8_take_block(unsigned class);
void jm_v8_give_block(void *block);
static inline unsigned jm_v8_class(const void *block) { return ((const uint32_t *)block)[-2]; }
static inline size_t jm_v8_block_size(const void *block) { return (size_t)16 << jm_v8_class(block); }
/* The smallest class that holds so many bytes. */
unsigned jm_v8_class_for(size_t size);
#define JM_V8_CLASSES 22

/* Bytes mapped; may be asked without the lock. */
size_t jm_v8_memory(void);

/* Zeroed memory outside of the bound, or NULL. */
void *jm_v8_map(size_t size);

#endif
