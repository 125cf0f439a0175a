import type { MemoryGroup } from '../../model/memory-group.js';
import type { MemoryHeadroom, MemoryStall } from '../../model/memory-pressure.js';
import type { ControlGroup, Mount } from '../../model/process.js';
import { parseControlGroups } from '../procfs/control-groups.js';
import { parseMounts } from '../procfs/mounts.js';
import { readProcessMemory } from '../procfs/process-memory.js';
import { type GroupLimit, readMemoryStall, readNearestLimit } from './memory-groups.js';
import { readKernelText } from './read-text.js';

/** The room a process has, and how long it waits for memory. */
export interface HeadroomReader {
  /** The nearest of the limits that hold; undefined where there is none. */
  headroom(): MemoryHeadroom | undefined;
  stall(): { readonly stall: MemoryStall; readonly of: 'group' | 'machine' } | undefined;
}

/** Where a reader looks; all but the pid are for tests. */
export interface HeadroomOptions {
  /** A limit for the process's own anonymous memory. A function, where it may change. */
  readonly limitBytes?: number | (() => number | undefined) | undefined;
  readonly processFolder?: string;
  readonly mounts?: readonly Mount[];
  readonly machineStallFile?: string;
}

const nearer = (a: MemoryHeadroom, b: MemoryHeadroom) =>
  a.usedBytes / a.limitBytes >= b.usedBytes / b.limitBytes ? a : b;

function hardOrHigh({ limitBytes, highBytes }: MemoryGroup): number | undefined {
  const least = Math.min(limitBytes ?? Infinity, highBytes ?? Infinity);
  return least === Infinity ? undefined : least;
}

function headroomOf({ group, limitBytes, usedBytes }: GroupLimit): MemoryHeadroom | undefined {
  if (usedBytes === undefined) return undefined;
  const kind = limitBytes === group.limitBytes ? 'limit' : 'memory.high';
  return { limitBytes, usedBytes, source: 'group', measured: `${kind} of the control group ${group.group}` };
}

/**
 * Opens a reader of a process's room. A process may be moved to another group while it runs, so its groups are read each time
 * (10 µs); mounts are read once. Nothing needs to be closed.
 */
export function openHeadroomReader(pid: number | 'self', options: HeadroomOptions = {}): HeadroomReader {
  const folder = options.processFolder ?? `/proc/${pid}`;
  const mounts =
    options.mounts ??
    parseMounts(readKernelText('/proc/self/mountinfo') ?? '').filter(({ fileSystem }) =>
      fileSystem.startsWith('cgroup'),
    );
  const groups = (): ControlGroup[] => parseControlGroups(readKernelText(`${folder}/cgroup`) ?? '');
  const ofUser = (): MemoryHeadroom | undefined => {
    const limitBytes = typeof options.limitBytes === 'function' ? options.limitBytes() : options.limitBytes;
    if (limitBytes === undefined) return undefined;
    const memory = readProcessMemory(pid);
    const usedBytes = memory?.anonymousBytes ?? memory?.residentBytes;
    if (usedBytes === undefined) return undefined;
    const measured = memory?.anonymousBytes === undefined ? 'resident' : 'anonymous';
    return { limitBytes, usedBytes, source: 'user', measured: `limit set for this process’s ${measured} memory` };
  };
  return {
    headroom() {
      const nearest = readNearestLimit(groups(), mounts, hardOrHigh);
      const ofGroup = nearest && headroomOf(nearest);
      const own = ofUser();
      return ofGroup && own ? nearer(ofGroup, own) : (ofGroup ?? own);
    },
    stall: () => readMemoryStall(groups(), mounts, options.machineStallFile),
  };
}
