import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseByteLimit,
  parseBytes,
  parseCounters,
  parseGroupMemory,
  parseGroupMemoryEvents,
  parseHierarchicalLimit,
} from '../../../../src/sources/cgroup/memory-files.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/cgroup/linux-6.1');
const golden = (name: string) => readFileSync(join(GOLDEN, name), 'utf8');

describe('a limit', () => {
  test.each([
    ['max\n', undefined],
    ['9223372036854771712\n', undefined],
    ['9223372036854710272\n', undefined],
    ['268435456\n', 268435456],
    ['0\n', 0],
    ['-1\n', undefined],
    ['', undefined],
    ['12 34', undefined],
  ])('%j', (text, expected) => expect(parseByteLimit(text)).toBe(expected));
});

test('version 2: a tmpfs file counts as file and as shared memory', () => {
  expect(parseGroupMemory(golden('v2-calm/pod7/web/memory.stat'), 2)).toEqual({
    anonymousBytes: 104968192,
    fileBytes: 10485760,
    sharedMemoryBytes: 10485760,
    kernelBytes: 32768 + 253952 + 37016,
  });
});

test('version 1: a group counts with its children', () => {
  const parent = parseGroupMemory(golden('v1-calm/docker/memory.stat'), 1);
  expect(parent).toEqual(parseGroupMemory(golden('v1-calm/docker/0a1b/worker/memory.stat'), 1));
  expect(parent).toMatchObject({ anonymousBytes: 104968192, sharedMemoryBytes: 10485760, kernelBytes: undefined });
  expect(parseHierarchicalLimit(golden('v1-calm/docker/0a1b/worker/memory.stat'))).toBe(201326592);
  expect(parseHierarchicalLimit(golden('v1-calm/memory.stat'))).toBeUndefined();
});

test('what happened at the limits', () => {
  expect(parseGroupMemoryEvents(golden('v2-killed/memory.events'))).toEqual({
    high: expect.any(Number),
    max: expect.any(Number),
    killed: 2,
  });
  expect(parseGroupMemoryEvents(golden('v1-killed/memory.oom_control'))).toEqual({
    high: undefined,
    max: undefined,
    killed: 1,
  });
});

test('an older kernel without a field: undefined, not 0', () => {
  expect(parseGroupMemory('cache 4096\nrss 8192\n', 1)).toEqual({
    anonymousBytes: 8192,
    fileBytes: 4096,
    sharedMemoryBytes: undefined,
    kernelBytes: undefined,
  });
  expect(parseGroupMemory('', 2)).toEqual({
    anonymousBytes: undefined,
    fileBytes: undefined,
    sharedMemoryBytes: undefined,
    kernelBytes: undefined,
  });
});

test('never throws; what is there is a whole number', () => {
  const line = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.constantFrom('anon', 'shmem', 'total_rss', 'slab_unreclaimable'), fc.maxSafeNat())
      .map((p) => p.join(' ')),
  );
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom(1 as const, 2 as const), (lines, version) => {
      const text = lines.join('\n');
      for (const value of [...parseCounters(text).values(), ...Object.values(parseGroupMemory(text, version))])
        if (value !== undefined) expect(value).toBeGreaterThanOrEqual(0);
      const limit = parseByteLimit(text) ?? parseBytes(text) ?? 0;
      expect(Number.isInteger(limit)).toBe(true);
    }),
  );
});

test('gives back the counters that were written', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), fc.maxSafeNat()), (counters) => {
      const text = Object.entries(counters).map(([name, value]) => `${name} ${value}\n`);
      expect(Object.fromEntries(parseCounters(text.join('')))).toEqual({ ...counters });
    }),
  );
});
