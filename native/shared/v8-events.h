/* What V8 tells of its code, and what that says of an address. */
#ifndef JM_V8_EVENTS_H
#define JM_V8_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "v8-isolates.h"

/* Has isolates forgotten when their thread ends. Once. */
void jm_v8_prepare_thread_ends(void);

/* Where its code lies: nowhere while it only begins, and elsewhere once another isolate has its address. Inside malloc. */
void jm_v8_note_code_range(struct jm_v8_isolate *isolate, void *v8);

/* First seen on this thread. Inside malloc. */
void jm_v8_meet_isolate(struct jm_v8_isolate *isolate, void *v8, uintptr_t thread);

/* The code at this very address. Inside malloc. */
bool jm_v8_look(const struct jm_v8_isolate *isolate, uintptr_t pc, struct jm_v8_code *code, uint32_t *offset);

/* The number of the frame (v8-frames.h), or 0. Inside malloc. */
struct jm_v8_found jm_v8_resolve(struct jm_v8_isolate *isolate, uintptr_t pc);

uint32_t jm_v8_listening(void);
uint64_t jm_v8_events(void);

#endif
