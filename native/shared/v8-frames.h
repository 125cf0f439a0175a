/* The numbers that stand for places in functions, one table for the process. */
#ifndef JM_V8_FRAMES_H
#define JM_V8_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "v8-code.h"

/* Places beyond these get no number. */
#define JM_V8_FRAMES_MAX (UINT32_C(1) << 19)

bool jm_v8_open_frames(void);

/* A number from 1, or 0. `outer` is the number of the frame that it is folded into, or 0. Neither allocates nor waits. */
uint32_t jm_v8_number_frame(uint32_t function, int32_t position, uint32_t outer);

/* The frame is in a stack now, and so will be written: JM_FRAME_BASE + n, or 0. */
uint64_t jm_v8_use_frame(uint32_t number);

/* How many are in stacks, and the bytes used for all. */
void jm_v8_count_frames(uint64_t *numbered, uint64_t *bytes);

#endif
