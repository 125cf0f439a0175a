import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../../../src/sources/elf/byte-source.js';
import { parseImageFacts } from '../../../../src/sources/elf/image-facts.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/elf/gcc-12.2');
const content = (name: string) => readFileSync(join(GOLDEN, name));
const facts = (name: string) => parseImageFacts(bytesOf(content(name)));

test('a program that calls malloc has a slot for it and no allocator', () => {
  expect(facts('program')).toMatchObject({
    bits: 64,
    architecture: 'x64',
    libc: 'glibc',
    dynamic: true,
    needed: ['libc.so.6'],
    mallocSlots: [0x1398],
    exportsMalloc: false,
  });
  expect(facts('program')?.holds).toBeUndefined();
});

test('a C library has a slot for its own malloc, in which another library can stand', () => {
  expect(facts('libc.so.6')).toMatchObject({
    soname: 'libc.so.6',
    mallocSlots: [0x1408],
    exportsMalloc: true,
    holds: { allocator: 'system', version: '2.36', evidence: 'symbols' },
  });
});

test('a jemalloc is known by what it exports', () => {
  expect(facts('libjemalloc.so.2')).toMatchObject({
    exportsMalloc: true,
    mallocConfPointer: expect.any(Number),
    holds: { allocator: 'jemalloc', prefix: '', version: '5.3.0', evidence: 'symbols' },
  });
});

test.each([
  ['private', 'symbols', true],
  ['private-stripped', 'strings', true],
  ['private-static', 'strings', false],
])('a jemalloc inside a program with names of its own: %s', (name, evidence, dynamic) => {
  expect(facts(name)).toMatchObject({
    dynamic,
    exportsMalloc: false,
    holds: { allocator: 'jemalloc', prefix: '_rjem_', evidence },
  });
});

test('an add-on that only asks for a jemalloc by its names holds none', () => {
  expect(facts('asks.so')?.holds).toBeUndefined();
});

test('a static program without an allocator that is known', () => {
  expect(facts('plain-static')).toMatchObject({ dynamic: false, mallocSlots: [] });
  expect(facts('plain-static')?.holds).toBeUndefined();
});

describe('damaged files', () => {
  test('text is no image', () => {
    expect(parseImageFacts(bytesOf(Buffer.from('#!/bin/sh\n')))).toBeUndefined();
    expect(parseImageFacts(bytesOf(Buffer.alloc(0)))).toBeUndefined();
  });

  test.each(['program', 'libc.so.6', 'libjemalloc.so.2', 'private'])('%s cut short never throws', (name) => {
    const whole = content(name);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: whole.length }),
        (length) => void parseImageFacts(bytesOf(whole.subarray(0, length))),
      ),
    );
  });

  test.each(['program', 'libc.so.6', 'libjemalloc.so.2', 'private'])(
    '%s with any byte changed never throws',
    (name) => {
      const whole = content(name);
      fc.assert(
        fc.property(fc.integer({ min: 0, max: whole.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, byte) => {
          const damaged = Buffer.from(whole);
          damaged[at] = byte;
          parseImageFacts(bytesOf(damaged));
        }),
        { numRuns: 400 },
      );
    },
  );
});
