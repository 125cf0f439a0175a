import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLargeBlocks, readLargeBlocks } from '../../../../src/sources/process/large-blocks.js';
import { mapping } from '../../../support/mappings.js';

const PAGE = 4096;
const START = 0x7000_0000;

/** Memory in which blocks of so many pages follow one another, as malloc leaves them. */
function blocks(...pages: readonly number[]): { memory: Buffer; read: (address: number, length: number) => Buffer } {
  const memory = Buffer.alloc(pages.reduce((total, count) => total + count * PAGE, 0));
  let at = 0;
  for (const count of pages) {
    memory.writeBigUInt64LE(BigInt(count * PAGE) | 2n, at + 8);
    at += count * PAGE;
  }
  return { memory, read: (address, length) => memory.subarray(address - START, address - START + length) };
}

test.each([[[33]], [[33, 40, 256]]])('a mapping of blocks of %j pages', (pages) => {
  const { memory, read } = blocks(...pages);
  expect(isLargeBlocks(read, START, START + memory.length)).toBe(true);
});

test('what is no block, or only begins with one, is not taken for one', () => {
  const { memory, read } = blocks(33, 40);
  expect(isLargeBlocks(read, START, START + memory.length - PAGE)).toBe(false);
  memory.writeBigUInt64LE(12n, 33 * PAGE + 8);
  expect(isLargeBlocks(read, START, START + memory.length)).toBe(false);
  expect(isLargeBlocks(() => Buffer.alloc(0), START, START + PAGE)).toBe(false);
});

test('any bytes end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      isLargeBlocks(() => Buffer.from(bytes), START, START + 100 * PAGE);
    }),
  );
});

test('memory that may not be read says nothing; a mapping that has gone is passed over', () => {
  const { memory, read } = blocks(33);
  const failing = (code: string) => () => {
    throw Object.assign(new Error(code), { code });
  };
  const candidates = [mapping(0x6000_0000, PAGE), mapping(START, memory.length)];
  expect(readLargeBlocks({ memory: failing('EPERM') }, candidates)).toEqual(new Set());
  const half = (address: number, length: number) => (address < START ? failing('EIO')() : read(address, length));
  expect(readLargeBlocks({ memory: half }, candidates)).toEqual(new Set([START]));
});
