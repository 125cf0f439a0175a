import { readFileSync } from 'node:fs';
import { AT, readAuxiliaryVector } from './auxiliary-vector.js';
import { parseMemoryStatus } from './process-memory.js';

let pageBytes: number | undefined;

/** The kernel's page size in bytes, in which `statm` counts. */
export function readPageBytes(): number {
  pageBytes ??= readAuxiliaryVector('self').get(AT.PAGESZ) ?? 4096;
  return pageBytes;
}

/** Resident pages (file-backed ones included) in the text of `/proc/PID/statm`; undefined for any other text. */
export function parseResidentPages(text: string): number | undefined {
  const match = /^\d+ (\d+) \d+ /.exec(text);
  return match ? Number(match[1]) : undefined;
}

/**
 * The resident memory (RSS) of a process in bytes, in about 15 µs; undefined where it has ended or there is no /proc.
 */
export function readResidentBytes(pid: number | 'self'): number | undefined {
  const text = readOwn(`/proc/${pid}/statm`);
  const pages = text === undefined ? undefined : parseResidentPages(text);
  // The memory of a process that is ending is gone before its entry is.
  return pages === undefined || pages === 0 ? undefined : pages * readPageBytes();
}

/** The highest RSS a process has had since it was started, as the kernel kept it: no sampling misses it. */
export function readPeakResidentBytes(pid: number | 'self'): number | undefined {
  const text = readOwn(`/proc/${pid}/status`);
  return text === undefined ? undefined : parseMemoryStatus(text)?.peakResidentBytes;
}

function readOwn(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
