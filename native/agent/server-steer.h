/* What changes something: purges, heap profiles. Each gives a status of the wire. */
#ifndef JM_SERVER_STEER_H
#define JM_SERVER_STEER_H

#include <stddef.h>
#include <stdint.h>

#include "mallctl-names.h"

/* `arena.<i>.<verb>`; JM_WIRE_ALL_ARENAS becomes jemalloc's number for all. */
void jm_name_arena(char name[JM_NAME_MAX], uint32_t arena, const char *verb);

int32_t jm_set_prof_active(unsigned char on, unsigned char *before);

/* Writes a heap profile to an absolute path where nothing is yet, or, of length 0, to where jemalloc names it. */
int32_t jm_dump_prof(const unsigned char *path, size_t length);

/* Starts sampling: (i64 lg_sample, u8 flags). */
int32_t jm_start_prof(const unsigned char *question, size_t length);
int32_t jm_stop_prof(void);
/* Writes a capture to an absolute path where nothing is yet; *bytes is its size. */
int32_t jm_capture_prof(const unsigned char *path, size_t length, uint64_t *bytes);

/* Forgets all samples; -1 keeps the rate. */
int32_t jm_reset_prof(int64_t sample);

#endif
