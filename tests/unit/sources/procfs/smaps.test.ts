import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSmaps, readSmaps } from '../../../../src/sources/procfs/smaps.js';

const TEXT = `7fef4b800000-7fef4d600000 rw-p 00000000 00:00 0 
Size:              30720 kB
KernelPageSize:        4 kB
MMUPageSize:           4 kB
Rss:               27756 kB
Pss:               27000 kB
Pss_Dirty:         27000 kB
Shared_Clean:         10 kB
Shared_Dirty:          6 kB
Private_Clean:       100 kB
Private_Dirty:     27640 kB
Referenced:        27000 kB
Anonymous:         27756 kB
KSM:                   0 kB
LazyFree:             64 kB
AnonHugePages:      2048 kB
ShmemPmdMapped:        0 kB
FilePmdMapped:         0 kB
Shared_Hugetlb:        0 kB
Private_Hugetlb:    2048 kB
Swap:                 12 kB
SwapPss:              12 kB
Locked:                0 kB
THPeligible:           0
VmFlags: rd wr mr mw me nr 
7fef5a000000-7fef5a001000 r--p 00000000 fd:01 12                         /srv/Rss: 5 kB (deleted)
Rss:                   4 kB
`;

test('every figure of a mapping, in bytes', () => {
  const [anonymous, file, ...others] = parseSmaps(TEXT);
  expect(others).toEqual([]);
  expect(anonymous).toMatchObject({
    start: 0x7fef4b800000,
    permissions: 'rw-p',
    path: undefined,
    residentBytes: 27756 * 1024,
    proportionalBytes: 27000 * 1024,
    anonymousBytes: 27756 * 1024,
    privateBytes: 27740 * 1024,
    sharedBytes: 16 * 1024,
    referencedBytes: 27000 * 1024,
    swapBytes: 12 * 1024,
    lazyFreeBytes: 64 * 1024,
    hugePageBytes: 2048 * 1024,
    hugetlbBytes: 2048 * 1024,
    flags: new Set(['rd', 'wr', 'mr', 'mw', 'me', 'nr']),
  });
  expect(file).toMatchObject({ path: '/srv/Rss: 5 kB', deleted: true, residentBytes: 4096, flags: undefined });
});

test('a mapping without figures is left out, whatever stands around it', () => {
  expect(parseSmaps('7f00-7f01 rw-p 00000000 00:00 0 \nSize: 4 kB\n')).toEqual([]);
});

test('any text never throws', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.nat(TEXT.length),
      (text, at) => void parseSmaps(TEXT.slice(0, at) + text + TEXT.slice(at)),
    ),
  );
});

test('the kernel at hand: what is resident adds up to what it says itself', () => {
  const mappings = readSmaps('self');
  const sum = mappings.reduce((total, { residentBytes }) => total + residentBytes, 0);
  const rollup = Number(/^Rss: +(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))?.[1]) * 1024;
  expect(Math.abs(sum - rollup)).toBeLessThan(rollup * 0.1);
  expect(mappings.some(({ flags }) => flags?.has('rd'))).toBe(true);
  expect(() => readSmaps(2 ** 30)).toThrow(/ENOENT/);
});
