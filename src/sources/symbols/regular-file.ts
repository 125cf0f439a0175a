import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { isSystemError } from '../../errors.js';
import type { ByteSource } from '../elf/byte-source.js';

/** Why there is nothing to read. */
export interface UnreadableFile {
  readonly kind: 'unreadable';
  /** The system's code; `ENOTREG` for a folder, a pipe, a socket or a device. */
  readonly code: string;
}

export interface FileFacts {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly userId: number;
  /** The same while it is this file with this content. */
  readonly identity: string;
}

const BEFORE_OPENING = { ...constants } as Readonly<Record<string, number | undefined>>;
/** A path that a profile names may have become a pipe between the look and the opening: that must not wait for a writer. */
const FLAGS =
  (BEFORE_OPENING['O_RDONLY'] ?? 0) | (BEFORE_OPENING['O_NONBLOCK'] ?? 0) | (BEFORE_OPENING['O_NOCTTY'] ?? 0);

/**
 * Opens a file whose path was read somewhere, if it is a regular one, calls `use` and closes it. A profile may name anything: opening a
 * pipe waits, opening a device may do something.
 */
export function withRegularFile<T>(
  path: string,
  use: (source: ByteSource, facts: FileFacts) => T,
  options: { readonly followLink?: boolean } = {},
): T | UnreadableFile {
  let descriptor: number;
  try {
    if (!statSync(path).isFile()) return { kind: 'unreadable', code: 'ENOTREG' };
    const noFollow = options.followLink === false ? (BEFORE_OPENING['O_NOFOLLOW'] ?? 0) : 0;
    descriptor = openSync(path, FLAGS | noFollow);
  } catch (error) {
    // A path with a NUL has no system error.
    return { kind: 'unreadable', code: isSystemError(error) ? (error.code ?? 'EIO') : 'EINVAL' };
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return { kind: 'unreadable', code: 'ENOTREG' };
    return use(
      {
        sizeBytes: stat.size,
        readAt: (offset, length) => readRange(descriptor, offset, Math.min(length, stat.size - offset)),
      },
      {
        sizeBytes: stat.size,
        modifiedMs: stat.mtimeMs,
        userId: stat.uid,
        identity: [stat.dev, stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs].join(':'),
      },
    );
  } catch (error) {
    if (isSystemError(error)) return { kind: 'unreadable', code: error.code ?? 'EIO' };
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function readRange(descriptor: number, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(Math.max(0, length));
  let filled = 0;
  while (filled < buffer.length) {
    const got = readSync(descriptor, buffer, filled, buffer.length - filled, offset + filled);
    if (got === 0) break;
    filled += got;
  }
  return buffer.subarray(0, filled);
}

/** The text of a regular file, or why there is none; `EFBIG` where it has more than `maxBytes`. */
export function readRegularText(
  path: string,
  maxBytes: number,
): { readonly kind: 'text'; readonly text: string; readonly facts: FileFacts } | UnreadableFile {
  return withRegularFile(path, (source, facts) =>
    facts.sizeBytes > maxBytes
      ? ({ kind: 'unreadable', code: 'EFBIG' } as const)
      : { kind: 'text' as const, text: source.readAt(0, facts.sizeBytes).toString('utf8'), facts },
  );
}
