import { join, resolve } from 'node:path';
import {
  type Architecture,
  allocatorOfLibraryName,
  LIBRARY_FILE_NAMES,
  type LibraryTarget,
  type PreloadableAllocator,
} from '../../model/allocator.js';
import type { LibrarySearch, LibrarySource, RejectedLibrary } from '../../model/library-search.js';
import { readLoaderCache } from '../../sources/elf/loader-cache.js';
import { installedLibraryPath, libraryCacheFolders } from '../../sources/process/jemkit-folders.js';
import { examineLibrary } from './examine-library.js';

/** What is looked for, and where. */
export interface LibraryRequest {
  readonly allocator: PreloadableAllocator;
  /** The program's architecture and C library; undefined takes any. */
  readonly target?: LibraryTarget | undefined;
  /** `--library`: this file and no other. */
  readonly path?: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
}

/** Debian’s names of library folders. */
export const TRIPLETS: Readonly<Record<Architecture, readonly string[]>> = {
  x64: ['x86_64-linux-gnu'],
  ia32: ['i386-linux-gnu', 'i686-linux-gnu'],
  arm64: ['aarch64-linux-gnu'],
  arm: ['arm-linux-gnueabihf', 'arm-linux-gnueabi'],
  ppc64: ['powerpc64le-linux-gnu'],
  s390x: ['s390x-linux-gnu'],
  riscv64: ['riscv64-linux-gnu'],
  loong64: ['loongarch64-linux-gnu'],
};

export const HOMEBREW_PREFIXES = ['/opt/homebrew', '/usr/local', '/home/linuxbrew/.linuxbrew'];

/** Folders that hold libraries of this architecture, whether or not the loader's cache lists them (Alpine has no cache). */
function systemFolders(architecture: Architecture | undefined): string[] {
  const triplets = architecture ? TRIPLETS[architecture] : Object.values(TRIPLETS).flat();
  return [
    ...triplets.flatMap((triplet) => [`/usr/local/lib/${triplet}`, `/usr/lib/${triplet}`, `/lib/${triplet}`]),
    '/usr/local/lib64',
    '/usr/local/lib',
    '/usr/lib64',
    '/usr/lib',
    '/lib64',
    '/lib',
  ];
}

function* candidates(request: LibraryRequest): Generator<{ path: string; source: LibrarySource }> {
  const { allocator, environment, target } = request;
  const suffix = process.platform === 'darwin' ? /\.dylib$/ : /\.so/;
  const names = LIBRARY_FILE_NAMES[allocator].filter((name) => suffix.test(name));
  for (const folder of libraryCacheFolders(environment, process.geteuid?.())) {
    for (const path of installedLibraryPaths(folder, allocator, target)) yield { path, source: 'jemkit' };
  }
  const inCache = readLoaderCache(`lib${allocator}`).filter(
    (entry) => allocatorOfLibraryName(entry.name) === allocator,
  );
  const rank = (name: string) => (names.includes(name) ? names.indexOf(name) : names.length);
  for (const entry of inCache.sort((a, b) => rank(a.name) - rank(b.name))) {
    if (!entry.name.includes('_debug')) yield { path: entry.path, source: 'loader-cache' };
  }
  for (const folder of systemFolders(target?.architecture)) {
    for (const name of names) yield { path: join(folder, name), source: 'system-folder' };
  }
  for (const prefix of environment['HOMEBREW_PREFIX'] ? [environment['HOMEBREW_PREFIX']] : HOMEBREW_PREFIXES) {
    for (const name of names) yield { path: join(prefix, 'lib', name), source: 'homebrew' };
  }
}

function installedLibraryPaths(
  folder: string,
  allocator: PreloadableAllocator,
  target: LibraryTarget | undefined,
): string[] {
  const libcs = target
    ? [target.libc]
    : process.platform === 'darwin'
      ? (['darwin'] as const)
      : (['glibc', 'musl'] as const);
  const architecture = target?.architecture ?? (process.arch as Architecture);
  return libcs.map((libc) => installedLibraryPath(folder, allocator, `${architecture}-${libc}`));
}

/**
 * Finds the library to preload: the file named, then `JEMKIT_LIBRARY`, then what jemkit installed, then the loader's cache, the
 * system's folders and Homebrew's. Architecture and C library are read from each candidate's headers. A file that was named is
 * the only one considered: falling on to another would hide the mistake.
 */
export function findLibrary(request: LibraryRequest): LibrarySearch {
  const named = request.path
    ? ({ path: resolve(request.path), source: 'option' } as const)
    : request.environment['JEMKIT_LIBRARY'] && allocatorMatches(request)
      ? ({ path: resolve(request.environment['JEMKIT_LIBRARY']), source: 'JEMKIT_LIBRARY' } as const)
      : undefined;
  const rejected: RejectedLibrary[] = [];
  const looked = new Set<string>();
  for (const { path, source } of named ? [named] : candidates(request)) {
    if (looked.has(path)) continue;
    looked.add(path);
    const examined = examineLibrary(path, request.allocator, request.target, named !== undefined);
    if (examined.kind === 'usable') return { kind: 'found', library: examined.library, source, rejected };
    if (named || examined.reason !== 'missing') {
      rejected.push({ path, source, reason: examined.reason, detail: examined.detail });
    }
  }
  return { kind: 'none', allocator: request.allocator, rejected };
}

/** `JEMKIT_LIBRARY=…/libjemalloc.so.2` must not answer `--allocator mimalloc`. */
function allocatorMatches(request: LibraryRequest): boolean {
  const named = allocatorOfLibraryName(request.environment['JEMKIT_LIBRARY'] ?? '');
  return named === undefined || named === request.allocator;
}
