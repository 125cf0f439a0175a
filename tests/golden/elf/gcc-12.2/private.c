/* A program with a jemalloc of its own names inside, as Rust's tikv-jemallocator builds it. */
extern void *malloc(unsigned long);
int _rjem_mallctlbymib(void) { return 0; }
const char jm_text[] = "<jemalloc>: Malformed conf string\n";
const char jm_name[] = "_RJEM_MALLOC_CONF";
const char *jm_texts(int i) { return i ? jm_text : jm_name; }
void _start(void) { malloc(1); _rjem_mallctlbymib(); for (;;) jm_texts(1); }
