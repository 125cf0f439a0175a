import { closeSync, fstatSync, openSync, readSync } from '../file-system.js';

/** Random access to the bytes of a file; parsers take this, so that a test can hand them a Buffer. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Up to `length` bytes from `offset`; shorter at the end of the file. */
  readAt(offset: number, length: number): Buffer;
}

/** The bytes of a Buffer. */
export function bytesOf(buffer: Buffer): ByteSource {
  return {
    sizeBytes: buffer.length,
    readAt: (offset, length) =>
      buffer.subarray(Math.min(offset, buffer.length), Math.min(offset + length, buffer.length)),
  };
}

/** Opens a file for random reads, calls `use`, and closes it whatever happens. Throws the system's error where it cannot open. */
export function withFileBytes<T>(path: string, use: (source: ByteSource) => T): T {
  const descriptor = openSync(path, 'r');
  try {
    const sizeBytes = fstatSync(descriptor).size;
    return use({
      sizeBytes,
      readAt: (offset, length) => {
        // A damaged header may claim any offset and length.
        const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, sizeBytes - offset)));
        let filled = 0;
        while (filled < buffer.length) {
          const got = readSync(descriptor, buffer, filled, buffer.length - filled, offset + filled);
          if (got === 0) break;
          filled += got;
        }
        return buffer.subarray(0, filled);
      },
    });
  } finally {
    closeSync(descriptor);
  }
}
