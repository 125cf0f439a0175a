import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realPathInProcess } from '../../../../src/sources/process/allocator-arrival.js';
import { type PreloadView, readPreloadStates } from '../../../../src/sources/process/preload-entries.js';
import { temporaryFolder } from '../../../support/programs.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/elf/gcc-12.2');

/** A process whose root is a folder: what a container is to the host. */
function contained(): { root: string; view: PreloadView } {
  const root = temporaryFolder();
  mkdirSync(join(root, 'lib'));
  copyFileSync(join(GOLDEN, 'libjemalloc.so.2'), join(root, 'lib/libjemalloc.so.2'));
  const view: PreloadView = {
    pathFromHere: (path) => `${root}${path}`,
    mounts: [],
    target: { architecture: 'x64', libc: 'glibc' },
  };
  return { root, view };
}

const stateOf = (text: string, view: PreloadView) => readPreloadStates([text], 'LD_PRELOAD', view)[0];

test('a library that fits, whatever its name', () => {
  const { root, view } = contained();
  expect(stateOf('/lib/libjemalloc.so.2', view)).toMatchObject({
    state: 'fits',
    allocator: 'jemalloc',
    path: '/lib/libjemalloc.so.2',
  });
  copyFileSync(join(GOLDEN, 'libjemalloc.so.2'), join(root, 'lib/fast.so'));
  expect(stateOf('/lib/fast.so', view)).toMatchObject({ state: 'fits', allocator: 'jemalloc' });
});

test('links are followed inside the root of the process, not of ours', () => {
  const { root, view } = contained();
  symlinkSync('/lib/libjemalloc.so.2', join(root, 'lib/absolute.so'));
  symlinkSync('libjemalloc.so.2', join(root, 'lib/relative.so'));
  symlinkSync('loop.so', join(root, 'lib/loop.so'));
  symlinkSync(join(GOLDEN, 'libjemalloc.so.2'), join(root, 'lib/outside.so'));
  expect(stateOf('/lib/absolute.so', view)).toMatchObject({ state: 'fits', path: '/lib/libjemalloc.so.2' });
  expect(stateOf('/lib/relative.so', view)).toMatchObject({ state: 'fits', path: '/lib/libjemalloc.so.2' });
  expect(stateOf('/lib/outside.so', view)).toMatchObject({ state: 'missing' });
  expect(realPathInProcess(view, '/lib/loop.so')).toBeUndefined();
});

test('why one cannot be used', () => {
  const { root, view } = contained();
  writeFileSync(join(root, 'lib/text.so'), 'text');
  mkdirSync(join(root, 'lib/folder.so'));
  expect(stateOf('/lib/none.so', view)).toMatchObject({ state: 'missing', detail: 'there is no such file' });
  expect(stateOf('/lib/text.so', view)).toMatchObject({ state: 'not-a-library', detail: 'it is not an ELF file' });
  expect(stateOf('/lib/folder.so', view)).toMatchObject({ state: 'not-a-library', detail: 'it is not a file' });
  const arm = { ...view, target: { architecture: 'arm64', libc: 'glibc' } as const };
  expect(stateOf('/lib/libjemalloc.so.2', arm)).toMatchObject({
    state: 'wrong-architecture',
    detail: 'it is built for x64, the program for arm64',
  });
  const noexec = { ...view, mounts: [{ mountPoint: '/lib', fileSystem: 'tmpfs', options: ['rw', 'noexec'] }] };
  expect(stateOf('/lib/libjemalloc.so.2', noexec)).toMatchObject({ state: 'noexec' });
  chmodSync(join(root, 'lib/libjemalloc.so.2'), 0);
  const closed = stateOf('/lib/libjemalloc.so.2', view);
  expect(closed?.state).toBe(process.geteuid?.() === 0 ? 'fits' : 'unreadable');
});

test('what only the loader can find is left to it', () => {
  const { view } = contained();
  for (const text of ['libjemalloc.so.2', '/usr/$LIB/libjemalloc.so.2', './x.so'])
    expect(stateOf(text, view)?.state).toBe('left-to-the-loader');
  expect(stateOf('/usr/$LIB/libjemalloc.so.2', view)?.allocator).toBe('jemalloc');
});
