import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openImageFactsCache, parseImageFactsCache } from '../../../../src/control/cache/image-facts-cache.js';
import type { ImageFacts } from '../../../../src/model/allocator-identity.js';
import { temporaryFolder } from '../../../support/programs.js';

const FACTS: ImageFacts = {
  bits: 64,
  littleEndian: true,
  libc: 'glibc',
  architecture: 'x64',
  interpreter: undefined,
  dynamic: true,
  soname: 'x.so',
  needed: [],
  segments: [[0, 0]],
  mallocSlots: [8],
  exportsMalloc: false,
  mallocConfPointer: undefined,
  holds: undefined,
  goProgram: false,
};

test('what was kept is found by the next that opens it', () => {
  const folder = join(temporaryFolder(), 'made', 'by-it');
  const cache = openImageFactsCache(folder);
  cache.keep('1:2:3:4', FACTS);
  cache.keep('1:5:3:4', null);
  cache.save();
  const again = openImageFactsCache(folder);
  expect(again.find('1:2:3:4')).toEqual(JSON.parse(JSON.stringify(FACTS)));
  expect(again.find('1:5:3:4')).toBeNull();
  expect(again.find('other')).toBeUndefined();
  expect(readdirSync(folder)).toEqual(['image-facts.json']);
  expect(statSync(folder).mode & 0o077).toBe(0);
});

test('it stays small: the oldest go first', () => {
  const folder = temporaryFolder();
  const cache = openImageFactsCache(folder);
  for (let i = 0; i < 1500; i++) cache.keep(`k${i}`, null);
  cache.save();
  const again = openImageFactsCache(folder);
  expect(again.find('k0')).toBeUndefined();
  expect(again.find('k1499')).toBeNull();
});

test('nothing learned, nothing written', () => {
  const folder = temporaryFolder();
  openImageFactsCache(folder).save();
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder that cannot be made or written is no error', () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  for (const folder of [join(file, 'below'), '/proc/nowhere', undefined]) {
    const cache = openImageFactsCache(folder);
    cache.keep('a', FACTS);
    cache.save();
    expect(cache.find('a')).toEqual(FACTS);
  }
});

test('a link in place of the file is replaced, not followed', () => {
  const folder = temporaryFolder();
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'untouched');
  mkdirSync(join(folder, 'cache'));
  symlinkSync(victim, join(folder, 'cache', 'image-facts.json'));
  const cache = openImageFactsCache(join(folder, 'cache'));
  cache.keep('a', null);
  cache.save();
  expect(readFileSync(victim, 'utf8')).toBe('untouched');
});

test('a damaged file is an empty cache', () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"version":0,"images":{}}',
    '{"version":1,"images":{"a":{"bits":64}}}',
    '{"version":1,"images":null}',
  ]) {
    expect(parseImageFactsCache(text).size).toBe(0);
  }
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseImageFactsCache(text)));
  fc.assert(fc.property(fc.json(), (value) => void parseImageFactsCache(`{"version":1,"images":{"a":${value}}}`)));
});
