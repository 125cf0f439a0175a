import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseChosen, readContainer, readHost, readMemoryLimit } from '../../../../src/sources/process/read-host.js';
import { temporaryFolder } from '../../../support/programs.js';

describe('the memory limit', () => {
  const MIB = 2 ** 20;

  test('of version 2 is the smallest of all groups above', () => {
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

test('containers are known by their marks', () => {
  const root = temporaryFolder();
  expect(readContainer({}, root)).toBeUndefined();
  expect(readContainer({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, root)).toBe('kubernetes');
  mkdirSync(join(root, 'run'));
  writeFileSync(join(root, 'run/.containerenv'), '');
  expect(readContainer({}, root)).toBe('podman');
  writeFileSync(join(root, '.dockerenv'), '');
  expect(readContainer({}, root)).toBe('docker');
});

test('the choice in brackets', () => {
  expect(parseChosen('always [madvise] never')).toBe('madvise');
  expect(parseChosen('')).toBeUndefined();
});

test('this machine has a page size', () => {
  expect(readHost('self', {})).toMatchObject({ pageBytes: expect.any(Number), memoryBytes: expect.any(Number) });
});
