import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLoaderCache, readLoaderCache } from '../../../../src/sources/elf/loader-cache.js';
import { temporaryFolder } from '../../../support/programs.js';

/** Writes a cache as ldconfig does: header, entries, then the strings. */
function buildCache(entries: ReadonlyArray<readonly [name: string, path: string]>, before = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(48);
  header.write('glibc-ld.so.cache1.1', 'latin1');
  header.writeUInt32LE(entries.length, 20);
  const table = Buffer.alloc(entries.length * 24);
  const strings: Buffer[] = [];
  let at = header.length + table.length;
  for (const [i, texts] of entries.entries()) {
    for (const [j, text] of texts.entries()) {
      table.writeUInt32LE(at, i * 24 + 4 + j * 4);
      strings.push(Buffer.from(`${text}\0`));
      at += Buffer.byteLength(text) + 1;
    }
  }
  header.writeUInt32LE(at - header.length - table.length, 24);
  return Buffer.concat([before, header, table, ...strings]);
}

describe('parseLoaderCache', () => {
  const cache = buildCache([
    ['libc.so.6', '/lib/x86_64-linux-gnu/libc.so.6'],
    ['libjemalloc.so.2', '/lib/x86_64-linux-gnu/libjemalloc.so.2'],
    ['libjemalloc.so.2', '/lib/i386-linux-gnu/libjemalloc.so.2'],
    ['libm.so.6', '/lib/x86_64-linux-gnu/libm.so.6'],
  ]);

  test('the entries whose name begins so, in order', () => {
    expect(parseLoaderCache(cache, 'libjemalloc')).toEqual([
      { name: 'libjemalloc.so.2', path: '/lib/x86_64-linux-gnu/libjemalloc.so.2' },
      { name: 'libjemalloc.so.2', path: '/lib/i386-linux-gnu/libjemalloc.so.2' },
    ]);
    expect(parseLoaderCache(cache, 'jemalloc')).toEqual([]);
    expect(parseLoaderCache(cache, 'libmimalloc')).toEqual([]);
  });

  test('names that share the end of a path, as newer ldconfig writes them', () => {
    const shared = buildCache([['x', '/lib/libjemalloc.so.2']]);
    const nameAt = shared.indexOf('libjemalloc.so.2');
    shared.writeUInt32LE(nameAt, 48 + 4);
    expect(parseLoaderCache(shared, 'libjemalloc')).toEqual([
      { name: 'libjemalloc.so.2', path: '/lib/libjemalloc.so.2' },
    ]);
  });

  test('behind the table of the older format, offsets count from the newer header', () => {
    const entries = [['libjemalloc.so.2', '/lib/libjemalloc.so.2']] as const;
    expect(
      parseLoaderCache(buildCache(entries, Buffer.from('ld.so-1.7.0\0old table here\0')), 'libjemalloc'),
    ).toHaveLength(1);
  });

  test('anything else has no entries', () => {
    for (const text of ['', 'text', 'glibc-ld.so.cache1.1'])
      expect(parseLoaderCache(Buffer.from(text), 'lib')).toEqual([]);
  });

  test('whatever was written is found again', () => {
    const name = fc.stringMatching(/^lib[a-z]{1,8}\.so\.[0-9]$/);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, fc.stringMatching(/^\/[a-z/]{1,20}$/)), { maxLength: 20 }),
        fc.constantFrom('liba', 'lib', 'libj'),
        (entries, prefix) => {
          const expected = entries
            .filter(([text]) => text.startsWith(prefix))
            .map(([text, path]) => ({ name: text, path }));
          expect(parseLoaderCache(buildCache(entries), prefix)).toEqual(expected);
        },
      ),
    );
  });

  test('cut and changed anywhere it never throws', () => {
    fc.assert(
      fc.property(
        fc.nat(cache.length),
        fc.array(fc.tuple(fc.nat(cache.length - 1), fc.nat(255)), { maxLength: 10 }),
        (length, changes) => {
          const damaged = Buffer.from(cache.subarray(0, length));
          for (const [at, byte] of changes) if (at < damaged.length) damaged[at] = byte;
          parseLoaderCache(damaged, 'libjemalloc');
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('no such file is no entries', () => {
  const folder = temporaryFolder();
  expect(readLoaderCache('libc', join(folder, 'none'))).toEqual([]);
  writeFileSync(join(folder, 'cache'), buildCache([['libc.so.6', '/lib/libc.so.6']]));
  expect(readLoaderCache('libc', join(folder, 'cache'))).toEqual([{ name: 'libc.so.6', path: '/lib/libc.so.6' }]);
});
