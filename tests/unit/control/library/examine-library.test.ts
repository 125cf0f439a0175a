import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { examineLibrary } from '../../../../src/control/library/examine-library.js';
import { buildElf } from '../../../support/elf-file.js';
import { temporaryFolder } from '../../../support/programs.js';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const TARGET = { architecture: 'x64', libc: 'glibc' } as const;
const LIBRARY = buildElf({ needed: ['libc.so.6'] });

function file(name: string, content: Buffer | string = LIBRARY): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const examine = (path: string, trusted = false, uid = process.geteuid?.()) =>
  examineLibrary(path, 'jemalloc', TARGET, trusted, uid);

test('a library for this program', () => {
  const path = file('libjemalloc.so.2');
  expect(examine(path)).toEqual({
    kind: 'usable',
    library: {
      path,
      allocator: 'jemalloc',
      architecture: 'x64',
      libc: 'glibc',
      identity: expect.objectContaining({ sizeBytes: LIBRARY.length }),
    },
  });
  expect(examineLibrary(path, 'jemalloc', undefined, false).kind).toBe('usable');
});

test('what a file is, its name says, whatever was looked for', () => {
  expect(examine(file('libmimalloc.so.2.0'))).toMatchObject({ library: { allocator: 'mimalloc' } });
  expect(examine(file('libcustom.so'))).toMatchObject({ library: { allocator: 'jemalloc' } });
});

describe('what cannot be preloaded, and why', () => {
  test.each([
    ['text.so', 'hello', 'not-a-library', 'it is not an ELF file'],
    [
      'cut.so',
      LIBRARY.subarray(0, 80),
      'not-a-library',
      'its ELF headers are damaged: the program headers ends at byte 80',
    ],
    ['program', buildElf({ type: 2 }), 'not-a-library', 'it is not a shared library'],
    ['arm.so', buildElf({ machine: 183 }), 'wrong-architecture', 'it is built for arm64, the program for x64'],
    ['musl.so', buildElf({ needed: ['libc.so'] }), 'wrong-libc', 'it is built for musl, the program for glibc'],
    ['a b.so', LIBRARY, 'path-not-preloadable', 'space or a colon'],
    ['a:b.so', LIBRARY, 'path-not-preloadable', 'space or a colon'],
  ])('%s', (name, content, reason, detail) => {
    expect(examine(file(name, content))).toMatchObject({
      kind: 'rejected',
      reason,
      detail: expect.stringContaining(detail),
    });
  });

  test('nothing, a folder, a path through a file', () => {
    expect(examine(join(folder, 'none'))).toMatchObject({ reason: 'missing' });
    expect(examine(join(file('file'), 'below'))).toMatchObject({ reason: 'missing' });
    mkdirSync(join(folder, 'libjemalloc.so'));
    expect(examine(join(folder, 'libjemalloc.so'))).toMatchObject({
      reason: 'not-a-library',
      detail: 'it is not a file',
    });
    expect(examine(join(folder, 'x'.repeat(5000)))).toMatchObject({
      reason: 'unreadable',
      detail: 'it cannot be read (ENAMETOOLONG)',
    });
  });

  test('a file that another user can change, unless it was named', () => {
    const path = file('libjemalloc.so.2');
    chmodSync(path, 0o666);
    expect(examine(path)).toMatchObject({ reason: 'foreign-owner', detail: 'everybody may write to it' });
    expect(examine(path, true).kind).toBe('usable');
    chmodSync(path, 0o644);
    if (process.geteuid?.() === 0) chownSync(path, 12345, 12345);
    const other = process.geteuid?.() === 0 ? 0 : 54321;
    expect(examine(path, false, other)).toMatchObject({
      reason: 'foreign-owner',
      detail: expect.stringMatching(/^it belongs to uid \d+, which could change it$/),
    });
    expect(examine(path, true, other).kind).toBe('usable');
  });
});
