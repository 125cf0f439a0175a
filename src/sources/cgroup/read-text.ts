import { readFileSync } from 'node:fs';

/** A small file of the kernel; undefined where it is missing, unreadable, or (as where PSI is switched off) refuses to be read. */
export function readKernelText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
