/* Leads calls of a function of the executable to another one, by a jump in the place of its first instructions. A diagnostic mode: only where the
 * bytes are those that are known, and before the program's first line runs. */
#ifndef JM_POOL_REDIRECT_H
#define JM_POOL_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

/* `*original` then does what the function did; it must not be given NULL as the third argument. False: nothing was changed. */
bool jm_redirect(void *function, size_t size, void *replacement, void **original);

/* The function of this name in the executable's .symtab, and its size; NULL where there is none or more than one. Reads the file. */
void *jm_find_local_function(const char *name, size_t *size);

#endif
