import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { type AllocatorName, allocatorOfLibraryName } from '../../src/model/allocator.js';
import { jemallocLibrary, ROOT } from './programs.js';

/** jemkit's own library to preload, with the agent in it. */
export const AGENT = join(ROOT, 'prebuilds', `linux-${process.arch}-glibc`, 'libjemkit.so');

/** A folder for all tests of a file, removed after them. Without a space or colon, so that libraries in it can be preloaded. */
export function folderForFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jemkit-file-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An allocator's library beside the jemalloc that tests preload. Throws where it is absent. */
export function libraryOf(allocator: AllocatorName): string {
  const folder = dirname(jemallocLibrary());
  const name = readdirSync(folder)
    .sort()
    .find((file) => allocatorOfLibraryName(file) === allocator);
  if (name === undefined) throw new Error(`no library of ${allocator} in ${folder}`);
  return join(folder, name);
}

/** The environment in which `jem run` finds the tests' jemalloc, with a cache of its own. */
export function launchEnvironment(cacheFolder: string): Record<string, string> {
  return { JEMKIT_LIBRARY: jemallocLibrary(), JEMKIT_CACHE_DIR: cacheFolder };
}

/** Python that reads an option of the jemalloc it runs under: `opt('narenas', c_uint)`. */
export const PYTHON_OPT = `
from ctypes import *
mallctl = CDLL(None).mallctl
def opt(name, kind):
    value = kind()
    size = c_size_t(sizeof(value))
    error = mallctl(('opt.' + name).encode(), byref(value), byref(size), None, c_size_t(0))
    return value.value if error == 0 else 'error %d' % error
`;
