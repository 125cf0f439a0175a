import type { FrameKind } from '../../model/heap-profile.js';

/** What tells the kind of native code. */
export interface NativeCode {
  /** Demangled, without parameters; empty where it has no symbol. */
  readonly name: string;
  readonly module: string;
  /** The module is the node executable, or a library with V8 in it. */
  readonly holdsV8: boolean;
}

const C_RUNTIME =
  /^(?:libc|libm|libpthread|libdl|librt|libutil|libresolv|libanl|ld(?:64)?|ld-[\w.-]+|libgcc_s|libstdc\+\+|libc\+\+|libc\+\+abi|libunwind)(?:[-.][\w.]+)?$/;
const JEMALLOC = /^libjemalloc[\w.+-]*\.so/;

const ENTRY =
  '(?:malloc|calloc|realloc|reallocarray|free|cfree|memalign|posix_memalign|aligned_alloc|valloc|pvalloc|mallocx|rallocx|xallocx|sdallocx|dallocx|malloc_usable_size)';
/** The allocator's own functions; jeprof drops the same, and those of other allocators. */
const ALLOCATOR = new RegExp(
  [
    `^${ENTRY}$`,
    '^(?:_rjem_(?:je_)?|je_|jemk_)\\w+$',
    '^operator (?:new|delete)(?:\\[\\])?$',
    // Rust's way from Box and Vec to the allocator.
    '^(?:__rust|__rdl|__rg)_(?:alloc|alloc_zeroed|realloc|dealloc)$',
    '^(?:newImpl|imalloc\\w*|ialloc\\w*|arena_malloc\\w*|prof_(?:alloc|tctx|backtrace|malloc|sample|bt|unwind|lookup)\\w*)$',
  ].join('|'),
);

const V8 = /^(?:v8(?:_\w+)?::|Builtins_|cppgc::|heap::base::|\(anonymous namespace\)::v8::)/;
const NODE_PROGRAM = /^(?:node|nodejs)(?:\d+)?$|^libnode\.so/;

/** Whether functions of these names are from an executable that holds V8. */
export function holdsV8(module: string, names: Iterable<string>): boolean {
  if (NODE_PROGRAM.test(module.slice(module.lastIndexOf('/') + 1))) return true;
  for (const name of names) if (name.startsWith('v8::internal::') || name.startsWith('Builtins_')) return true;
  return false;
}

/** The kind of a native frame. */
export function nativeKind({ name, module, holdsV8 }: NativeCode): FrameKind {
  const file = module.slice(module.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, '');
  if (JEMALLOC.test(file) || ALLOCATOR.test(name)) return 'allocator';
  if (C_RUNTIME.test(file)) return 'libc';
  if (holdsV8) {
    if (V8.test(name)) return 'v8';
    return /^(?:std|__gnu_cxx|__cxxabiv1)::/.test(name) ? 'libc' : 'node';
  }
  return module === '' && name === '' ? 'unknown' : 'native';
}
