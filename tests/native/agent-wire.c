/* Prints the messages of tests/golden/agent-wire that the structs of wire.h stand in, as C lays them out: name, bytes in hex, one a line. */
#include <stdio.h>
#include <string.h>

#include "mallctl-types.h"
#include "wire.h"

static unsigned char bytes[256];
static size_t used;

static void put(const void *from, size_t count) {
  memcpy(bytes + used, from, count);
  used += count;
}

static void begin(uint16_t operation, uint32_t id, int32_t status) {
  struct jm_wire_header header = {JM_WIRE_MAGIC, JM_WIRE_VERSION, operation, id, status, 0};
  used = 0;
  put(&header, sizeof header);
}

static void end(const char *name) {
  uint32_t length = (uint32_t)(used - sizeof(struct jm_wire_header));
  memcpy(bytes + 16, &length, sizeof length);
  printf("%s ", name);
  for (size_t i = 0; i < used; i++) printf("%02x", bytes[i]);
  putchar('\n');
}

static void value(uint8_t type, uint8_t is_null, uint32_t true_size) {
  struct jm_wire_value head = {.type = type, .is_null = is_null, .true_size = true_size};
  put(&head, sizeof head);
}

int main(void) {
  static const char versions[] = "0.1.0\0" "5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c";
  struct jm_wire_hello hello = {
      .pid = 4242,
      .flags = JM_WIRE_HAS_JEMALLOC | JM_WIRE_PROF_COMPILED_IN | JM_WIRE_PROF_ENABLED,
      .started_ns = 1000000000,
      .now_ns = 2500000000,
  };
  begin(JM_WIRE_HELLO, 0x101, 0);
  put(&hello, sizeof hello);
  put(versions, sizeof versions);
  end("hello");

  uint64_t allocated = 123456789;
  begin(JM_WIRE_READ, 0x102, 0);
  value(JM_MALLCTL_SIZE, 0, 0);
  put(&allocated, sizeof allocated);
  end("read");
  begin(JM_WIRE_READ, 0x103, 0);
  value(JM_MALLCTL_STRING, 0, 0);
  put("secondary", 9);
  end("read-text");
  begin(JM_WIRE_READ, 0x104, 0);
  value(JM_MALLCTL_STRING, 1, 0);
  end("read-null");
  begin(JM_WIRE_READ, 0x105, 22);
  value(JM_MALLCTL_BOOL, 0, 8);
  end("read-wrong-size");

  int64_t decay = 10000;
  begin(JM_WIRE_WRITE, 0x107, 0);
  value(JM_MALLCTL_SSIZE, 0, 0);
  put(&decay, sizeof decay);
  end("write");
  begin(JM_WIRE_WRITE, 0x10a, JM_WIRE_REFUSED);
  end("write-refused");

  begin(999, 0x201, JM_WIRE_UNKNOWN_OPERATION);
  end("unknown-operation");
  begin(JM_WIRE_DECAY, 0x202, JM_WIRE_MALFORMED);
  end("malformed");
  begin(JM_WIRE_SAMPLE, 0x203, JM_WIRE_NO_JEMALLOC);
  end("no-jemalloc");
  begin(JM_WIRE_HELLO, 0x204, JM_WIRE_OTHER_VERSION);
  end("other-version");
  begin(JM_WIRE_STATS, 0x205, JM_WIRE_TOO_LARGE);
  end("too-large");
  return 0;
}
