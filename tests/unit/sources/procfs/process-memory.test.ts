import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseMemoryStatus,
  parseProportionalBytes,
  readProcessMemory,
} from '../../../../src/sources/procfs/process-memory.js';
import { ROOT } from '../../../support/programs.js';

const STATUS = readFileSync(join(ROOT, 'tests/golden/procfs/linux-6.18/sleep-jemalloc.status'), 'utf8');

describe('memory in /proc/PID/status', () => {
  test('in bytes, and the parts add up', () => {
    const memory = parseMemoryStatus(STATUS);
    const kib = (label: string) => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(STATUS)?.[1]) * 1024;
    expect(memory).toEqual({
      residentBytes: kib('VmRSS'),
      peakResidentBytes: kib('VmHWM'),
      virtualBytes: kib('VmSize'),
      anonymousBytes: kib('RssAnon'),
      fileBytes: kib('RssFile'),
      sharedMemoryBytes: kib('RssShmem'),
      swapBytes: kib('VmSwap'),
      threads: Number(/^Threads:\s+(\d+)/m.exec(STATUS)?.[1]),
    });
    const { anonymousBytes = 0, fileBytes = 0, sharedMemoryBytes = 0, residentBytes } = memory ?? {};
    expect(anonymousBytes + fileBytes + sharedMemoryBytes).toBe(residentBytes);
  });

  test('none of a zombie or a thread of the kernel', () => {
    expect(parseMemoryStatus('Name:\tkthreadd\nState:\tS (sleeping)\nThreads:\t1\n')).toBeUndefined();
  });

  test('any text is taken without throwing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { residentBytes = 0 } = parseMemoryStatus(`VmRSS:\t${text}`) ?? {};
        expect(residentBytes).toBeGreaterThanOrEqual(0);
        parseProportionalBytes(text);
      }),
    );
  });
});

test('PSS', () => {
  expect(parseProportionalBytes('Rss:    900 kB\nPss:                 812 kB\nPss_Anon:  3 kB\n')).toBe(812 * 1024);
  expect(parseProportionalBytes('')).toBeUndefined();
});

test('of this process, and of none', () => {
  const memory = readProcessMemory('self', { proportional: true });
  expect(memory?.residentBytes).toBeGreaterThan(10 * 2 ** 20);
  expect(memory?.peakResidentBytes).toBeGreaterThanOrEqual(memory?.residentBytes ?? 0);
  expect(memory?.proportionalBytes).toBeLessThanOrEqual((memory?.peakResidentBytes ?? 0) * 1.05);
  expect(memory?.processorMs).toBeGreaterThan(0);
  expect(memory?.threads).toBeGreaterThan(1);
  expect(readProcessMemory('self')?.proportionalBytes).toBeUndefined();
  expect(readProcessMemory(0x7fffffff)).toBeUndefined();
});
