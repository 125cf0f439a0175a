import { closeSync, constants, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cannotWrite } from './cannot-write.js';

/**
 * Writes a picture in one step: whoever looks at the file sees the old one or the whole new one.
 *
 * @throws JemkitError ERR_JEM_FILE where it cannot be written.
 */
export function writePicture(path: string, content: string | Uint8Array): void {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  let created = false;
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const descriptor = openSync(beside, flags, 0o644);
    created = true;
    try {
      writeFileSync(descriptor, content);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, path);
  } catch (error) {
    if (created) rmSync(beside, { force: true });
    throw cannotWrite(path, error);
  }
}
