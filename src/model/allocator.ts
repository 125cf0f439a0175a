/** The allocators jemkit can preload, in the order it prefers them. */
export const PRELOADABLE_ALLOCATORS = ['jemalloc', 'mimalloc', 'tcmalloc'] as const;

/** An allocator that lives in a shared library of its own. */
export type PreloadableAllocator = (typeof PRELOADABLE_ALLOCATORS)[number];

/** What `--allocator` takes: a library to preload, or the C library's own malloc. */
export type AllocatorName = PreloadableAllocator | 'system';

/** The C library a file was linked for. A file that names none (static, or no dependency at all) has `undefined`. */
export type Libc = 'glibc' | 'musl' | 'darwin';

/** Processor architectures by Node's names (`process.arch`); the ELF machines that Node runs on. */
export type Architecture = 'x64' | 'ia32' | 'arm64' | 'arm' | 'ppc64' | 's390x' | 'riscv64' | 'loong64';

/** Which file on disk, and which version of it: what caches are keyed by. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
  readonly mtimeMs: number;
  readonly sizeBytes: number;
}

/** An allocator's shared library, as its own headers describe it. */
export interface AllocatorLibrary {
  readonly path: string;
  readonly allocator: PreloadableAllocator;
  readonly architecture: Architecture | undefined;
  readonly libc: Libc | undefined;
  readonly identity: FileIdentity;
}

/** What a program needs of a library that is to be loaded into it. */
export interface LibraryTarget {
  readonly architecture: Architecture;
  readonly libc: Libc;
}

/** File names by which an allocator's library is known, the most wanted first. */
export const LIBRARY_FILE_NAMES: Readonly<Record<PreloadableAllocator, readonly string[]>> = {
  jemalloc: ['libjemalloc.so.2', 'libjemalloc.so.1', 'libjemalloc.so', 'libjemalloc.2.dylib', 'libjemalloc.dylib'],
  mimalloc: ['libmimalloc.so.2', 'libmimalloc.so.3', 'libmimalloc.so', 'libmimalloc.2.dylib', 'libmimalloc.dylib'],
  tcmalloc: [
    'libtcmalloc_minimal.so.4',
    'libtcmalloc.so.4',
    'libtcmalloc_minimal.so',
    'libtcmalloc.so',
    'libtcmalloc_minimal.dylib',
    'libtcmalloc.dylib',
  ],
};

/** The allocator that a library's file name stands for, or undefined for any other library. */
export function allocatorOfLibraryName(path: string): PreloadableAllocator | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return PRELOADABLE_ALLOCATORS.find((allocator) =>
    new RegExp(`^lib${allocator}(_minimal|_and_profiler)?[.\\d-]*(so|dylib)`).test(name),
  );
}
