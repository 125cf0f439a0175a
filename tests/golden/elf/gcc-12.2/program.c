extern void *malloc(unsigned long);
void _start(void) { malloc(1); for (;;) ; }
