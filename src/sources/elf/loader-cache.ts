import { isSystemError } from '../../errors.js';
import { readFileSync } from '../file-system.js';

const MAGIC = 'glibc-ld.so.cache1.1';
const HEADER_BYTES = 48;
const ENTRY_BYTES = 24;

/** One library that the loader knows by name. Several entries of a name differ in architecture or CPU features. */
export interface LoaderCacheEntry {
  readonly name: string;
  readonly path: string;
}

/** Where `text` stands in the bytes. */
function positionsOf(content: Buffer, text: string): Set<number> {
  const positions = new Set<number>();
  for (let at = content.indexOf(text); at !== -1; at = content.indexOf(text, at + 1)) positions.add(at);
  return positions;
}

/**
 * Parses glibc's `/etc/ld.so.cache` (the format of glibc 2.2 and later, alone or behind the older one) for the names that begin
 * with `prefix`, in the order of the cache. Returns none for anything else.
 */
export function parseLoaderCache(content: Buffer, prefix: string): LoaderCacheEntry[] {
  const start = content.indexOf(MAGIC, 0, 'latin1');
  if (start === -1 || start + HEADER_BYTES > content.length) return [];
  const cache = content.subarray(start);
  // One name of a thousand is wanted: looking for its text first, and decoding only that, takes a tenth of the time.
  const wanted = positionsOf(cache, prefix);
  if (wanted.size === 0) return [];
  const count = cache.readUInt32LE(20);
  const text = (at: number) => {
    const end = at < cache.length ? cache.indexOf(0, at) : -1;
    return end === -1 ? '' : cache.toString('utf8', at, end);
  };
  const entries: LoaderCacheEntry[] = [];
  for (let i = 0; i < count; i++) {
    const at = HEADER_BYTES + i * ENTRY_BYTES;
    if (at + ENTRY_BYTES > cache.length) break;
    const nameAt = cache.readUInt32LE(at + 4);
    if (wanted.has(nameAt)) entries.push({ name: text(nameAt), path: text(cache.readUInt32LE(at + 8)) });
  }
  return entries.filter((entry) => entry.path !== '');
}

/** The entries of the system's loader cache for names that begin so; none where there is no such cache (musl, macOS). */
export function readLoaderCache(prefix: string, path = '/etc/ld.so.cache'): LoaderCacheEntry[] {
  try {
    return parseLoaderCache(readFileSync(path), prefix);
  } catch (error) {
    if (isSystemError(error)) return [];
    throw error;
  }
}
