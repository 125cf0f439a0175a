import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AT, parseAuxiliaryVector } from '../../../../src/sources/procfs/auxiliary-vector.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/procfs/linux-6.18');

test('reads page size and secure mode', () => {
  const vector = parseAuxiliaryVector(readFileSync(join(GOLDEN, 'sleep-jemalloc.auxv')), 8);
  expect(vector.get(AT.PAGESZ)).toBe(4096);
  expect(vector.get(AT.SECURE)).toBe(0);
});

test('reads back what was written, in both widths and orders', () => {
  const entries = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.integer({ min: 0, max: 2 ** 31 })), {
    selector: ([key]) => key,
  });
  fc.assert(
    fc.property(entries, fc.constantFrom(4 as const, 8 as const), fc.boolean(), (pairs, longBytes, littleEndian) => {
      const content = Buffer.alloc((pairs.length + 1) * longBytes * 2);
      const write = (value: number, at: number) => {
        if (longBytes === 4) littleEndian ? content.writeUInt32LE(value, at) : content.writeUInt32BE(value, at);
        else littleEndian ? content.writeBigUInt64LE(BigInt(value), at) : content.writeBigUInt64BE(BigInt(value), at);
      };
      for (const [index, [key, value]] of pairs.entries()) {
        write(key, index * longBytes * 2);
        write(value, index * longBytes * 2 + longBytes);
      }
      expect([...parseAuxiliaryVector(content, longBytes, littleEndian)]).toEqual(pairs);
    }),
  );
});

test('never throws, whatever the bytes', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseAuxiliaryVector(Buffer.from(bytes), 8)));
});
