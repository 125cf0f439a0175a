import { existsSync, readFileSync } from 'node:fs';
import { release, totalmem } from 'node:os';
import { join } from 'node:path';
import { optional } from '../../errors.js';
import type { HostFacts } from '../../model/host.js';
import { readMemoryLimit } from '../cgroup/memory-groups.js';
import { AT, readAuxiliaryVector } from '../procfs/auxiliary-vector.js';
import { readControlGroups } from '../procfs/control-groups.js';
import { readMounts } from '../procfs/mounts.js';
import { readDistribution } from './read-distribution.js';

const readText = (path: string) => optional(() => readFileSync(path, 'utf8').trim());

function readNumber(path: string): number | undefined {
  const text = readText(path);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Parses `always [madvise] never` into the choice in brackets. */
export function parseChosen(text: string): string | undefined {
  return /\[([^\]]+)\]/.exec(text)?.[1];
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
