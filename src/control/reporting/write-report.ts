import { closeSync, constants, fsyncSync, lstatSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { optional } from '../../errors.js';
import { cannotWrite } from '../recording/cannot-write.js';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/** For pipes and devices, which must not be replaced. */
function writeInto(path: string, content: string | Uint8Array): void {
  const descriptor = openSync(path, O_WRONLY);
  try {
    writeFileSync(descriptor, content);
  } finally {
    closeSync(descriptor);
  }
}

function replace(path: string, content: string | Uint8Array): void {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  let created = false;
  try {
    // Names of functions and files are nobody else's business.
    const descriptor = openSync(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    created = true;
    try {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, path);
  } catch (error) {
    if (created) rmSync(beside, { force: true });
    throw error;
  }
}

/**
 * Writes a report in one step: whoever looks at the file sees the old one or the whole new one, which only its owner may read. A pipe or a
 * device is written into.
 *
 * @throws JemkitError ERR_JEM_FILE where it cannot be written.
 */
export function writeReport(path: string, content: string | Uint8Array): void {
  const there = optional(() => lstatSync(path));
  try {
    if (there && (there.isFIFO() || there.isCharacterDevice())) writeInto(path, content);
    else replace(path, content);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}
