import { expect, test } from 'vitest';
import { mappingOwners } from '../../../src/analyses/mapping-owners.js';
import type { MappingMemory } from '../../../src/model/mapping-memory.js';
import type { ResidentFacts } from '../../../src/model/resident-breakdown.js';
import { FLAGS, mapping, residentFacts } from '../../support/mappings.js';

const MIB = 2 ** 20;
const HIGH = 0x7f00_0000_0000;
const flags = (name: keyof typeof FLAGS) => ({ flags: new Set(FLAGS[name]) });

function ownersOf(mappings: readonly MappingMemory[], over: Partial<ResidentFacts> = {}): string[] {
  return mappingOwners(residentFacts(mappings, over)).map(({ owner }) => owner);
}

const GLIBC = {
  allocator: { ...residentFacts([]).allocator, allocator: 'system' },
} as unknown as Partial<ResidentFacts>;

test("V8's mappings are those kept out of children: heap below, code executable, the rest above", () => {
  const mappings = [
    mapping(0x12516380000, 256 * 1024, flags('v8')),
    mapping(0x1bc0fcb40000, 64 * 1024, { ...flags('v8'), permissions: 'r--p' }),
    mapping(HIGH, 10 * MIB, flags('v8')),
    mapping(HIGH + 64 * MIB, MIB, { ...flags('v8'), permissions: 'rwxp' }),
  ];
  expect(ownersOf(mappings, { holdsV8: true })).toEqual(['v8-heap', 'v8-heap', 'v8-other', 'v8-code']);
  // Java and Go have heaps down there too.
  expect(ownersOf(mappings)).not.toContain('v8-heap');
});

test('V8 without its mark is told by address, which is another on arm64', () => {
  const low = mapping(0x12516380000, 256 * 1024, flags('jemalloc'));
  expect(ownersOf([low], { holdsV8: true })).toEqual(['v8-heap']);
  expect(ownersOf([low], { holdsV8: true, architecture: 'arm64' })).toEqual(['jemalloc']);
  expect(ownersOf([{ ...low, start: 0x2516380000 }], { holdsV8: true, architecture: 'arm64' })).toEqual(['v8-heap']);
});

test('jemalloc reserves without accounting; others do not', () => {
  const mappings = [mapping(HIGH, MIB, flags('jemalloc')), mapping(HIGH + 2 * MIB, MIB, flags('plain'))];
  expect(ownersOf(mappings)).toEqual(['jemalloc', 'anonymous']);
  expect(ownersOf(mappings, { strictOvercommit: true })).toEqual(['jemalloc', 'jemalloc']);
  expect(ownersOf(mappings, GLIBC)).toEqual(['anonymous', 'anonymous']);
});

test('glibc: the heap, arenas of 64 MiB with what they reserve, large blocks', () => {
  const arena = 0x7f2a_4000_0000;
  const mappings = [
    mapping(0x1000_0000, MIB, { path: '[heap]' }),
    mapping(arena, 3 * MIB, flags('jemalloc')),
    mapping(arena + 3 * MIB, 61 * MIB, { ...flags('jemalloc'), permissions: '---p', residentBytes: 0 }),
    mapping(arena + 128 * MIB, 3 * MIB, flags('plain')),
    mapping(arena + 192 * MIB, MIB, flags('plain')),
  ];
  expect(ownersOf(mappings, { ...GLIBC, largeBlocks: new Set([arena + 192 * MIB]) })).toEqual([
    'malloc-heap',
    'malloc-arena',
    'malloc-arena',
    'anonymous',
    'malloc-large',
  ]);
});

test('a stack is what a stack pointer lies in, or what is marked with its guard', () => {
  const guard = { permissions: '---p', residentBytes: 0, ...flags('stack') };
  const old = flags('plain');
  const mappings = [
    mapping(HIGH, 4096, guard),
    mapping(HIGH + 4096, MIB, flags('stack')),
    mapping(HIGH + 8 * MIB, MIB, old),
    mapping(HIGH + 16 * MIB, MIB, old),
    mapping(0x7ffe_0000_0000, MIB, { path: '[stack]' }),
  ];
  const threads = [{ threadId: 1, name: 'a', stackPointer: HIGH + 8 * MIB + 100 }];
  expect(ownersOf(mappings, { threads })).toEqual(['anonymous', 'stack', 'stack', 'anonymous', 'stack']);
});

test('files, their uninitialised data, shared memory, the kernel', () => {
  const file = { path: '/usr/lib/libx.so', inode: 12, device: 'fd:01' };
  const mappings = [
    mapping(HIGH, MIB, { ...file, permissions: 'r-xp' }),
    mapping(HIGH + MIB, MIB, file),
    mapping(HIGH + 2 * MIB, MIB),
    mapping(HIGH + 8 * MIB, MIB, { path: '/dev/shm/x', inode: 13, permissions: 'rw-s' }),
    mapping(HIGH + 9 * MIB, MIB, { path: '/memfd:x', inode: 14, deleted: true, permissions: 'rw-s' }),
    mapping(HIGH + 10 * MIB, MIB, { path: '/dev/zero', inode: 15, deleted: true, permissions: 'rw-s' }),
    mapping(HIGH + 11 * MIB, 8192, { path: '[vdso]', permissions: 'r-xp' }),
    mapping(HIGH + 12 * MIB, 8192, { path: 'anon_inode:[io_uring]', inode: 16, permissions: 'rw-s' }),
  ];
  const owned = mappingOwners(residentFacts(mappings));
  expect(owned.map(({ owner }) => owner)).toEqual([
    'file',
    'file',
    'file',
    'shared-memory',
    'shared-memory',
    'shared-memory',
    'kernel',
    'kernel',
  ]);
  expect(owned[2]?.file).toBe('/usr/lib/libx.so');
});

test("Ruby's object heap is told by its alignment, in Ruby only", () => {
  const ruby = mapping(HIGH, MIB, {
    path: '/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1.2',
    inode: 1,
    permissions: 'r-xp',
  });
  const pages = mapping(HIGH + 0x20_4000, 64 * 16 * 1024);
  const other = mapping(HIGH + 0x60_1000, MIB);
  expect(ownersOf([ruby, pages, other])).toEqual(['file', 'ruby-heap', 'anonymous']);
  expect(ownersOf([pages])).toEqual(['anonymous']);
});
