import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openHeadroomReader } from '../../../../src/sources/cgroup/headroom.js';
import {
  readGroupMemoryEvents,
  readMemoryGroups,
  readMemoryLimit,
  readMemoryStall,
} from '../../../../src/sources/cgroup/memory-groups.js';
import { parseControlGroups } from '../../../../src/sources/procfs/control-groups.js';
import { parseMounts } from '../../../../src/sources/procfs/mounts.js';
import { temporaryFolder } from '../../../support/programs.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/cgroup/linux-6.1');
const golden = (name: string) => readFileSync(join(GOLDEN, name), 'utf8');

/** The mounts of a recording, with the recorded folder in the place of the mount. */
const mountsOf = (name: string, mountPoint: string, fileSystem: string) =>
  parseMounts(golden(name))
    .filter((mount) => mount.fileSystem === fileSystem)
    .filter((mount) => fileSystem !== 'cgroup' || mount.superOptions?.includes('memory'))
    .map((mount) => ({ ...mount, mountPoint: join(GOLDEN, mountPoint) }));

describe('the memory limit', () => {
  const MIB = 2 ** 20;

  test('of version 2 is the one of all groups above of which most is used', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'a/b/c'), { recursive: true });
    writeFileSync(join(folder, 'a/memory.max'), `${512 * MIB}\n`);
    writeFileSync(join(folder, 'a/memory.current'), `${100 * MIB}\n`);
    writeFileSync(join(folder, 'a/b/memory.max'), 'max\n');
    writeFileSync(join(folder, 'a/b/c/memory.max'), `${1024 * MIB}\n`);
    const mounts = [{ mountPoint: folder, fileSystem: 'cgroup2', options: [] }];
    expect(readMemoryLimit([{ version: 2, controllers: [], path: '/a/b/c' }], mounts)).toEqual({
      bytes: 512 * MIB,
      usedBytes: 100 * MIB,
      group: '/a',
      version: 2,
    });
  });

  test('a full pod counts before a roomy container in it; page cache is not counted', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'pod/web'), { recursive: true });
    const write = (group: string, limit: number, current: number, anonymous: number) => {
      writeFileSync(join(folder, group, 'memory.max'), `${limit * MIB}\n`);
      writeFileSync(join(folder, group, 'memory.current'), `${current * MIB}\n`);
      writeFileSync(join(folder, group, 'memory.stat'), `anon ${anonymous * MIB}\nfile 1\nshmem 0\n`);
    };
    const limit = () =>
      readMemoryLimit(
        [{ version: 2, controllers: [], path: '/pod/web' }],
        [{ mountPoint: folder, fileSystem: 'cgroup2', options: [] }],
      );
    write('pod', 512, 510, 500);
    write('pod/web', 256, 250, 25);
    expect(limit()).toEqual({ bytes: 512 * MIB, usedBytes: 500 * MIB, group: '/pod', version: 2 });
    write('pod/web', 256, 256, 255);
    expect(limit()).toMatchObject({ bytes: 256 * MIB, usedBytes: 255 * MIB, group: '/pod/web' });
  });

  test('of groups of which nothing is used, or is known to be, the smaller counts', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    writeFileSync(join(folder, 'a/memory.max'), `${64 * MIB}\n`);
    writeFileSync(join(folder, 'a/b/memory.max'), `${128 * MIB}\n`);
    const mounts = [{ mountPoint: folder, fileSystem: 'cgroup2', options: [] }];
    expect(readMemoryLimit([{ version: 2, controllers: [], path: '/a/b' }], mounts)).toMatchObject({ group: '/a' });
  });

  test('of version 1; its largest number is no limit', () => {
    const folder = join(temporaryFolder(), 'memory');
    mkdirSync(join(folder, 'web'), { recursive: true });
    const groups = [{ version: 1, controllers: ['memory'], path: '/web' } as const];
    const mounts = [{ mountPoint: folder, fileSystem: 'cgroup', options: [] }];
    writeFileSync(join(folder, 'memory.limit_in_bytes'), '9223372036854771712\n');
    expect(readMemoryLimit(groups, mounts)).toBeUndefined();
    writeFileSync(join(folder, 'web/memory.limit_in_bytes'), `${64 * MIB}\n`);
    expect(readMemoryLimit(groups, mounts)).toEqual({
      bytes: 64 * MIB,
      usedBytes: undefined,
      group: '/web',
      version: 1,
    });
  });

  test('in a container the path lies outside of what is mounted: the mount itself counts', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'memory.max'), `${64 * MIB}\n`);
    const mounts = [{ mountPoint: folder, fileSystem: 'cgroup2', options: [] }];
    expect(readMemoryLimit([{ version: 2, controllers: [], path: '/kubepods/pod1/c2' }], mounts)).toMatchObject({
      bytes: 64 * MIB,
      group: '/',
    });
    expect(readMemoryLimit([{ version: 2, controllers: [], path: '/' }], [])).toBeUndefined();
  });
});

describe('recorded groups', () => {
  const v2 = mountsOf('v2-calm/proc.mountinfo', 'v2-calm', 'cgroup2');
  const v1 = mountsOf('v1-calm/proc.mountinfo', 'v1-calm', 'cgroup');

  test('of version 2: from the own group outwards; the root has no limits', () => {
    const groups = readMemoryGroups(parseControlGroups(golden('v2-calm/proc.cgroup')), v2);
    expect(groups.map(({ group, limitBytes, highBytes }) => [group, limitBytes, highBytes])).toEqual([
      ['/pod7/web', 201326592, 167772160],
      ['/pod7', 268435456, undefined],
    ]);
  });

  test('of version 1, where the kernel names the controller in the mount', () => {
    const groups = readMemoryGroups(parseControlGroups(golden('v1-calm/proc.cgroup')), v1);
    expect(groups.map(({ group, limitBytes }) => [group, limitBytes])).toEqual([
      ['/docker/0a1b/worker', undefined],
      ['/docker/0a1b', 201326592],
      ['/docker', 268435456],
      ['/', undefined],
    ]);
    expect(readGroupMemoryEvents(groups[1]!)?.killed).toBeUndefined();
  });

  test('a container’s bind mount: the path begins with the mount’s root, and a limit above it is known by the hierarchy', () => {
    const bound = mountsOf('v1-bound/proc.mountinfo', 'v1-calm/docker/0a1b', 'cgroup');
    expect(bound.map(({ root }) => root)).toEqual(['/', '/docker/0a1b']);
    const groups = readMemoryGroups(parseControlGroups(golden('v1-bound/proc.cgroup')), bound);
    expect(groups.map(({ group, limitBytes }) => [group, limitBytes])).toEqual([
      ['/worker', undefined],
      ['/', 201326592],
    ]);
    const hidden = bound.map((mount) => ({
      ...mount,
      mountPoint: join(mount.mountPoint, 'worker'),
      root: '/docker/0a1b/worker',
    }));
    expect(readMemoryGroups(parseControlGroups(golden('v1-bound/proc.cgroup')), hidden)).toMatchObject([
      { group: '/', limitBytes: 201326592 },
    ]);
  });

  test('a control group namespace: the own group is /, and one outside of it is not looked for above the mount', () => {
    const mounts = mountsOf('v2-namespace/proc.mountinfo', 'v2-calm/pod7/web', 'cgroup2');
    for (const name of ['v2-namespace/proc.cgroup', 'v2-namespace/init.cgroup']) {
      expect(readMemoryGroups(parseControlGroups(golden(name)), mounts)).toMatchObject([
        { group: '/', limitBytes: 201326592, folder: expect.stringMatching(/v2-calm\/pod7\/web\/?$/) },
      ]);
    }
  });

  test('the room: anonymous, shared and kernel memory against the nearer of memory.high and memory.max', () => {
    const reader = openHeadroomReader('self', { processFolder: join(GOLDEN, 'room'), mounts: v2 });
    expect(reader.headroom()).toBeUndefined();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'cgroup'), golden('v2-calm/proc.cgroup'));
    const inWeb = openHeadroomReader('self', { processFolder: folder, mounts: v2 });
    expect(inWeb.headroom()).toEqual({
      limitBytes: 167772160,
      usedBytes: 104968192 + 10485760 + 32768 + 253952 + 37016,
      source: 'group',
      measured: 'memory.high of the control group /pod7/web',
    });
    // Moved to another group while it runs.
    writeFileSync(join(folder, 'cgroup'), '0::/pod7\n');
    expect(inWeb.headroom()).toMatchObject({ limitBytes: 268435456, measured: 'limit of the control group /pod7' });
  });

  test('the nearest limit counts, which a full parent’s or the user’s own may be', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'groups/pod/web'), { recursive: true });
    const write = (group: string, limit: number, used: number) => {
      writeFileSync(join(folder, 'groups', group, 'memory.max'), `${limit}\n`);
      writeFileSync(join(folder, 'groups', group, 'memory.stat'), `anon ${used}\nfile 5000\nshmem 0\n`);
    };
    write('pod/web', 1000, 500);
    write('pod', 2000, 1900);
    writeFileSync(join(folder, 'cgroup'), '0::/pod/web\n');
    const mounts = [{ mountPoint: join(folder, 'groups'), fileSystem: 'cgroup2', options: [] }];
    const options = { processFolder: folder, mounts };
    expect(openHeadroomReader('self', options).headroom()).toMatchObject({ limitBytes: 2000, usedBytes: 1900 });
    // This process has more than a byte of its own.
    expect(openHeadroomReader('self', { ...options, limitBytes: 1 }).headroom()).toMatchObject({
      limitBytes: 1,
      source: 'user',
      usedBytes: expect.any(Number),
    });
    expect(openHeadroomReader('self', { ...options, limitBytes: 1e15 }).headroom()).toMatchObject({ source: 'group' });
  });

  test('the stall is the group’s where the kernel measures it, else the machine’s', () => {
    const groups = parseControlGroups(golden('v2-calm/proc.cgroup'));
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'pod7/web'), { recursive: true });
    const mounts = [{ mountPoint: folder, fileSystem: 'cgroup2', options: [] }];
    const machine = join(GOLDEN, 'v2-throttled/pressure-memory');
    expect(readMemoryStall(groups, mounts, machine)?.of).toBe('machine');
    writeFileSync(join(folder, 'pod7/web/cgroup.type'), 'domain\n');
    writeFileSync(join(folder, 'pod7/web/memory.pressure'), golden('v2-throttled/memory.pressure'));
    const own = readMemoryStall(groups, mounts, machine);
    expect(own?.of).toBe('group');
    expect(own?.stall.full?.avg10).toBeGreaterThan(own!.stall.full!.avg60);
    expect(readMemoryStall([], [], join(folder, 'none'))).toBeUndefined();
  });
});

test('this process is in groups that can be read, or there are none', () => {
  const groups = parseControlGroups(readFileSync('/proc/self/cgroup', 'utf8'));
  const mounts = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  for (const { currentBytes, folder } of readMemoryGroups(groups, mounts))
    expect(currentBytes, folder).toBeGreaterThan(2 ** 20);
  expect(readMemoryStall(groups, mounts)?.of ?? 'machine').toMatch(/group|machine/);
});
