import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMemoryStall } from '../../../../src/sources/procfs/memory-stall.js';

const GOLDEN = join(import.meta.dirname, '../../../golden/cgroup/linux-6.1');

test('a group that memory.high slows down', () => {
  const stall = parseMemoryStall(readFileSync(join(GOLDEN, 'v2-throttled/memory.pressure'), 'utf8'));
  expect(stall?.some?.avg10).toBeGreaterThan(20);
  expect(stall?.full?.avg10).toBeLessThanOrEqual(stall!.some!.avg10);
  expect(stall?.some?.totalMicroseconds).toBeGreaterThan(1e6);
});

test('without the line full, as kernels before 5.13 write some of them', () => {
  expect(parseMemoryStall('some avg10=1.50 avg60=0.20 avg300=0.00 total=77\n')).toEqual({
    some: { avg10: 1.5, avg60: 0.2, avg300: 0, totalMicroseconds: 77 },
    full: undefined,
  });
});

test('any other text is no stall', () => {
  expect(parseMemoryStall('')).toBeUndefined();
  fc.assert(
    fc.property(fc.string(), (text) => {
      const stall = parseMemoryStall(text);
      if (stall) expect(stall.some ?? stall.full).toBeDefined();
    }),
  );
});

test('gives back what was written', () => {
  const share = fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100);
  fc.assert(
    fc.property(fc.tuple(share, share, share, fc.maxSafeNat()), ([avg10, avg60, avg300, totalMicroseconds]) => {
      const text = `full avg10=${avg10.toFixed(2)} avg60=${avg60.toFixed(2)} avg300=${avg300.toFixed(2)} total=${totalMicroseconds}\n`;
      expect(parseMemoryStall(text)).toEqual({
        some: undefined,
        full: { avg10, avg60, avg300, totalMicroseconds },
      });
    }),
  );
});
