import { type FileHandle, open, readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { isSystemError, JemkitError } from '../../errors.js';
import type { HeapProfile } from '../../model/heap-profile.js';
import { openCollapsedParser } from './parse-collapsed.js';
import { openOlderHeapParser } from './parse-heap-older.js';
import { openHeapV2Parser } from './parse-heap-v2.js';
import { profileError } from './profile-error.js';
import type { ProfileParser } from './profile-parser.js';
import { SNIFF_BYTES, sniffFormat } from './sniff-format.js';

const PIECE_BYTES = 1024 * 1024;

/** What a gzip file may hold: 10 MB of zeros unpack to 10 GB. */
const UNPACKED_LIMIT = 16 * 1024 ** 3;

/** The limits, for tests. */
export interface ReadProfileLimits {
  readonly unpackedBytes?: number;
}

/**
 * Reads a heap profile of any form that jemkit knows, gzipped or not: jemalloc's dumps, jemkit's captures, the text of gperftools and Go, pprof, collapsed
 * stacks. Links, pipes and `/dev/stdin` are read like files.
 *
 * @throws JemkitError ERR_JEM_FILE where the file cannot be read, ERR_JEM_PROFILE where it is no whole heap profile; both name the file.
 */
export async function readHeapProfile(path: string, limits: ReadProfileLimits = {}): Promise<HeapProfile> {
  const handle = await openFile(path);
  try {
    const before = await handle.stat();
    if (before.isDirectory()) throw await isFolder(path);
    let profile: HeapProfile | undefined;
    let failure: unknown;
    try {
      profile = await parse(filePieces(handle), limits.unpackedBytes ?? UNPACKED_LIMIT);
    } catch (error) {
      failure = error;
    }
    const after = await handle.stat();
    if (before.isFile() && (after.size !== before.size || after.mtimeMs !== before.mtimeMs)) {
      throw profileError('it is still being written', {
        received: `${before.size} bytes at first and ${after.size} after reading`,
        expected: 'a file that does not change',
        hint: `when it is complete: jem report ${path}`,
      });
    }
    if (profile === undefined) throw failure;
    return profile;
  } catch (error) {
    throw named(path, error);
  } finally {
    await handle.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw named(path, error);
  }
}

async function* filePieces(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    // Each piece is new: one that is being unpacked must not change.
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    const { bytesRead } = await handle.read(piece, 0, PIECE_BYTES, null);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
  }
}

async function parse(pieces: AsyncIterable<Uint8Array>, unpackedLimit: number, packed = false): Promise<HeapProfile> {
  const iterator = pieces[Symbol.asyncIterator]();
  const head = await readHead(iterator);
  const format = sniffFormat(head);
  switch (format.kind) {
    case 'gzip':
      if (packed) throw foreign('compressed twice', 'unpack it once: gzip -d');
      return unpack(rejoin(head, iterator), unpackedLimit);
    case 'empty':
      throw profileError(packed ? 'it holds nothing' : 'the file is empty', {
        received: 'no stack',
        expected: 'a heap profile',
        hint: 'take the profile again: the disk was full, or the program ended before it was written',
      });
    case 'foreign':
      throw foreign(format.name, format.hint);
    default: {
      const parser = await PARSERS[format.kind]();
      for await (const piece of rejoin(head, iterator)) parser.push(piece);
      return parser.end();
    }
  }
}

/** The one that brings a library with it is loaded where it is needed. */
const PARSERS: Readonly<
  Record<'heap-v2' | 'heap-older' | 'pprof' | 'collapsed', () => ProfileParser | Promise<ProfileParser>>
> = {
  'heap-v2': openHeapV2Parser,
  'heap-older': openOlderHeapParser,
  pprof: async () => (await import('./parse-pprof.js')).openPprofParser(),
  collapsed: openCollapsedParser,
};

/** Enough to tell the format; a pipe may give its first bytes one by one. */
async function readHead(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < SNIFF_BYTES) {
    const next = await iterator.next();
    if (next.done) break;
    pieces.push(next.value);
    length += next.value.length;
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

async function* rejoin(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function unpack(pieces: AsyncIterable<Uint8Array>, limit: number): Promise<HeapProfile> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  const end = new AbortController();
  // Its failure is seen by who reads from the stream.
  const flow = pipeline(Readable.from(pieces, { highWaterMark: 2 }), gunzip, { signal: end.signal }).catch(() => {});
  try {
    return await parse(limited(gunzip, limit), limit, true);
  } catch (error) {
    if (!isSystemError(error) || !error.code?.startsWith('Z_')) throw error;
    const cut = error.code === 'Z_BUF_ERROR';
    throw profileError(cut ? 'the compressed file is cut off' : 'the compressed file is damaged', {
      received: `${error.message} (${error.code})`,
      expected: 'whole gzip data',
    });
  } finally {
    end.abort();
    await flow;
  }
}

async function* limited(pieces: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > limit) {
      throw profileError('the compressed file is too large', {
        received: `more than ${limit} bytes unpacked`,
        expected: `at most ${limit}`,
        hint: 'unpack it and give the file itself: gzip -d FILE',
      });
    }
    yield piece;
  }
}

function foreign(name: string, hint?: string): JemkitError {
  return profileError('this is no heap profile', {
    received: `a file that is ${name}`,
    expected: 'a dump of jemalloc, a capture of jemkit, pprof, or collapsed stacks',
    hint: hint ?? 'jem profile PID takes a heap profile',
  });
}

async function isFolder(path: string): Promise<JemkitError> {
  const names = await readdir(path).catch(() => []);
  const profiles = names.filter((name) => /\.(heap|pb\.gz|pprof|collapsed|folded)$/.test(name)).sort();
  const last = profiles.at(-1);
  return profileError('it is a folder', {
    received: `a folder with ${profiles.length} files that are named like heap profiles`,
    expected: 'a file',
    hint: last === undefined ? 'give a file' : `the last by name: jem report ${path.replace(/\/+$/, '')}/${last}`,
  });
}

/** The error with the file's name in front. */
function named(path: string, error: unknown): unknown {
  if (error instanceof JemkitError && error.code === 'ERR_JEM_PROFILE') {
    const { hint, details } = error;
    return new JemkitError('ERR_JEM_PROFILE', `${path}: ${error.message}`, {
      ...(hint === undefined ? {} : { hint }),
      details: { ...details, path },
    });
  }
  // What typed arrays and Maps throw that would become larger than they may be.
  if (error instanceof RangeError) {
    return new JemkitError('ERR_JEM_PROFILE', `${path}: the profile is too large: ${error.message}`, {
      hint: 'sample less often, so that there are fewer stacks',
      details: { path },
      cause: error,
    });
  }
  if (!isSystemError(error)) return error;
  const absent = error.code === 'ENOENT' || error.code === 'ENOTDIR';
  return new JemkitError('ERR_JEM_FILE', `${path} cannot be read: ${error.message}`, {
    hint: absent ? 'ls -t *.heap *.pb.gz lists profiles, the last one first' : 'give a file that you may read',
    details: { path, code: error.code },
    cause: error,
  });
}
