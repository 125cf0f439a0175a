/* In glibc 2.34 the functions of threads moved into libc.so.6 under a new version. Asked for under the old one they are found in both, and
 * weak: a program that was linked without threads on an older system does not have them. */
#ifndef JM_OLD_THREADS_H
#define JM_OLD_THREADS_H

#include <pthread.h>

#if defined(__GLIBC__) && defined(__x86_64__)
#define JM_OLD_GLIBC "GLIBC_2.2.5"
#elif defined(__GLIBC__) && defined(__aarch64__)
#define JM_OLD_GLIBC "GLIBC_2.17"
#endif

#ifdef JM_OLD_GLIBC
#define JM_OLD(name)                                       \
  __asm__(".symver " #name ", " #name "@" JM_OLD_GLIBC); \
  extern __typeof__(name) name __attribute__((weak))
#else
#define JM_OLD(name) extern __typeof__(name) name __attribute__((weak))
#endif

#endif
