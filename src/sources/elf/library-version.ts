import { readFileSync } from 'node:fs';
import { isSystemError } from '../../errors.js';
import type { PreloadableAllocator } from '../../model/allocator.js';

// jemalloc's VERSION file ends up in its read-only data: `5.3.0-0-g54eaed1d…`; a tarball build says `0.0.0-0-g0000000…`.
const JEMALLOC_VERSION = /(?<![\d.])(\d+\.\d+\.\d+)-\d+-g[0-9a-f]{7,40}(?![0-9a-f])/;
const FILE_NAME_VERSION = /\.so\.(\d+(?:\.\d+)+)$/;

/** The version in the bytes of an allocator's library, or undefined where they hold none. */
export function parseLibraryVersion(content: Buffer, allocator: PreloadableAllocator): string | undefined {
  if (allocator !== 'jemalloc') return undefined;
  const version = JEMALLOC_VERSION.exec(content.toString('latin1'))?.[1];
  return version === '0.0.0' ? undefined : version;
}

/** The version of the library at `path`, without running it: jemalloc's from its text, others from a versioned file name. */
export function readLibraryVersion(path: string, allocator: PreloadableAllocator): string | undefined {
  try {
    return parseLibraryVersion(readFileSync(path), allocator) ?? FILE_NAME_VERSION.exec(path)?.[1];
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
