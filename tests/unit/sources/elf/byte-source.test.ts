import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, withFileBytes } from '../../../../src/sources/elf/byte-source.js';
import { temporaryFolder } from '../../../support/programs.js';

test('a file reads as its bytes do, past its end too', () => {
  const path = join(temporaryFolder(), 'file');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(120), fc.nat(120), (bytes, offset, length) => {
      const content = Buffer.from(bytes);
      writeFileSync(path, content);
      const expected = content.subarray(Math.min(offset, content.length), offset + length);
      expect(bytesOf(content).readAt(offset, length)).toEqual(expected);
      expect(withFileBytes(path, (source) => [source.sizeBytes, Buffer.from(source.readAt(offset, length))])).toEqual([
        content.length,
        Buffer.from(expected),
      ]);
    }),
    { numRuns: 50 },
  );
});

test('a damaged header may claim any place in a file', () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, 'content');
  withFileBytes(path, (source) => {
    for (const offset of [7, 2 ** 31, 2 ** 53, 2 ** 64]) expect(source.readAt(offset, 16)).toHaveLength(0);
    expect(source.readAt(3, 2 ** 60)).toHaveLength(4);
  });
});

test('the file is closed when its reader throws', () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, 'x');
  expect(() =>
    withFileBytes(path, () => {
      throw new Error('reader');
    }),
  ).toThrow('reader');
  expect(() => withFileBytes(`${path}.none`, () => 0)).toThrow(/ENOENT/);
});
