import { dirname } from 'node:path';
import { isSystemError } from '../errors.js';
import { mkdirSync } from './file-system.js';

/**
 * Makes a folder for this user alone, and what is missing above it. Not by `recursive`, which never returns on file systems that refuse
 * with ENOENT below a folder that is there, as /proc does.
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const code = isSystemError(error) ? error.code : undefined;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
    makeFolder(dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
  }
}
