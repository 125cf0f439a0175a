import { isAbsolute, join, resolve } from 'node:path';
import type { Architecture, Libc, PreloadableAllocator } from '../../model/allocator.js';
import { lstatSync } from '../file-system.js';

/**
 * The file each allocator is installed as. It never changes: running services hand this path to their children in LD_PRELOAD, so
 * an update must find the same name, whatever version the package's own file has.
 */
const LIBRARY_FILES: Readonly<Record<PreloadableAllocator, string>> = {
  jemalloc: 'libjemalloc.so.2',
  mimalloc: 'libmimalloc.so',
  tcmalloc: 'libtcmalloc_minimal.so.4',
};

function homeFolder(environment: NodeJS.ProcessEnv): string | undefined {
  const home = environment['HOME'];
  if (home && isAbsolute(home)) return home;
  try {
    const { homedir } = process.getBuiltinModule('node:os').userInfo();
    return isAbsolute(homedir) ? homedir : undefined;
  } catch {
    // A uid without an entry in the user database, as in many containers.
    return undefined;
  }
}

/** Where jemkit keeps its own files when no home folder can be written: shared with other users, so it must be checked. */
export function fallbackCacheFolder(uid: number): string {
  return `/var/tmp/jemkit-${uid}`;
}

/**
 * The folders that may hold jemkit's cache, the preferred one first; none of them need exist.
 * `JEMKIT_CACHE_DIR` alone where it is set; else `XDG_CACHE_HOME/jemkit`, the home's cache folder, and `/var/tmp/jemkit-<uid>`.
 */
export function cacheFolders(environment: NodeJS.ProcessEnv, uid: number | undefined): string[] {
  const chosen = environment['JEMKIT_CACHE_DIR'];
  if (chosen) return [resolve(chosen)];
  const folders: string[] = [];
  const xdg = environment['XDG_CACHE_HOME'];
  if (xdg && isAbsolute(xdg)) folders.push(join(xdg, 'jemkit'));
  const home = homeFolder(environment);
  if (home) folders.push(join(home, process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'jemkit'));
  if (uid !== undefined) folders.push(fallbackCacheFolder(uid));
  return [...new Set(folders)];
}

/** The loader splits LD_PRELOAD at white space and colons and expands `$`: a path with one of them cannot stand in it. */
export function canBePreloaded(path: string): boolean {
  return !/[\s:$]/.test(path);
}

/** mkdir below these never ends in Node 20 to 26 (a recursive one tries again for ever), and no file belongs there. */
export function isKernelFolder(folder: string): boolean {
  return /^\/(proc|sys)(\/|$)/.test(folder);
}

/** A folder that only this user can have filled: no symbolic link, owned by the user, closed to everybody else. */
export function isPrivateFolder(folder: string, uid: number): boolean {
  try {
    const stat = lstatSync(folder);
    return stat.isDirectory() && stat.uid === uid && (stat.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

/** Those of {@link cacheFolders} that a library may be loaded from: the path can be preloaded, and nobody else can have filled it. */
export function libraryCacheFolders(environment: NodeJS.ProcessEnv, uid: number | undefined): string[] {
  const fallback = uid === undefined ? undefined : fallbackCacheFolder(uid);
  return cacheFolders(environment, uid).filter(
    (folder) => canBePreloaded(folder) && (folder !== fallback || uid === undefined || isPrivateFolder(folder, uid)),
  );
}

/** `x64-glibc`: the name of what a library was built for. */
export function platformName(architecture: Architecture, libc: Libc): string {
  return `${architecture}-${libc}`;
}

/** Where `jem install` puts an allocator's library in a cache folder. */
export function installedLibraryPath(cacheFolder: string, allocator: PreloadableAllocator, platform: string): string {
  return join(cacheFolder, 'libraries', allocator, platform, LIBRARY_FILES[allocator]);
}

/** What was installed, beside the library. */
export function libraryManifestPath(cacheFolder: string, allocator: PreloadableAllocator, platform: string): string {
  return join(cacheFolder, 'libraries', allocator, platform, 'manifest.json');
}

/** Headers, tools and static libraries of `jem install --dev`: the package's tree, with `usr` at its root. */
export function developmentFolder(cacheFolder: string, allocator: PreloadableAllocator, platform: string): string {
  return join(cacheFolder, 'development', allocator, platform);
}
