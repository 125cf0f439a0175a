/* Holds known bytes in known functions: 60, 30 and 10 in 100, and more of two of them in each round. One heap dump a round, then the statistics
 * of the moment and what jemalloc remembers of its latest samples. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mallctl(const char *, void *, size_t *, void *, size_t);
void malloc_stats_print(void (*)(void *, const char *), void *, const char *);

static void *kept[200000];
static int count;

static void put(void *file, const char *text) { fputs(text, file); }

#define HOLDER(name) \
    __attribute__((noinline)) static void *name(size_t size) { \
        void *block = malloc(size); \
        memset(block, 1, size); \
        return block; \
    }

HOLDER(hold_sixty)
HOLDER(hold_thirty)
HOLDER(hold_ten)
HOLDER(hold_pins)
HOLDER(drop_at_once)

__attribute__((noinline)) static void *recurse(int depth, void *(*hold)(size_t), size_t size) {
    void *block = depth > 0 ? recurse(depth - 1, hold, size) : hold(size);
    __asm__ volatile("" : : "r"(block) : "memory");
    return block;
}

static void keep(int times, void *(*hold)(size_t)) {
    for (int i = 0; i < times; i++) kept[count++] = recurse(3, hold, 1000);
}

static void dump(const char *path) { mallctl("prof.dump", NULL, NULL, &path, sizeof path); }

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    static void *pins[20000];
    for (int i = 0; i < 20000; i++) pins[i] = hold_pins(320);
    for (int i = 0; i < 20000; i++)
        if (i % 20 != 0) free(pins[i]);
    for (int round = 1; round <= 3; round++) {
        keep(6000, hold_sixty);
        keep(3000, hold_thirty);
        if (round == 1) keep(1000, hold_ten);
        for (int i = 0; i < 2000; i++) free(recurse(0, drop_at_once, 1000));
        dump(argv[round]);
    }
    FILE *statistics = fopen(argv[4], "w");
    malloc_stats_print(put, statistics, "J");
    fclose(statistics);
    FILE *recent = fopen(argv[5], "w");
    struct {
        void (*write)(void *, const char *);
        void *opaque;
    } packet = {put, recent};
    mallctl("experimental.prof_recent.alloc_dump", NULL, NULL, &packet, sizeof packet);
    fclose(recent);
    return 0;
}
