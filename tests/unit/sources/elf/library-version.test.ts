import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLibraryVersion, readLibraryVersion } from '../../../../src/sources/elf/library-version.js';
import { temporaryFolder } from '../../../support/programs.js';

const text = (version: string) => Buffer.from(`\0\x01noise\0${version}\0more`, 'latin1');

test.each([
  ['5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c', '5.3.0'],
  ['5.3.0-74-gabcdef0', '5.3.0'],
  ['0.0.0-0-g0000000000000000000000000000000000000000', undefined],
  ['1.5.3.0-0-g54eaed1d', undefined],
  ['5.3.0', undefined],
  ['', undefined],
])('jemalloc’s own version text %j is %s', (version, expected) => {
  expect(parseLibraryVersion(text(version), 'jemalloc')).toBe(expected);
});

test('of other allocators only the file name tells', () => {
  const folder = temporaryFolder();
  const write = (name: string, content: Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  expect(readLibraryVersion(write('libmimalloc.so.2.0', text('5.3.0-0-g54eaed1d')), 'mimalloc')).toBe('2.0');
  expect(readLibraryVersion(write('libjemalloc.so.2', text('5.3.0-0-g54eaed1d')), 'jemalloc')).toBe('5.3.0');
  expect(readLibraryVersion(write('libjemalloc.so.2.1', text('nothing')), 'jemalloc')).toBe('2.1');
  expect(readLibraryVersion(write('libtcmalloc.so.4', text('')), 'tcmalloc')).toBeUndefined();
  expect(readLibraryVersion(join(folder, 'none'), 'jemalloc')).toBeUndefined();
});

test('any bytes never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseLibraryVersion(Buffer.from(bytes), 'jemalloc')),
  );
});
