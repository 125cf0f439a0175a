import { readFileSync } from 'node:fs';
import type { Mount } from '../../model/process.js';

const unescapeOctal = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Parses `/proc/PID/mountinfo`; a line that is none is passed over. */
export function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const separator = fields.indexOf('-', 6);
    const mountPoint = fields[4];
    const fileSystem = fields[separator + 1];
    if (separator === -1 || !mountPoint?.startsWith('/') || !fileSystem) continue;
    mounts.push({
      mountPoint: unescapeOctal(mountPoint),
      fileSystem,
      options: (fields[5] ?? '').split(','),
      root: unescapeOctal(fields[3] ?? ''),
      superOptions: (fields[separator + 3] ?? '').split(','),
    });
  }
  return mounts;
}

/** The mounts a process sees. Throws the system's error. */
export function readMounts(pid: number | 'self'): Mount[] {
  return parseMounts(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
}

/** The mount that a path lies in: the longest mount point above it, the last mounted of equals. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const inside = mount.mountPoint === '/' || path === mount.mountPoint || path.startsWith(`${mount.mountPoint}/`);
    if (inside && mount.mountPoint.length >= (best?.mountPoint.length ?? 0)) best = mount;
  }
  return best;
}
