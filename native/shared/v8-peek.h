/* Reads what may not be there: V8's heap, by words of which nobody has said that they are pointers. The kernel reads it, through /proc/self/mem, so that a wrong one is
 * an error and no fault; a call of its own for that (process_vm_readv) is what filters of system calls refuse, or end the process for. With the lock of v8-memory.h. */
#ifndef JM_V8_PEEK_H
#define JM_V8_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "v8-names.h"

enum { JM_V8_HEADER_WORDS = 12, JM_V8_OBJECT_WORDS = 24 };

bool jm_v8_peek(uintptr_t at, void *to, size_t size);

/* How many of the words could be read: an object may end at the end of what is mapped. */
size_t jm_v8_peek_words(uintptr_t at, uintptr_t *words, size_t count);

/* Closes what the looks before have opened: a program's descriptors are its own. */
void jm_v8_end_peeking(void);

/* A pointer to an object has 1 added, or 3 where it does not keep the object alive. */
static inline bool jm_v8_is_pointer(uintptr_t word) { return word & 1 && word >> 12 && word >> 47 == 0; }
static inline uintptr_t jm_v8_object_at(uintptr_t word) { return word & ~(uintptr_t)3; }

/* The bytes of the byte array that the word points to, in a block. */
uint8_t *jm_v8_read_bytes(uintptr_t word, size_t *length, uintptr_t *map);

/* The object that describes machine code: the code's header points to it, and it holds the code's address. 0: not found, else how many words could be read. */
size_t jm_v8_read_code_object(const struct jm_v8_event *event, uintptr_t object[JM_V8_OBJECT_WORDS]);

/* v8::internal::SourcePosition; false for one that is not in a script. */
bool jm_v8_split_position(int64_t raw, int32_t *position, int32_t *inlined);

#endif
