import { writeSync } from 'node:fs';
import { explainWriteFailure } from './terminal.js';

/**
 * Writes bytes to stdout as they are; a reader that has gone is no error of ours.
 *
 * @throws JemkitError ERR_JEM_FILE where stdout does not take them: a full disk.
 */
export function printBytes(bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw explainWriteFailure(error) ?? error;
      // The other end set the pipe non-blocking: wait for the reader instead of losing bytes.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
