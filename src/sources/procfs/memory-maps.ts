import { readFileSync } from 'node:fs';
import type { MemoryMapping } from '../../model/memory-map.js';

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+)(?:\s+(.*))?$/;

/** Parses `/proc/PID/maps`; a line that is none is passed over. The kernel writes a line feed in a name as `\012`. */
export function parseMemoryMaps(text: string): MemoryMapping[] {
  const mappings: MemoryMapping[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (!match) continue;
    const [, start = '', end = '', permissions = '', offset = '', device = '', inode = '', name = ''] = match;
    const deleted = name.endsWith(' (deleted)');
    const path = (deleted ? name.slice(0, -' (deleted)'.length) : name).replaceAll('\\012', '\n');
    mappings.push({
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      permissions,
      fileOffset: Number.parseInt(offset, 16),
      device,
      inode: Number(inode),
      path: path === '' ? undefined : path,
      deleted,
    });
  }
  return mappings;
}

/** The mappings of a process. Throws the system's error: ENOENT or ESRCH for a pid that is gone, EACCES for another user's. */
export function readMemoryMaps(pid: number | 'self'): MemoryMapping[] {
  return parseMemoryMaps(readFileSync(`/proc/${pid}/maps`, 'utf8'));
}
