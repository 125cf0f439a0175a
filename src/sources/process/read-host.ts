import { existsSync, readFileSync } from 'node:fs';
import { release, totalmem } from 'node:os';
import { join } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { HostFacts, MemoryLimit } from '../../model/host.js';
import type { ControlGroup, Mount } from '../../model/process.js';
import { AT, readAuxiliaryVector } from '../procfs/auxiliary-vector.js';
import { readControlGroups } from '../procfs/control-groups.js';
import { readMounts } from '../procfs/mounts.js';
import { readDistribution } from './read-distribution.js';

/** Version 1 writes 'unlimited' as the largest whole page count of a signed long. */
const UNLIMITED_V1 = 2 ** 62;

function optional<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

const readText = (path: string) => optional(() => readFileSync(path, 'utf8').trim());

function readNumber(path: string): number | undefined {
  const text = readText(path);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Parses `always [madvise] never` into the choice in brackets. */
export function parseChosen(text: string): string | undefined {
  return /\[([^\]]+)\]/.exec(text)?.[1];
}

/** The groups from the innermost to the root, each as the folder that has its files. */
function* groupFolders(mountPoint: string, path: string): Generator<{ folder: string; group: string }> {
  const parts = path.split('/').filter(Boolean);
  for (let length = parts.length; length >= 0; length--) {
    const group = `/${parts.slice(0, length).join('/')}`;
    yield { folder: join(mountPoint, group), group };
  }
}

/**
 * The smallest memory limit above a process. In a container the path that the kernel tells may lie outside of what is mounted:
 * folders that do not exist are passed over.
 */
export function readMemoryLimit(groups: readonly ControlGroup[], mounts: readonly Mount[]): MemoryLimit | undefined {
  let smallest: MemoryLimit | undefined;
  for (const { version, controllers, path } of groups) {
    if (version === 1 && !controllers.includes('memory')) continue;
    const mount = mounts.find((m) =>
      version === 2 ? m.fileSystem === 'cgroup2' : m.fileSystem === 'cgroup' && /\/memory$/.test(m.mountPoint),
    );
    if (!mount) continue;
    for (const { folder, group } of groupFolders(mount.mountPoint, path)) {
      const bytes = readNumber(join(folder, version === 2 ? 'memory.max' : 'memory.limit_in_bytes'));
      if (bytes === undefined || bytes >= UNLIMITED_V1 || bytes >= (smallest?.bytes ?? Infinity)) continue;
      const usedBytes = readNumber(join(folder, version === 2 ? 'memory.current' : 'memory.usage_in_bytes'));
      smallest = { bytes, usedBytes, group, version };
    }
  }
  return smallest;
}

/** `docker`, `podman` or `kubernetes` where the usual marks of one are there. */
export function readContainer(environment: NodeJS.ProcessEnv, root = '/'): string | undefined {
  if (environment['KUBERNETES_SERVICE_HOST']) return 'kubernetes';
  if (existsSync(join(root, '/.dockerenv'))) return 'docker';
  if (existsSync(join(root, '/run/.containerenv'))) return 'podman';
  return undefined;
}

/** What of the machine decides how an allocator behaves, as the process `pid` has it. */
export function readHost(pid: number | 'self', environment: NodeJS.ProcessEnv): HostFacts {
  const groups = optional(() => readControlGroups(pid)) ?? [];
  const mounts = optional(() => readMounts('self')) ?? [];
  const overcommit = readNumber('/proc/sys/vm/overcommit_memory');
  const thp = parseChosen(readText('/sys/kernel/mm/transparent_hugepage/enabled') ?? '');
  return {
    kernelRelease: release(),
    distribution: readDistribution().prettyName,
    pageBytes: optional(() => readAuxiliaryVector('self'))?.get(AT.PAGESZ),
    memoryBytes: totalmem(),
    memoryLimit: readMemoryLimit(groups, mounts),
    container: readContainer(environment),
    overcommit: overcommit === 0 || overcommit === 1 || overcommit === 2 ? overcommit : undefined,
    transparentHugePages: thp === 'always' || thp === 'madvise' || thp === 'never' ? thp : undefined,
    maxMappings: readNumber('/proc/sys/vm/max_map_count'),
    ptraceScope: readNumber('/proc/sys/kernel/yama/ptrace_scope'),
  };
}
