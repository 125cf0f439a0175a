/* An add-on that asks for a jemalloc, and has none: the name stands in its symbol table as one taken from elsewhere. */
__attribute__((weak)) int _rjem_mallctlbymib(void);
__attribute__((weak)) int mallctlbymib(void);
int asks(void) { return _rjem_mallctlbymib ? _rjem_mallctlbymib() : mallctlbymib ? mallctlbymib() : 0; }
