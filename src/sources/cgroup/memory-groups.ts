import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MemoryLimit } from '../../model/host.js';
import type { GroupMemory, GroupMemoryEvents, MemoryGroup } from '../../model/memory-group.js';
import type { MemoryStall } from '../../model/memory-pressure.js';
import type { ControlGroup, Mount } from '../../model/process.js';
import { parseMemoryStall } from '../procfs/memory-stall.js';
import {
  parseByteLimit,
  parseBytes,
  parseGroupMemory,
  parseGroupMemoryEvents,
  parseHierarchicalLimit,
} from './memory-files.js';
import { readKernelText } from './read-text.js';

const FILES = {
  1: { limit: 'memory.limit_in_bytes', current: 'memory.usage_in_bytes', events: 'memory.oom_control' },
  2: { limit: 'memory.max', current: 'memory.current', events: 'memory.events' },
} as const;

const parsed = <T>(path: string, parse: (text: string) => T): T | undefined => {
  const text = readKernelText(path);
  return text === undefined ? undefined : parse(text);
};

const carriesMemory = ({ fileSystem, mountPoint, superOptions }: Mount) =>
  fileSystem === 'cgroup' && (superOptions?.includes('memory') ?? /\/memory$/.test(mountPoint));

/** The last of equals was mounted over the others. */
const mountFor = (mounts: readonly Mount[], version: 1 | 2) =>
  mounts.findLast((mount) => (version === 2 ? mount.fileSystem === 'cgroup2' : carriesMemory(mount)));

/** A group's path below a mount point: a container's mount may begin at its own group, which the kernel's path then begins with. */
function below(mount: Mount, path: string): string {
  const root = mount.root ?? '/';
  // A group outside of the namespace's own root: only what is mounted can be read.
  if (path.split('/').includes('..')) return '/';
  return root !== '/' && (path === root || path.startsWith(`${root}/`)) ? path.slice(root.length) || '/' : path;
}

/** The groups from the innermost to the outermost that can be seen, each as the folder that has its files. */
function* groupFolders(mount: Mount, path: string): Generator<{ folder: string; group: string }> {
  const parts = below(mount, path).split('/').filter(Boolean);
  for (let length = parts.length; length >= 0; length--) {
    const group = `/${parts.slice(0, length).join('/')}`;
    yield { folder: join(mount.mountPoint, group), group };
  }
}

/**
 * The groups above a process whose memory is counted, from its own to the outermost it can see. In a container the path that the
 * kernel tells may lie outside of what is mounted: folders that do not exist are passed over. Costs 20 to 40 µs per group.
 */
export function readMemoryGroups(groups: readonly ControlGroup[], mounts: readonly Mount[]): MemoryGroup[] {
  const found: MemoryGroup[] = [];
  for (const { version, controllers, path } of groups) {
    if (version === 1 && !controllers.includes('memory')) continue;
    const mount = mountFor(mounts, version);
    if (!mount) continue;
    for (const { folder, group } of groupFolders(mount, path)) {
      const limit = readKernelText(join(folder, FILES[version].limit));
      const currentBytes = parsed(join(folder, FILES[version].current), parseBytes);
      if (limit === undefined && currentBytes === undefined) continue;
      found.push({
        version,
        group,
        folder,
        limitBytes: limit === undefined ? undefined : parseByteLimit(limit),
        highBytes: version === 2 ? parsed(join(folder, 'memory.high'), parseByteLimit) : undefined,
        currentBytes,
      });
    }
  }
  return withHiddenLimit(found);
}

/** Version 1 tells the smallest limit of all groups above, those a container cannot see included: it holds for the outermost one seen. */
function withHiddenLimit(groups: readonly MemoryGroup[]): MemoryGroup[] {
  const outermost = groups.findLast(({ version }) => version === 1);
  const innermost = groups.find(({ version }) => version === 1);
  if (!outermost || !innermost) return [...groups];
  const hierarchical = parsed(join(innermost.folder, 'memory.stat'), parseHierarchicalLimit);
  const seen = Math.min(
    ...groups.map(({ version, limitBytes }) => (version === 1 ? limitBytes : undefined) ?? Infinity),
  );
  if (hierarchical === undefined || hierarchical >= seen) return [...groups];
  return groups.map((group) => (group === outermost ? { ...group, limitBytes: hierarchical } : group));
}

/** What is charged to a group (`memory.stat`, 50 to 100 µs); undefined where the group is gone. */
export function readGroupMemory({ folder, version }: MemoryGroup): GroupMemory | undefined {
  return parsed(join(folder, 'memory.stat'), (text) => parseGroupMemory(text, version));
}

/** What happened at a group's limits; undefined where the group is gone. */
export function readGroupMemoryEvents({ folder, version }: MemoryGroup): GroupMemoryEvents | undefined {
  return parsed(join(folder, FILES[version].events), parseGroupMemoryEvents);
}

/** The stall of the innermost group above a process that measures it, or else the machine's. */
export function readMemoryStall(
  groups: readonly ControlGroup[],
  mounts: readonly Mount[],
  machineFile = '/proc/pressure/memory',
): { readonly stall: MemoryStall; readonly of: 'group' | 'machine' } | undefined {
  const own = groups.find(({ version }) => version === 2);
  const mount = mountFor(mounts, 2);
  if (own && mount) {
    for (const { folder } of groupFolders(mount, own.path)) {
      // Only the root of all groups lacks this file, and its stall is the machine's.
      if (!existsSync(join(folder, 'cgroup.type'))) continue;
      const stall = parsed(join(folder, 'memory.pressure'), parseMemoryStall);
      if (stall) return { stall, of: 'group' };
    }
  }
  const stall = parsed(machineFile, parseMemoryStall);
  return stall && { stall, of: 'machine' };
}

/** A limit and what counts against it. */
export interface GroupLimit {
  readonly group: MemoryGroup;
  readonly limitBytes: number;
  /** What the kernel cannot take back without swap: page cache it can. Undefined where it cannot be read. */
  readonly usedBytes: number | undefined;
}

function usedBytesOf(group: MemoryGroup): number | undefined {
  const memory = readGroupMemory(group);
  if (memory?.anonymousBytes === undefined) return group.currentBytes;
  return memory.anonymousBytes + (memory.sharedMemoryBytes ?? 0) + (memory.kernelBytes ?? 0);
}

const shareOf = ({ usedBytes = 0, limitBytes }: GroupLimit) => usedBytes / limitBytes;

/** The limit that is reached first: that of which most is used; of equals the smaller. `limitOf` tells which limits of a group count. */
export function readNearestLimit(
  groups: readonly ControlGroup[],
  mounts: readonly Mount[],
  limitOf: (group: MemoryGroup) => number | undefined,
): GroupLimit | undefined {
  let nearest: GroupLimit | undefined;
  for (const group of readMemoryGroups(groups, mounts)) {
    const limitBytes = limitOf(group);
    if (limitBytes === undefined) continue;
    const one = { group, limitBytes, usedBytes: usedBytesOf(group) };
    const nearer = nearest ? shareOf(one) - shareOf(nearest) || nearest.limitBytes - limitBytes : 1;
    if (nearer > 0) nearest = one;
  }
  return nearest;
}

/** The limit above a process at which the kernel kills, as the pressure ladder chooses it: that of which most is used. */
export function readMemoryLimit(groups: readonly ControlGroup[], mounts: readonly Mount[]): MemoryLimit | undefined {
  const nearest = readNearestLimit(groups, mounts, ({ limitBytes }) => limitBytes);
  if (!nearest) return undefined;
  const { limitBytes, usedBytes, group } = nearest;
  return { bytes: limitBytes, usedBytes, group: group.group, version: group.version };
}
