import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBuildId } from '../../../../src/sources/elf/build-id.js';
import { bytesOf } from '../../../../src/sources/elf/byte-source.js';
import { parseElf } from '../../../../src/sources/elf/elf-image.js';
import { readSections } from '../../../../src/sources/elf/sections.js';
import { findSymbols } from '../../../../src/sources/symbols/find-symbols.js';
import { buildElfSymbols, type TestSymbol } from '../../../support/elf-symbols.js';

function find(file: Buffer, addresses: readonly number[]) {
  const source = bytesOf(file);
  const reading = parseElf(source);
  if (reading.kind !== 'elf') throw new Error(reading.kind);
  const sections = readSections(source, reading.image);
  return findSymbols(source, reading.image, sections, Float64Array.from(addresses)).map((symbol) => symbol?.name);
}

const SYMBOLS: readonly TestSymbol[] = [
  { name: 'second', address: 0x1100, bytes: 0x40 },
  { name: 'first', address: 0x1000, bytes: 0x80 },
  { name: 'alias', address: 0x1000, bytes: 0x80, binding: 0 },
  { name: 'assembly', address: 0x1200, bytes: 0, type: 0 },
  { name: 'inner', address: 0x1010, bytes: 0x10 },
  { name: 'data', address: 0x1300, bytes: 8, type: 1 },
];

describe('findSymbols', () => {
  test.each([
    [64, true],
    [64, false],
    [32, true],
    [32, false],
  ] as const)('%i bits, little endian %s', (bits, littleEndian) => {
    const file = buildElfSymbols(SYMBOLS, { bits, littleEndian });
    expect(find(file, [0xfff, 0x1000, 0x1018, 0x1020, 0x107f, 0x1080, 0x113f, 0x1140, 0x1208, 0x1304])).toEqual([
      undefined,
      'first',
      'inner',
      'first',
      'first',
      // Behind the end of a function nothing is guessed.
      undefined,
      'second',
      undefined,
      'assembly',
      'assembly',
    ]);
  });

  test('of names for one function the plainest, called from outside before local', () => {
    const same = { address: 0x1000, bytes: 0x10 };
    const symbols = [
      { ...same, name: '__clone3' },
      { ...same, name: 'clone3' },
      { ...same, name: 'local', binding: 0 },
    ];
    expect(find(buildElfSymbols(symbols), [0x1008])).toEqual(['clone3']);
    expect(find(buildElfSymbols(symbols.toReversed()), [0x1008])).toEqual(['clone3']);
  });

  test('agrees with a search through all symbols, whatever they are', () => {
    const symbol = fc.record({
      address: fc.integer({ min: 0x1000, max: 0x1100 }),
      bytes: fc.integer({ min: 1, max: 64 }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(symbol, { selector: ({ address }) => address, maxLength: 20 }),
        fc.uniqueArray(fc.integer({ min: 0xff0, max: 0x1180 }), { maxLength: 20 }),
        (symbols, asked) => {
          const named = symbols.map((one, i) => ({ ...one, name: `f${i}` }));
          const addresses = asked.toSorted((a, b) => a - b);
          const expected = addresses.map(
            (at) =>
              named
                .filter(({ address, bytes }) => at >= address && at < address + bytes)
                .toSorted((a, b) => b.address - a.address)[0]?.name,
          );
          expect(find(buildElfSymbols(named), addresses)).toEqual(expected);
        },
      ),
    );
  });

  test('a damaged file gives what it gives, and ends', () => {
    const file = buildElfSymbols(SYMBOLS, { buildId: 'abcdef' });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 12 }),
        fc.nat(file.length),
        (changes, length) => {
          const damaged = Buffer.from(file.subarray(0, length));
          for (const [at, value] of changes) if (at < length) damaged[at] = value;
          const source = bytesOf(damaged);
          const reading = parseElf(source);
          if (reading.kind !== 'elf') return;
          const sections = readSections(source, reading.image);
          findSymbols(source, reading.image, sections, Float64Array.of(0x1000, 0x1100, 0x1200));
          readBuildId(source, reading.image);
        },
      ),
    );
  });
});

test('the build id comes from the notes', () => {
  const source = bytesOf(buildElfSymbols([], { buildId: '0123456789abcdef0123' }));
  const reading = parseElf(source);
  expect(reading.kind === 'elf' && readBuildId(source, reading.image)).toBe('0123456789abcdef0123');
});
