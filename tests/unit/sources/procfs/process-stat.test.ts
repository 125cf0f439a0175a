import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseProcessStat } from '../../../../src/sources/procfs/process-stat.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/procfs/linux-6.18');
const golden = (name: string) => readFileSync(join(GOLDEN, name), 'utf8');

test('reads a process', () => {
  expect(parseProcessStat(golden('sleep-jemalloc.stat'))).toEqual({
    pid: 6660,
    commandName: 'sleep',
    state: 'S',
    parentPid: 6658,
    kernelThread: false,
    startTicks: 348590,
  });
});

test('knows a thread of the kernel by its flags', () => {
  expect(parseProcessStat(golden('kthreadd.stat'))).toMatchObject({
    pid: 2,
    commandName: 'kthreadd',
    kernelThread: true,
  });
});

test('any name may stand in the parentheses', () => {
  const [head = '', tail = ''] = golden('sleep-jemalloc.stat').split('(sleep)');
  fc.assert(
    fc.property(fc.string(), (name) => {
      expect(parseProcessStat(`${head}(${name})${tail}`)).toMatchObject({
        pid: 6660,
        commandName: name,
        startTicks: 348590,
      });
    }),
  );
});

test('never throws, whatever the text', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseProcessStat(text)));
  expect(parseProcessStat('')).toBeUndefined();
  expect(parseProcessStat('1 (x) S 0')).toBeUndefined();
});
