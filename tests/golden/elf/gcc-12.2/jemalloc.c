/* The exports and texts by which a jemalloc is known. */
const char *malloc_conf;
const char jm_version[] = "5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c";
void *malloc(unsigned long bytes) { return (char *)0 + bytes; }
int mallctlbymib(void) { return 0; }
