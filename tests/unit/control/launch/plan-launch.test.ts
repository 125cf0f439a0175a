import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { describeSearch, type LaunchRequest, planLaunch } from '../../../../src/control/launch/plan-launch.js';
import type { RejectedLibrary } from '../../../../src/model/library-search.js';
import { buildElf } from '../../../support/elf-file.js';
import { temporaryFolder } from '../../../support/programs.js';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function file(name: string, content: Buffer | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

const request = (changes: Partial<LaunchRequest>): LaunchRequest => ({
  command: process.execPath,
  allocator: 'jemalloc',
  children: true,
  environment: { PATH: '/usr/bin:/bin', JEMKIT_CACHE_DIR: folder },
  ...changes,
});

const plan = (changes: Partial<LaunchRequest>) => planLaunch(request(changes));

describe('a program that cannot be started', () => {
  test('is an error with the shell’s exit code', () => {
    expect(() => plan({ command: 'no-such-program' })).toThrow(
      expect.objectContaining({
        code: 'ERR_JEM_PROGRAM_NOT_FOUND',
        exitCode: 127,
        message: "no program 'no-such-program': it is in no folder of PATH",
      }),
    );
    expect(() => plan({ command: './none' })).toThrow(
      expect.objectContaining({ exitCode: 127, message: "no program './none': it is not a file" }),
    );
    expect(() => plan({ command: folder })).toThrow(
      expect.objectContaining({ code: 'ERR_JEM_PROGRAM_NOT_EXECUTABLE', exitCode: 126 }),
    );
  });
});

describe('a fallback says cause and remedy, and changes nothing', () => {
  test.each([
    ['none', 'there is no such file'],
    ['text', 'it is not an ELF file'],
    ['foreign', 'it is built for ELF machine 8'],
    ['musl', 'it is built for musl, the program for glibc'],
    ['with space', 'its path has a space or a colon'],
  ])('%s', (name, cause) => {
    file('text', 'not a library');
    file('foreign', buildElf({ machine: 8, needed: ['libc.so.6'] }));
    file('musl', buildElf({ needed: ['libc.musl-x86_64.so.1'] }));
    file('with space', buildElf());
    const { fallback, environment, library } = plan({ libraryPath: join(folder, name) });
    expect(fallback).toMatchObject({
      reason: 'library-unusable',
      cause: expect.stringContaining(cause),
      remedy: expect.stringContaining('--library'),
    });
    expect({ environment, library }).toEqual({ environment: {}, library: undefined });
  });

  test.each([
    ['static', buildElf({ type: 2 }), 'statically linked'],
    ['foreign', buildElf({ machine: 8, interpreter: '/lib/ld.so.1' }), 'no program of this machine'],
  ])('a %s program', (name, content, cause) => {
    expect(plan({ command: file(name, content) }).fallback).toMatchObject({
      reason: 'program-unpreloadable',
      cause: expect.stringContaining(cause),
    });
  });

  test('an env that drops the variable', () => {
    expect(plan({ command: 'env', args: ['-i', process.execPath] }).fallback).toMatchObject({
      reason: 'program-unpreloadable',
      cause: expect.stringContaining('drops the environment'),
    });
  });
});

describe('--allocator system', () => {
  test('takes the allocators out of LD_PRELOAD and leaves the rest', () => {
    const environment = { LD_PRELOAD: '/a/libjemalloc.so.2:/b/libhook.so /c/libtcmalloc_minimal.so.4' };
    expect(plan({ allocator: 'system', environment }).environment).toEqual({ LD_PRELOAD: '/b/libhook.so' });
    expect(plan({ allocator: 'system', environment: { LD_PRELOAD: '/a/libjemalloc.so.2' } }).environment).toEqual({
      LD_PRELOAD: undefined,
    });
    expect(plan({ allocator: 'system', environment: {} })).toMatchObject({ environment: {}, fallback: undefined });
  });
});

describe('describeSearch', () => {
  const search = (...rejected: RejectedLibrary[]) => describeSearch({ kind: 'none', allocator: 'jemalloc', rejected });
  const rejected = (source: RejectedLibrary['source'], reason: RejectedLibrary['reason']): RejectedLibrary => ({
    path: '/x.so',
    source,
    reason,
    detail: 'why',
  });

  test('nothing there: the command that gets it', () => {
    expect(search()).toEqual({ reason: 'no-library', cause: 'no jemalloc library was found', remedy: 'jem install' });
    expect(describeSearch({ kind: 'none', allocator: 'mimalloc', rejected: [] }).remedy).toBe(
      'jem install --allocator mimalloc',
    );
  });

  test('something there: what is wrong with it, and who named it', () => {
    expect(search(rejected('option', 'missing'))).toMatchObject({
      cause: '/x.so cannot be used: why',
      remedy: expect.stringContaining('--library'),
    });
    expect(search(rejected('JEMKIT_LIBRARY', 'missing')).remedy).toContain('JEMKIT_LIBRARY');
    expect(search(rejected('loader-cache', 'wrong-libc')).remedy).toContain('apk add jemalloc');
    expect(search(rejected('jemkit', 'not-a-library')).remedy).toContain('jem install --force');
  });
});
