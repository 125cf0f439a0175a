/* Carries the stack of the JavaScript that asks for work to the thread of libuv's pool that does it. */
#ifndef JM_POOL_ASKERS_H
#define JM_POOL_ASKERS_H

/* In the constructor, when nothing else of the program has run. Where this program's libuv is not one that is known, nothing is changed, and the profiler's
 * state says so. */
void jm_carry_askers(void);

#endif
