/* The parts of a capture file (docs/capture-format.md). */
#ifndef JM_CAPTURE_H
#define JM_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

#define JM_CAPTURE_BUFFER (32 * 1024)

/* Bytes on their way to a file. The first error stays, and nothing is written after it. */
struct jm_capture_file {
  int descriptor;
  int error;
  size_t used;
  char buffer[JM_CAPTURE_BUFFER];
};

void jm_capture_put(struct jm_capture_file *file, const char *bytes, size_t count);
void jm_capture_put_text(struct jm_capture_file *file, const char *text);
/* With backslash, tab and newline as \\ \t \n. */
void jm_capture_put_escaped(struct jm_capture_file *file, const char *text, size_t length);
void jm_capture_flush(struct jm_capture_file *file);

/* A line for every mapped ELF file that has a build id, read from memory: what lies on disk by now may be another build. */
void jm_capture_put_build_ids(struct jm_capture_file *file);

#endif
