import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mountOf, parseMounts } from '../../../../src/sources/procfs/mounts.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/procfs/linux-6.18');

test('reads what is mounted where', () => {
  const mounts = parseMounts(readFileSync(join(GOLDEN, 'sleep-jemalloc.mountinfo'), 'utf8'));
  expect(mounts).toHaveLength(19);
  expect(mounts).toContainEqual({
    mountPoint: '/sys/fs/cgroup/unified',
    fileSystem: 'cgroup2',
    options: ['rw', 'relatime'],
    root: '/',
    superOptions: ['rw'],
  });
  expect(mountOf(mounts, '/dev/shm/lib.so')?.mountPoint).toBe('/dev/shm');
  expect(mountOf(mounts, '/device/lib.so')?.mountPoint).toBe('/');
});

test('reads optional fields, and spaces in a name', () => {
  const [mount] = parseMounts('36 35 98:0 /mnt1 /mnt\\040two rw,noexec master:1 shared:2 - ext3 /dev/root rw');
  expect(mount).toEqual({
    mountPoint: '/mnt two',
    fileSystem: 'ext3',
    options: ['rw', 'noexec'],
    root: '/mnt1',
    superOptions: ['rw'],
  });
});

test('the later of two mounts at one place counts', () => {
  const mounts = parseMounts('1 0 0:1 / /tmp rw - tmpfs a rw\n2 1 0:2 / /tmp rw,noexec - tmpfs b rw');
  expect(mountOf(mounts, '/tmp/x')?.options).toContain('noexec');
  expect(mountOf(mounts, '/etc')).toBeUndefined();
});

test('never throws, whatever the text', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (text, path) => void mountOf(parseMounts(text), path)));
});
