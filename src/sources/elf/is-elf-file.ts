import { closeSync, openSync, readSync } from 'node:fs';
import { optional } from '../../errors.js';

/** Whether a file begins as an ELF program or library does; false for what cannot be read. */
export function isElfFile(path: string): boolean {
  const bytes = Buffer.alloc(4);
  const read = optional(() => {
    const descriptor = openSync(path, 'r');
    try {
      return readSync(descriptor, bytes, 0, 4, 0);
    } finally {
      closeSync(descriptor);
    }
  });
  return read === 4 && bytes.equals(Buffer.from('\x7fELF', 'latin1'));
}
