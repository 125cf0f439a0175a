"""Holds and frees memory as it is told on stdin: `hold MIB`, `free`. Prints 'ready' after each. Ends with its stdin."""
import ctypes, sys

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
BLOCK = 256 * 1024
held = []
print('ready', flush=True)
for line in sys.stdin:
    words = line.split()
    if words[0] == 'hold':
        for _ in range(int(words[1]) * 2**20 // BLOCK):
            block = libc.malloc(BLOCK)
            ctypes.memset(block, 1, BLOCK)
            held.append(block)
    elif words[0] == 'free':
        while held:
            libc.free(held.pop())
    print('ready', flush=True)
