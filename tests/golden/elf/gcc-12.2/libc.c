/* Calls its own malloc through a slot, as glibc does, so that another library's can take its place. */
const char jm_version[] = "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.";
void *malloc(unsigned long bytes) { return (char *)0 + bytes; }
void *jm_use(void) { return malloc(1); }
void *(*jm_pointer(void))(unsigned long) { return malloc; }
const char *gnu_get_libc_version(void) { return "2.36"; }
