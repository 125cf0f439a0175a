import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { findLibrary } from '../../../../src/control/library/find-library.js';
import { installedLibraryPath } from '../../../../src/sources/process/jemkit-folders.js';
import { buildElf } from '../../../support/elf-file.js';
import { temporaryFolder } from '../../../support/programs.js';

// No distribution has this one: the machine's own libraries cannot answer.
const TARGET = { architecture: 'loong64', libc: 'glibc' } as const;
const LIBRARY = buildElf({ machine: 258, needed: ['libc.so.6'] });

let folder: string;
let environment: NodeJS.ProcessEnv;
beforeEach(() => {
  folder = temporaryFolder();
  environment = { JEMKIT_CACHE_DIR: folder, HOMEBREW_PREFIX: join(folder, 'brew') };
});

function file(path: string, content: Buffer | string = LIBRARY): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const find = (changes: Partial<Parameters<typeof findLibrary>[0]> = {}) =>
  findLibrary({ allocator: 'jemalloc', target: TARGET, environment, ...changes });

describe('the order', () => {
  test('nothing', () => {
    expect(find()).toMatchObject({ kind: 'none', allocator: 'jemalloc' });
  });

  test('a file that was named is the only one considered', () => {
    const installed = file(installedLibraryPath(folder, 'jemalloc', 'loong64-glibc'));
    const named = file(join(folder, 'named.so'));
    expect(find()).toMatchObject({ kind: 'found', source: 'jemkit', library: { path: installed } });
    expect(find({ environment: { ...environment, JEMKIT_LIBRARY: named } })).toMatchObject({
      source: 'JEMKIT_LIBRARY',
      library: { path: named },
    });
    expect(find({ path: named, environment: { ...environment, JEMKIT_LIBRARY: '/none' } })).toMatchObject({
      source: 'option',
      library: { path: named },
    });
    expect(find({ path: '/none' })).toMatchObject({
      kind: 'none',
      rejected: [{ path: '/none', source: 'option', reason: 'missing' }],
    });
  });

  test('Homebrew’s comes last', () => {
    const brewed = file(join(folder, 'brew', 'lib', 'libjemalloc.so.2'));
    expect(find()).toMatchObject({ source: 'homebrew', library: { path: brewed } });
  });
});

test('an installed file that is damaged is passed over, and remembered', () => {
  const path = file(installedLibraryPath(folder, 'jemalloc', 'loong64-glibc'), 'text');
  const search = find();
  expect(search.kind).toBe('none');
  // The machine's own library, of another architecture, may follow.
  expect(search.rejected[0]).toMatchObject({ path, source: 'jemkit', reason: 'not-a-library' });
});

test('JEMKIT_LIBRARY of one allocator does not answer for another', () => {
  const jemalloc = file(join(folder, 'libjemalloc.so.2'));
  expect(find({ allocator: 'mimalloc', environment: { ...environment, JEMKIT_LIBRARY: jemalloc } }).kind).toBe('none');
});

test('a library for another architecture in the cache is not found for this one', () => {
  file(installedLibraryPath(folder, 'jemalloc', 'arm64-glibc'), buildElf({ machine: 183, needed: ['libc.so.6'] }));
  expect(find().kind).toBe('none');
});
