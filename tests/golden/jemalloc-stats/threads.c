/* Three threads that allocate and free what the others allocated, then the same statistics twice: as JSON and as text. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

extern void malloc_stats_print(void (*write)(void *, const char *), void *to, const char *options);

#define THREADS 3
#define BLOCKS 4096
#define ROUNDS 60

static void *_Atomic shared[BLOCKS];

static void *churn(void *seed) {
  unsigned random = (unsigned)(size_t)seed;
  for (int i = 0; i < ROUNDS * BLOCKS; i++) {
    random = random * 1103515245 + 12345;
    size_t size = (size_t)8 << (random >> 16) % 14;
    void *mine = malloc(size - (random >> 8) % (size / 2));
    free(__atomic_exchange_n((void **)&shared[(random >> 4) % BLOCKS], mine, __ATOMIC_ACQ_REL));
  }
  return NULL;
}

static void append(void *file, const char *text) { fputs(text, file); }

static void print(const char *path, const char *options) {
  static char buffer[1 << 20];
  FILE *file = fopen(path, "w");
  if (!file) exit(1);
  setvbuf(file, buffer, _IOFBF, sizeof buffer);
  malloc_stats_print(append, file, options);
  fclose(file);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, churn, (void *)(i + 1));
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < BLOCKS; i++) if (i % 4) free(shared[i]);
  print(argv[1], "J");
  print(argv[2], "J");
  print(argv[3], "a");
  return 0;
}
