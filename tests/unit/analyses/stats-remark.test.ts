import { expect, test } from 'vitest';
import { analyseSizeClassWaste } from '../../../src/analyses/size-class-waste.js';
import { type RemarkMaterial, remarkOn } from '../../../src/analyses/stats-remark.js';
import { parseStatsJson } from '../../../src/sources/agent/parse-stats-json.js';
import { figuresOf, sampleAt } from '../../support/samples.js';

const MIB = 2 ** 20;
const pages = (mebibytes: number) => mebibytes * 256;

function remark(
  residentMib: number,
  figures: Parameters<typeof figuresOf>[0],
  more: Partial<RemarkMaterial> = {},
  v8HeapMib?: number,
) {
  const v8 =
    v8HeapMib === undefined
      ? undefined
      : { isolates: 1, heapTotalBytes: v8HeapMib * MIB, heapUsedBytes: 0, externalBytes: 0, arrayBuffersBytes: 0 };
  return remarkOn({
    pid: 4711,
    sample: sampleAt(0, residentMib * MIB, { jemalloc: figuresOf(figures), v8 }),
    waste: undefined,
    backgroundThread: undefined,
    bytes: (bytes) => `${bytes / MIB} MiB`,
    ...more,
  });
}

test('nothing to say where little is unused', () => {
  const quiet = { allocatedBytes: 90 * MIB, activeBytes: 95 * MIB, residentBytes: 100 * MIB };
  expect(remark(110, quiet)).toMatchObject({ id: 'nothing', next: 'jem explain 4711' });
});

test('unused pages, and that nothing gives them back while the program is idle', () => {
  const figures = { allocatedBytes: 40 * MIB, activeBytes: 41 * MIB, residentBytes: 100 * MIB, dirtyPages: pages(55) };
  const found = remark(110, figures, { backgroundThread: false });
  expect(found).toMatchObject({ id: 'undecayed', next: 'jem purge 4711' });
  expect(found?.text).toMatch(/^55 MiB are unused pages .* while the program is idle\.$/);
  expect(remark(110, figures, { backgroundThread: true })?.text).not.toMatch(/idle/);
});

test('fragmentation, with the worst size class', () => {
  const document = {
    jemalloc: {
      arenas: { page: 4096, bin: [{ size: 320, nregs: 64, slab_size: 20480 }] },
      'stats.arenas': { merged: { bins: [{ curregs: 1000, curslabs: 3000 }] } },
    },
  };
  const waste = analyseSizeClassWaste(parseStatsJson(JSON.stringify(document)).merged?.bins ?? []);
  const figures = { allocatedBytes: 10 * MIB, activeBytes: 74 * MIB, residentBytes: 80 * MIB };
  const found = remark(90, figures, { waste, bytes: (bytes) => `${Math.round(bytes)} B` });
  expect(found).toMatchObject({ id: 'fragmentation', next: 'jem stats 4711 --bins' });
  expect(found?.text).toBe(
    `${64 * MIB} B (86 % of the pages in use) hold nothing: fragmentation; ${(192_000 - 1000) * 320} B of it between blocks of 320 B.`,
  );
});

test('the largest of several is the one that is said', () => {
  const figures = { allocatedBytes: 20 * MIB, activeBytes: 60 * MIB, residentBytes: 150 * MIB, dirtyPages: pages(80) };
  expect(remark(160, figures)?.id).toBe('undecayed');
  expect(remark(160, { ...figures, dirtyPages: pages(30) })?.id).toBe('fragmentation');
});

test('memory that is not jemalloc’s at all', () => {
  const small = { allocatedBytes: 5 * MIB, activeBytes: 6 * MIB, residentBytes: 10 * MIB };
  expect(remark(400, small)).toMatchObject({ id: 'elsewhere', next: 'jem explain 4711' });
  expect(remark(400, small, {}, 350)?.id).toBe('v8');
});

test('a small process has no large problem', () => {
  expect(remark(12, { allocatedBytes: MIB, activeBytes: 8 * MIB, residentBytes: 9 * MIB })?.id).toBe('nothing');
});

test('without jemalloc there is nothing to remark on', () => {
  const sample = sampleAt(0, 100 * MIB);
  expect(remarkOn({ pid: 1, sample, waste: undefined, backgroundThread: undefined, bytes: String })).toBeUndefined();
});
