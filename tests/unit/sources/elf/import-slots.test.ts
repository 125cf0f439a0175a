import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf } from '../../../../src/sources/elf/byte-source.js';
import { parseElf } from '../../../../src/sources/elf/elf-image.js';
import { findImportSlots } from '../../../../src/sources/elf/import-slots.js';
import { buildElf } from '../../../support/elf-file.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/elf/gcc-12.2');

function slots(content: Buffer, name = 'malloc'): number[] {
  const reading = parseElf(bytesOf(content));
  return reading.kind === 'elf' ? findImportSlots(bytesOf(content), reading.image, name) : [];
}

test.each([
  ['x64', 64, true, 62, 7],
  ['ia32', 32, true, 3, 6],
  ['arm64', 64, true, 183, 1026],
  ['arm', 32, true, 40, 22],
  ['s390x', 64, false, 22, 10],
  ['riscv64', 64, true, 243, 5],
] as const)(
  '%s: the slot that a relocation of the symbol fills',
  (_architecture, bits, littleEndian, machine, relocation) => {
    const file = buildElf({ bits, littleEndian, machine, importSlot: { name: 'malloc', relocation, address: 0x3fd8 } });
    expect(slots(file)).toEqual([0x3fd8]);
    expect(slots(file, 'calloc')).toEqual([]);
  },
);

test('a relocation of another kind is no slot', () => {
  expect(slots(buildElf({ importSlot: { name: 'malloc', relocation: 5, address: 0x3fd8 } }))).toEqual([]);
});

test('a name that only begins alike is another', () => {
  expect(slots(buildElf({ importSlot: { name: 'malloc_usable_size', relocation: 7, address: 8 } }))).toEqual([]);
});

test('a real program', () => {
  expect(slots(readFileSync(join(GOLDEN, 'program')))).toEqual([0x1398]);
  expect(slots(readFileSync(join(GOLDEN, 'plain-static')))).toEqual([]);
});

test('damaged tables never make it throw anything but what its caller expects of a damaged file', () => {
  const whole = readFileSync(join(GOLDEN, 'program'));
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) }), { maxLength: 20 }),
      (changes) => {
        const damaged = Buffer.from(whole);
        for (const { at, byte } of changes) damaged[at] = byte;
        expect(Array.isArray(slots(damaged))).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
