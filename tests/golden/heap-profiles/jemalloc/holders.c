/* Known functions hold known bytes: 60, 30 and 10 % of what is held, by threads with names; and one gives back what it takes. Writes its heap profile to argv[1]. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mallctl(const char *, void *, size_t *, void *, size_t);
void *volatile held[30000];
static int next;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static void keep(void *block) {
  pthread_mutex_lock(&lock);
  held[next++] = block;
  pthread_mutex_unlock(&lock);
}
__attribute__((noinline)) void hold_sixty(int rounds) {
  for (int at = 0; at < rounds; at++) keep(malloc(600));
}
__attribute__((noinline)) void hold_thirty(int rounds) {
  for (int at = 0; at < rounds; at++) keep(calloc(3, 1000));
}
__attribute__((noinline)) void hold_ten(int rounds) {
  for (int at = 0; at < rounds; at++) keep(strdup("a text that is a hundred characters long, with its end, so that the tenth part of all is held here."));
}
__attribute__((noinline)) void give_back(int rounds) {
  for (int at = 0; at < rounds; at++) {
    char *volatile block = malloc(20000);
    block[0] = 1;
    free(block);
  }
}
static void *work(void *name) {
  pthread_setname_np(pthread_self(), name);
  mallctl("thread.prof.name", NULL, NULL, &name, sizeof name);
  hold_sixty(3000);
  hold_ten(1500);
  give_back(500);
  return NULL;
}
int main(int argc, char **argv) {
  pthread_t first, second;
  pthread_create(&first, NULL, work, "first worker");
  pthread_create(&second, NULL, work, "second");
  pthread_join(first, NULL);
  pthread_join(second, NULL);
  hold_sixty(3000);
  hold_thirty(900);
  hold_ten(6000);
  const char *path = argv[argc - 1];
  int failed = mallctl("prof.dump", NULL, NULL, &path, sizeof path);
  if (failed) fprintf(stderr, "prof.dump: %s\n", strerror(failed));
  return failed != 0;
}
