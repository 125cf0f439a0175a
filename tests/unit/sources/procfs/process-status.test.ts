import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseProcessStatus } from '../../../../src/sources/procfs/process-status.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/procfs/linux-6.18');

test('reads a process', () => {
  expect(parseProcessStatus(readFileSync(join(GOLDEN, 'sleep-jemalloc.status'), 'utf8'))).toEqual({
    realUid: 0,
    effectiveUid: 0,
    residentBytes: 4016 * 1024,
    threads: 1,
    noNewPrivileges: false,
  });
});

test('a process without memory has no RSS, which is not 0', () => {
  expect(parseProcessStatus('Name:\tkthreadd\nUid:\t0\t1\t2\t3\nThreads:\t1\n')).toEqual({
    realUid: 0,
    effectiveUid: 1,
    residentBytes: undefined,
    threads: 1,
    noNewPrivileges: undefined,
  });
});

test('a name that looks like a field is not one', () => {
  expect(parseProcessStatus('Name:\tUid: 7\nUid:\t5\t5\t5\t5\n').realUid).toBe(5);
});

test('never throws, whatever the text', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseProcessStatus(text)));
});
