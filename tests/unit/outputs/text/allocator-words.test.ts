import { expect, test } from 'vitest';
import type { AllocatorBeside, IdentifiedAllocator } from '../../../../src/model/allocator-identity.js';
import { allocatorCells } from '../../../../src/outputs/text/allocator-words.js';

const SYSTEM: IdentifiedAllocator = {
  kind: 'identified',
  allocator: 'system',
  arrival: 'system',
  evidence: 'got',
  version: '2.36',
  file: { path: '/lib/libc.so.6', deleted: false },
  prefix: '',
  standing: 'serving',
  libc: 'glibc',
  memory: 'read',
  beside: [],
  note: undefined,
};
const PRIVATE: AllocatorBeside = {
  allocator: 'jemalloc',
  arrival: 'static',
  evidence: 'strings',
  version: '5.3.0',
  file: { path: '/opt/biome', deleted: false },
  prefix: '_rjem_',
  standing: 'private',
  servedFiles: ['/opt/biome'],
};
const JEMALLOC: IdentifiedAllocator = { ...SYSTEM, allocator: 'jemalloc', arrival: 'preload', version: '5.3.0' };

test.each([
  [SYSTEM, ['system', 'system', 'glibc 2.36', 'got']],
  [JEMALLOC, ['jemalloc', 'preload', '5.3.0', 'got']],
  [{ ...JEMALLOC, file: { path: '/x', deleted: true } }, ['jemalloc', 'preload', '5.3.0 (deleted)', 'got']],
  [
    { ...JEMALLOC, standing: 'unmeasured', evidence: 'maps', memory: 'no-permission' },
    ['jemalloc', 'preload', '5.3.0', 'maps (memory not readable)'],
  ],
  [{ ...SYSTEM, beside: [PRIVATE] }, ['system + jemalloc', 'system + static (_rjem_)', 'glibc 2.36 + 5.3.0', 'got']],
  [{ ...SYSTEM, beside: [{ ...PRIVATE, standing: 'not-serving' }] }, ['system', 'system', 'glibc 2.36', 'got']],
  [
    { ...SYSTEM, allocator: 'other', file: { path: '/opt/libhoard.so', deleted: false }, version: undefined },
    ['libhoard.so', 'system', '-', 'got'],
  ],
  [{ kind: 'no-permission' }, ['no permission', '-', '-', '-']],
  [{ kind: 'unknown', reason: 'x' }, ['unknown', '-', '-', '-']],
  [{ kind: 'zombie' }, ['zombie', '-', '-', '-']],
] as const)('%#', (identity, cells) => expect(allocatorCells(identity as IdentifiedAllocator)).toEqual(cells));
