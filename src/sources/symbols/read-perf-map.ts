import { readFileSync, statSync } from 'node:fs';
import { pathInRoot } from './path-in-root.js';
import { type PerfMap, parsePerfMap } from './perf-map.js';
import { withRegularFile } from './regular-file.js';

const MAX_MAP_BYTES = 512 * 1024 * 1024;

export type PerfMapReading =
  | { readonly kind: 'map'; readonly path: string; readonly map: PerfMap }
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly path: string; readonly reason: string };

export interface PerfMapOptions {
  readonly pid: number | undefined;
  readonly root?: string | undefined;
  /** Named by the user, so whose it is does not matter. */
  readonly path?: string | undefined;
  /** Who may have written it; by default root, this process's user, and the user of the process while it runs. */
  readonly owners?: readonly number[] | undefined;
}

/** The user of a process; undefined when it is gone. */
function ownerOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return undefined;
  }
}

/** The number a process has for itself, in the innermost of its namespaces: the map is named by it. */
function numberInside(pid: number): number {
  try {
    const numbers = /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split(/\s+/);
    return Number(numbers?.at(-1)) || pid;
  } catch {
    return pid;
  }
}

/** Reads the map that a runtime writes of its code, `/tmp/perf-PID.map`. In /tmp anybody may have put it there: its owner is checked. */
export function readPerfMap(options: PerfMapOptions): PerfMapReading {
  const { pid, root } = options;
  const named = options.path;
  if (named === undefined && pid === undefined) return { kind: 'none' };
  const number = pid !== undefined && root?.startsWith('/proc/') ? numberInside(pid) : pid;
  const path = named ?? pathInRoot(root, `/tmp/perf-${number}.map`);
  const own = process.geteuid?.();
  const owners = options.owners ?? [0, own, pid === undefined ? undefined : ownerOf(pid)];
  const reading = withRegularFile(
    path,
    (source, { userId, sizeBytes }): PerfMapReading => {
      if (named === undefined && !owners.includes(userId)) {
        const reason = `it belongs to user ${userId}, who is neither root, nor you, nor the user of the process`;
        return { kind: 'refused', path, reason };
      }
      if (sizeBytes > MAX_MAP_BYTES)
        return { kind: 'refused', path, reason: `it has ${sizeBytes} bytes, too many for a map` };
      return { kind: 'map', path, map: parsePerfMap(source.readAt(0, sizeBytes).toString('utf8')) };
    },
    { followLink: named !== undefined },
  );
  if (reading.kind !== 'unreadable') return reading;
  if (reading.code === 'ENOENT' && named === undefined) return { kind: 'none' };
  return { kind: 'refused', path, reason: `it cannot be read (${reading.code})` };
}
