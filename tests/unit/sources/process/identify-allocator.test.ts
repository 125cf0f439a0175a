import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { IdentifiedAllocator } from '../../../../src/model/allocator-identity.js';
import type { MemoryMapping } from '../../../../src/model/memory-map.js';
import { bytesOf } from '../../../../src/sources/elf/byte-source.js';
import { identifyAllocator } from '../../../../src/sources/process/identify-allocator.js';
import { openImageReader } from '../../../../src/sources/process/mapped-images.js';
import type { ProcessView } from '../../../../src/sources/process/process-view.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/elf/gcc-12.2');

// Of the golden files: where each is mapped, its second segment (offset, address), and malloc in it.
const PROGRAM = 0x5000_0000;
const LIBC = 0x7000_0000;
const JEMALLOC = 0x7100_0000;
const MIMALLOC = 0x7200_0000;
const PROGRAM_SLOT = PROGRAM + 0x1398;
const LIBC_SLOT = LIBC + 0x1408;

interface Process {
  /** Golden file by the address it is mapped at. */
  readonly files: Readonly<Record<number, string>>;
  /** Pointers by address; undefined refuses memory. */
  readonly memory: Readonly<Record<number, number>> | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  readonly names?: Readonly<Record<string, string>>;
  readonly threads?: readonly string[];
  readonly deleted?: readonly string[];
  readonly state?: string;
  readonly kernelThread?: boolean;
  readonly fails?: string;
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

function viewOf(process: Process): ProcessView {
  const pathOf = (file: string) => process.names?.[file] ?? `/lib/${file}`;
  const entries = Object.entries(process.files).map(([start, file], index) => ({
    start: Number(start),
    file,
    inode: index + 100,
  }));
  return {
    pid: 4711,
    stat: () => ({
      pid: 4711,
      commandName: 'x',
      state: process.state ?? 'S',
      parentPid: 1,
      kernelThread: process.kernelThread ?? false,
      startTicks: 5,
    }),
    mappings: () => {
      if (process.fails) throw systemError(process.fails);
      return entries.map(
        ({ start, file, inode }): MemoryMapping => ({
          start,
          end: start + 0x2000,
          permissions: 'r-xp',
          fileOffset: 0,
          device: 'fe:00',
          inode,
          path: pathOf(file),
          deleted: process.deleted?.includes(file) ?? false,
        }),
      );
    },
    executable: () => ({ path: pathOf(process.files[PROGRAM] ?? ''), deleted: false }),
    environment: () => new Map(Object.entries(process.environment ?? {})),
    memory: (address, length) => {
      if (!process.memory) throw systemError('EACCES');
      const value = process.memory[address];
      if (value === undefined) throw systemError('EIO');
      const bytes = Buffer.alloc(length);
      bytes.writeBigUInt64LE(BigInt(value));
      return bytes;
    },
    threadNames: () => [...(process.threads ?? [])],
    file: (mapping) => {
      const file = entries.find(({ inode }) => inode === mapping.inode)?.file ?? '';
      const content = readFileSync(join(GOLDEN, file));
      return {
        identity: { device: 1, inode: mapping.inode, mtimeMs: 1, sizeBytes: content.length },
        use: (reader) => reader(bytesOf(content)),
      };
    },
    pathFromHere: (path) => `/nonexistent${path}`,
    close: () => {},
  };
}

const identify = (process: Process, depth: 'quick' | 'full' = 'full') =>
  identifyAllocator(viewOf(process), openImageReader(), depth);

const DYNAMIC = { [PROGRAM]: 'program', [LIBC]: 'libc.so.6' };
const WITH_JEMALLOC = { ...DYNAMIC, [JEMALLOC]: 'libjemalloc.so.2' };
const LIBC_MALLOC = LIBC + 0x268;
const JEMALLOC_MALLOC = JEMALLOC + 0x200;

describe('by the slot of malloc', () => {
  test("the C library's own malloc", () => {
    expect(
      identify({ files: DYNAMIC, memory: { [PROGRAM_SLOT]: LIBC_MALLOC, [LIBC_SLOT]: LIBC_MALLOC } }),
    ).toMatchObject({
      kind: 'identified',
      allocator: 'system',
      standing: 'serving',
      evidence: 'got',
      arrival: 'system',
      version: '2.36',
      libc: 'glibc',
      memory: 'read',
      beside: [],
    });
  });

  test.each(['quick', 'full'] as const)('a preloaded jemalloc (%s)', (depth) => {
    const memory = { [PROGRAM_SLOT]: JEMALLOC_MALLOC, [LIBC_SLOT]: JEMALLOC_MALLOC };
    const environment = { LD_PRELOAD: '/lib/libjemalloc.so.2' };
    expect(identify({ files: WITH_JEMALLOC, memory, environment }, depth)).toMatchObject({
      allocator: 'jemalloc',
      standing: 'serving',
      evidence: 'got',
      arrival: 'preload',
      version: '5.3.0',
      file: { path: '/lib/libjemalloc.so.2', deleted: false },
      beside: [],
    });
  });

  test('a slot that is not bound yet points into its own image and says nothing: the C library answers', () => {
    const memory = { [PROGRAM_SLOT]: PROGRAM + 0x206, [LIBC_SLOT]: JEMALLOC_MALLOC };
    expect(identify({ files: WITH_JEMALLOC, memory })).toMatchObject({ allocator: 'jemalloc', evidence: 'got' });
  });

  test('an environment that the program has overwritten leaves only one way in', () => {
    const memory = { [PROGRAM_SLOT]: JEMALLOC_MALLOC, [LIBC_SLOT]: JEMALLOC_MALLOC };
    expect(identify({ files: WITH_JEMALLOC, memory, environment: {} })).toMatchObject({ arrival: 'preload' });
  });

  test('mapped but not serving', () => {
    const memory = { [PROGRAM_SLOT]: LIBC_MALLOC, [LIBC_SLOT]: LIBC_MALLOC };
    const identity = identify({ files: WITH_JEMALLOC, memory, environment: { PATH: '/bin' } }) as IdentifiedAllocator;
    expect(identity).toMatchObject({ allocator: 'system', standing: 'serving' });
    expect(identity.beside).toMatchObject([{ allocator: 'jemalloc', standing: 'not-serving', arrival: 'dlopen' }]);
  });

  test('two allocators: one for the program, one for its library', () => {
    const memory = { [PROGRAM_SLOT]: JEMALLOC_MALLOC, [LIBC_SLOT]: LIBC_MALLOC };
    const identity = identify({ files: WITH_JEMALLOC, memory }) as IdentifiedAllocator;
    expect(identity.allocator).toBe('jemalloc');
    expect(identity.beside).toMatchObject([
      { allocator: 'system', standing: 'serving-some', servedFiles: ['/lib/libc.so.6'] },
    ]);
  });

  test('a file that was replaced is said to be', () => {
    const memory = { [PROGRAM_SLOT]: JEMALLOC_MALLOC };
    expect(identify({ files: WITH_JEMALLOC, memory, deleted: ['libjemalloc.so.2'] })).toMatchObject({
      allocator: 'jemalloc',
      file: { deleted: true },
    });
  });

  test('a name that says nothing does not hide a jemalloc', () => {
    const names = { 'libjemalloc.so.2': '/opt/fast.so' };
    expect(identify({ files: WITH_JEMALLOC, memory: { [PROGRAM_SLOT]: JEMALLOC_MALLOC }, names })).toMatchObject({
      allocator: 'jemalloc',
    });
  });

  test.each([
    ['private', 'symbols'],
    ['private-stripped', 'strings'],
  ])('a private copy beside the C library: %s', (file, evidence) => {
    const files = { [PROGRAM]: file, [LIBC]: 'libc.so.6' };
    const identity = identify(
      { files, memory: { [PROGRAM + 0x1400]: LIBC_MALLOC, [LIBC_SLOT]: LIBC_MALLOC } },
      'quick',
    ) as IdentifiedAllocator;
    expect(identity).toMatchObject({ allocator: 'system', evidence: 'got' });
    expect(identity.beside).toMatchObject([
      { allocator: 'jemalloc', standing: 'private', arrival: 'static', prefix: '_rjem_', evidence },
    ]);
  });
});

describe('where the memory may not be read (Yama)', () => {
  test('the mapped files tell, and it is said that nothing was measured', () => {
    expect(
      identify({ files: WITH_JEMALLOC, memory: undefined, environment: { LD_PRELOAD: '/lib/libjemalloc.so.2' } }),
    ).toMatchObject({
      allocator: 'jemalloc',
      standing: 'unmeasured',
      evidence: 'maps',
      arrival: 'preload',
      memory: 'no-permission',
    });
    expect(identify({ files: DYNAMIC, memory: undefined })).toMatchObject({
      allocator: 'system',
      standing: 'unmeasured',
      memory: 'no-permission',
    });
  });

  test('of two, the first of LD_PRELOAD; without it nothing is guessed', () => {
    const files = { ...WITH_JEMALLOC, [MIMALLOC]: 'libjemalloc.so.2' };
    const twice = {
      ...viewOf({ files, memory: undefined, environment: { LD_PRELOAD: '/opt/second.so:/lib/libjemalloc.so.2' } }),
    };
    const named = {
      ...twice,
      mappings: () => twice.mappings().map((m) => (m.start === MIMALLOC ? { ...m, path: '/opt/second.so' } : m)),
    };
    expect(identifyAllocator(named, openImageReader(), 'full')).toMatchObject({
      file: { path: '/opt/second.so' },
      standing: 'unmeasured',
    });
    const without = { ...named, environment: () => new Map<string, string>() };
    expect(identifyAllocator(without, openImageReader(), 'full')).toMatchObject({ kind: 'unknown' });
  });
});

describe('static programs', () => {
  test('by texts inside', () => {
    expect(identify({ files: { [PROGRAM]: 'private-static' }, memory: undefined })).toMatchObject({
      allocator: 'jemalloc',
      standing: 'built-in',
      arrival: 'static',
      evidence: 'strings',
      prefix: '_rjem_',
    });
  });

  test('by the name of a thread', () => {
    expect(
      identify({ files: { [PROGRAM]: 'plain-static' }, memory: undefined, threads: ['x', 'jemalloc_bg_thd'] }),
    ).toMatchObject({
      allocator: 'jemalloc',
      evidence: 'thread-name',
    });
  });

  test('else what the linker put in', () => {
    expect(identify({ files: { [PROGRAM]: 'plain-static' }, memory: undefined })).toMatchObject({
      allocator: 'system',
      arrival: 'static',
      standing: 'built-in',
    });
  });
});

describe('what has no allocator to be told', () => {
  test.each([
    [{ kernelThread: true }, 'kernel-thread'],
    [{ state: 'Z' }, 'zombie'],
    [{ fails: 'EACCES' }, 'no-permission'],
    [{ fails: 'EPERM' }, 'no-permission'],
    [{ fails: 'ENOENT' }, 'gone'],
    [{ fails: 'ESRCH' }, 'gone'],
  ])('%j is %s', (change, kind) => {
    expect(identify({ files: DYNAMIC, memory: {}, ...change })).toEqual({ kind });
  });

  test('a process without mappings is starting or ending', () => {
    expect(identify({ files: {}, memory: {} })).toMatchObject({ kind: 'unknown' });
  });

  test('another error of the system is not ours to hide', () => {
    expect(() => identify({ files: DYNAMIC, memory: {}, fails: 'EMFILE' })).toThrow('EMFILE');
  });
});
