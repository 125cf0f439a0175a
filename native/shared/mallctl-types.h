/* How a value of jemalloc's control interface lies in memory. The numbers are those of MALLCTL_TYPES in src/model/mallctl-keys/row.ts;
 * a test holds the two against each other. They are sent between processes: add, never change. */
#ifndef JM_MALLCTL_TYPES_H
#define JM_MALLCTL_TYPES_H

enum jm_mallctl_type {
  JM_MALLCTL_VOID = 0,
  JM_MALLCTL_BOOL = 1,
  JM_MALLCTL_UNSIGNED = 2,
  JM_MALLCTL_UINT32 = 3,
  JM_MALLCTL_SIZE = 4,
  JM_MALLCTL_SSIZE = 5,
  JM_MALLCTL_UINT64 = 6,
  JM_MALLCTL_INT64 = 7,
  JM_MALLCTL_STRING = 8,
  /* The caller hands over the address of a buffer, and the text is written there. */
  JM_MALLCTL_TEXT_BUFFER = 9,
  JM_MALLCTL_POINTER = 10,
  /* Two uint64_t: requested bytes, count. */
  JM_MALLCTL_PROF_STATS = 11,
};

#endif
