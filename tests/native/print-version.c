#include <jemalloc/jemalloc.h>
#include <stdio.h>

int main(void) {
  const char *version = "";
  size_t length = sizeof version;
  if (mallctl("version", &version, &length, NULL, 0) != 0) return 1;
  puts(version);
  return 0;
}
