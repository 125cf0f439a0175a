#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "server.h"

/* A sample and most values; what is larger goes back after it was sent. */
#define JM_BUFFER_USUAL (16 * 1024)
#define JM_BUFFER_MAX (sizeof(struct jm_wire_header) + JM_WIRE_ANSWER_MAX)

void *jm_pages(size_t size) {
  void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return NULL;
  /* A child has no such thread, and would keep them for nothing. */
  madvise(pages, size, MADV_DONTFORK);
  return pages;
}

void jm_free_pages(void *pages, size_t size) {
  if (pages) munmap(pages, size);
}

static bool jm_buffer_grow(struct jm_buffer *buffer, size_t needed) {
  size_t size = buffer->size ? buffer->size : JM_BUFFER_USUAL;
  while (size < needed) size *= 2;
  void *pages = buffer->data ? mremap(buffer->data, buffer->size, size, MREMAP_MAYMOVE) : jm_pages(size);
  if (!pages || pages == MAP_FAILED) return false;
  buffer->data = pages;
  buffer->size = size;
  return true;
}

void jm_buffer_put(struct jm_buffer *buffer, const void *bytes, size_t count) {
  if (buffer->failed || count == 0) return;
  bool fits = count <= JM_BUFFER_MAX - buffer->used;
  if (!fits || (buffer->used + count > buffer->size && !jm_buffer_grow(buffer, buffer->used + count))) {
    buffer->failed = true;
    return;
  }
  memcpy(buffer->data + buffer->used, bytes, count);
  buffer->used += count;
}

void jm_buffer_clear(struct jm_buffer *buffer) {
  if (buffer->size > JM_BUFFER_USUAL) jm_buffer_free(buffer);
  buffer->used = 0;
  buffer->failed = false;
}

void jm_buffer_free(struct jm_buffer *buffer) {
  jm_free_pages(buffer->data, buffer->size);
  *buffer = (struct jm_buffer){0};
}
