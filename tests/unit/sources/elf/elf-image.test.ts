import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../../../src/sources/elf/byte-source.js';
import { fileOffsetOf, parseElf, readElf, stringAt } from '../../../../src/sources/elf/elf-image.js';
import { buildElf } from '../../../support/elf-file.js';
import { temporaryFolder } from '../../../support/programs.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/elf/gcc-12.2');
const parse = (content: Buffer) => parseElf(bytesOf(content));

describe('what a file says of itself', () => {
  test.each([
    ['x64', 64, true, 62],
    ['ia32', 32, true, 3],
    ['arm64', 64, true, 183],
    ['arm', 32, true, 40],
    ['s390x', 64, false, 22],
    ['ppc64', 64, true, 21],
    ['riscv64', 64, true, 243],
    ['loong64', 64, true, 258],
  ] as const)('%s: width, byte order, loader and dependencies', (architecture, bits, littleEndian, machine) => {
    const file = buildElf({
      bits,
      littleEndian,
      machine,
      interpreter: '/lib/ld-linux.so.2',
      needed: ['libm.so.6', 'libc.so.6'],
      soname: 'x.so.1',
    });
    expect(parse(file)).toMatchObject({
      kind: 'elf',
      image: {
        architecture,
        bits,
        littleEndian,
        type: 'shared',
        interpreter: '/lib/ld-linux.so.2',
        needed: ['libm.so.6', 'libc.so.6'],
        soname: 'x.so.1',
        libc: 'glibc',
      },
    });
  });

  test.each([
    [{ interpreter: '/lib/ld-musl-x86_64.so.1', needed: ['libc.so'] }, 'musl'],
    [{ needed: ['libc.musl-x86_64.so.1'] }, 'musl'],
    [{ needed: ['libc.so'] }, 'musl'],
    [{ interpreter: '/lib64/ld-linux-x86-64.so.2' }, 'glibc'],
    [{ interpreter: '/lib/ld64.so.1' }, 'glibc'],
    [{ needed: ['libpthread.so.0', 'libc.so.6'] }, 'glibc'],
    [{ needed: ['libother.so.1'] }, undefined],
    [{}, undefined],
  ] as const)('the C library of %j is %s', (options, libc) => {
    expect(parse(buildElf(options))).toMatchObject({ image: { libc } });
  });

  test('a machine that Node does not run on has a number and no name', () => {
    expect(parse(buildElf({ machine: 8 }))).toMatchObject({ image: { architecture: undefined, machine: 8 } });
    // x86-64 in 32-bit files is x32, which no Node is built for.
    expect(parse(buildElf({ machine: 62, bits: 32 }))).toMatchObject({ image: { architecture: undefined } });
  });

  test('real files', () => {
    expect(parse(readFileSync(join(GOLDEN, 'program')))).toMatchObject({
      image: { interpreter: '/lib64/ld-linux-x86-64.so.2', libc: 'glibc' },
    });
    expect(parse(readFileSync(join(GOLDEN, 'plain-static')))).toMatchObject({
      image: { type: 'executable', interpreter: undefined, needed: [] },
    });
  });

  test('an address is found in the segment that holds it, and nowhere else', () => {
    const segments = [{ fileOffset: 100, address: 0x1000, fileBytes: 50, memoryBytes: 80, executable: true }];
    expect(fileOffsetOf(segments, 0x1000)).toBe(100);
    expect(fileOffsetOf(segments, 0x1000 + 49)).toBe(149);
    expect(fileOffsetOf(segments, 0x1000 + 50)).toBeUndefined();
  });

  test('text ends at a NUL or at the end', () => {
    expect(stringAt(Buffer.from('ab\0cd'), 1)).toBe('b');
    expect(stringAt(Buffer.from('ab\0cd'), 3)).toBe('cd');
  });
});

describe('what is no ELF file, or a damaged one', () => {
  test.each([
    ['empty', ''],
    ['text', '#!/bin/sh\n'],
    ['three bytes', '\x7fEL'],
  ])('%s', (_name, text) => {
    expect(parse(Buffer.from(text, 'latin1'))).toEqual({ kind: 'not-elf' });
  });

  test('the reason names what ends too early', () => {
    const whole = readFileSync(join(GOLDEN, 'program'));
    expect(parse(whole.subarray(0, 40))).toEqual({
      kind: 'malformed',
      reason: 'the ELF header ends at byte 40 of 64 expected',
    });
    expect(parse(whole.subarray(0, 100))).toMatchObject({
      kind: 'malformed',
      reason: expect.stringContaining('the program headers ends at byte 100'),
    });
  });

  test('a class or byte order that does not exist', () => {
    const file = buildElf();
    file[4] = 9;
    expect(parse(file)).toEqual({ kind: 'malformed', reason: 'class 9 (expected 1 or 2)' });
    file[4] = 2;
    file[5] = 0;
    expect(parse(file)).toEqual({ kind: 'malformed', reason: 'byte order 0 (expected 1 or 2)' });
  });

  test.each(['program', 'libc.so.6', 'libjemalloc.so.2', 'plain-static'])(
    '%s, cut and changed anywhere, never throws',
    (name) => {
      const whole = readFileSync(join(GOLDEN, name));
      const change = fc.record({ at: fc.nat(4095), byte: fc.nat(255) });
      fc.assert(
        fc.property(fc.nat(whole.length), fc.array(change, { maxLength: 8 }), (length, changes) => {
          const damaged = Buffer.from(whole.subarray(0, length));
          for (const { at, byte } of changes) if (at < damaged.length) damaged[at] = byte;
          expect(['elf', 'not-elf', 'malformed']).toContain(parse(damaged).kind);
        }),
        { numRuns: 300 },
      );
    },
  );

  test('random bytes behind the magic never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        parse(Buffer.concat([Buffer.from('\x7fELF', 'latin1'), bytes]));
      }),
    );
  });
});

test('a file that cannot be opened is unreadable, with the system’s code', () => {
  const folder = temporaryFolder();
  expect(readElf(join(folder, 'none'))).toEqual({ kind: 'unreadable', code: 'ENOENT' });
  expect(readElf(folder)).toEqual({ kind: 'unreadable', code: 'EISDIR' });
  const file = join(folder, 'library.so');
  writeFileSync(file, buildElf());
  expect(readElf(file).kind).toBe('elf');
  chmodSync(file, 0o600);
  expect(readElf(join(file, 'below'))).toEqual({ kind: 'unreadable', code: 'ENOTDIR' });
});
