import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { analyseSizeClassWaste } from '../../../src/analyses/size-class-waste.js';
import type { BinStats } from '../../../src/model/allocator-stats.js';
import { parseStatsJson } from '../../../src/sources/agent/parse-stats-json.js';
import { ROOT } from '../../support/programs.js';

const bin = (sizeBytes: number, regions: number | undefined, slabs: number | undefined): BinStats => ({
  sizeBytes,
  regionsPerSlab: 64,
  slabBytes: sizeBytes * 64,
  regions,
  slabs,
  nonfullSlabs: undefined,
  allocations: undefined,
  deallocations: undefined,
  requests: undefined,
  fills: undefined,
  flushes: undefined,
  mutex: undefined,
});

test('the free regions of slabs that are kept, the most wasteful class first', () => {
  const waste = analyseSizeClassWaste([bin(16, 128, 2), bin(320, 80, 10), bin(64, 32, 1), bin(128, 0, 0)]);
  expect(waste.classes.map(({ sizeBytes, wasteBytes }) => [sizeBytes, wasteBytes])).toEqual([
    [320, (640 - 80) * 320],
    [64, 32 * 64],
    [16, 0],
  ]);
  expect(waste.classes[0]).toMatchObject({ utilization: 0.125, usedBytes: 80 * 320 });
  expect(waste).toMatchObject({ wasteBytes: 560 * 320 + 32 * 64, usedBytes: 128 * 16 + 80 * 320 + 32 * 64 });
  expect(waste.usedBytes + waste.wasteBytes).toBe(waste.slabBytes);
});

test('counters that were read while they moved, or not at all, give no wrong figure', () => {
  const waste = analyseSizeClassWaste([bin(16, 70, 1), bin(32, undefined, 4), bin(48, 4, undefined)]);
  expect(waste.classes).toHaveLength(1);
  expect(waste.classes[0]).toMatchObject({ sizeBytes: 16, utilization: undefined, wasteBytes: 0 });
});

test('the waste of a real server is at most its unused active bytes', () => {
  const text = readFileSync(join(ROOT, 'tests/golden/jemalloc-stats/5.3.0/redis-server.json'), 'utf8');
  const { merged, totals } = parseStatsJson(text);
  const { wasteBytes, usedBytes } = analyseSizeClassWaste(merged?.bins ?? []);
  expect(usedBytes).toBe(merged?.small.allocatedBytes);
  expect(wasteBytes).toBeGreaterThan(0);
  expect(wasteBytes).toBeLessThanOrEqual((totals?.activeBytes ?? 0) - (totals?.allocatedBytes ?? 0));
});

test('the sums are those of the classes, and no waste is negative', () => {
  const bins = fc.array(
    fc
      .tuple(fc.nat(4096), fc.nat(10_000), fc.nat(200))
      .map(([size, regions, slabs]) => bin(8 * (1 + size), regions, slabs)),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(bins, (all) => {
      const { classes, wasteBytes } = analyseSizeClassWaste(all);
      expect(classes.reduce((sum, use) => sum + use.wasteBytes, 0)).toBe(wasteBytes);
      for (const [at, use] of classes.entries()) {
        expect(use.wasteBytes).toBeGreaterThanOrEqual(0);
        expect(use.wasteBytes).toBeLessThanOrEqual(classes[at - 1]?.wasteBytes ?? Infinity);
      }
    }),
  );
});
