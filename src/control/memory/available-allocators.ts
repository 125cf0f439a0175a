import { PRELOADABLE_ALLOCATORS } from '../../model/allocator.js';
import type { AvailableAllocator } from '../../model/allocator-info.js';
import { readInProcessJemalloc } from '../../native.js';
import { readLibraryVersion } from '../../sources/elf/library-version.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { findLibrary } from '../library/find-library.js';

function searchFor(allocator: (typeof PRELOADABLE_ALLOCATORS)[number], environment: NodeJS.ProcessEnv) {
  const resolution = resolveProgram(process.execPath, undefined);
  const target = resolution.kind === 'resolved' ? resolution.program.target : undefined;
  const search = findLibrary({ allocator, target, environment });
  return search.kind === 'found' ? search : undefined;
}

/**
 * The allocators that a Node like this one can be started with on this machine: those whose library is installed, jemalloc first, and the
 * C library's own (`system`), which always is. Reads files, starts nothing; a few milliseconds.
 *
 * @example
 * for (const { allocator, version, libraryPath } of availableAllocators()) console.log(allocator, version, libraryPath);
 */
export function availableAllocators(environment: NodeJS.ProcessEnv = process.env): AvailableAllocator[] {
  const found = PRELOADABLE_ALLOCATORS.flatMap((allocator): AvailableAllocator[] => {
    const search = searchFor(allocator, environment);
    if (!search) return [];
    const { path } = search.library;
    return [{ allocator, libraryPath: path, version: readLibraryVersion(path, allocator), source: search.source }];
  });
  return [...found, { allocator: 'system', libraryPath: undefined, version: undefined, source: undefined }];
}

/**
 * Whether jemalloc serves this process already, or is installed where `jem run` and `ensureJemalloc` find it.
 *
 * @example
 * if (!jemallocAvailable()) console.log('jem install gets it');
 */
export function jemallocAvailable(environment: NodeJS.ProcessEnv = process.env): boolean {
  return readInProcessJemalloc()?.serves === true || searchFor('jemalloc', environment) !== undefined;
}
