import fc from 'fast-check';
import { expect, test } from 'vitest';
import { analyseResidentBreakdown } from '../../../src/analyses/resident-breakdown.js';
import type { MainCounter } from '../../../src/model/main-counters.js';
import type { MappingMemory } from '../../../src/model/mapping-memory.js';
import type { NodeFacts } from '../../../src/model/node-facts.js';
import type { InsideFacts, ResidentBreakdown } from '../../../src/model/resident-breakdown.js';
import { FLAGS, mapping, NOBODY_INSIDE, residentFacts } from '../../support/mappings.js';
import { sampledFigures } from '../../support/samples.js';

const MIB = 2 ** 20;
const HIGH = 0x7f00_0000_0000;

function figures(values: Partial<Record<MainCounter, number>>): InsideFacts['jemalloc'] {
  return sampledFigures(values);
}

const isolate = (over: object) => ({
  threadId: 0,
  atMs: 0,
  heapTotalBytes: 0,
  heapUsedBytes: 0,
  heapPhysicalBytes: 0,
  externalBytes: 0,
  arrayBuffersBytes: 0,
  heapLimitBytes: 0,
  spaces: [],
  ...over,
});
const nodeFacts = (...isolates: object[]): NodeFacts => ({
  nodeVersion: 'v20.0.0',
  bufferPoolBytes: 8192,
  isolates: isolates.map(isolate),
});

const sizes = (breakdown: ResidentBreakdown) =>
  Object.fromEntries(breakdown.rows.map(({ part, bytes }) => [part, bytes / MIB]));

const jemallocMapping = (mebibytes: number, over: Partial<MappingMemory> = {}) =>
  mapping(HIGH, mebibytes * MIB, { flags: new Set(FLAGS.jemalloc), ...over });

test("jemalloc's books divide what its mappings hold; what they count too much is taken off", () => {
  const facts = residentFacts([jemallocMapping(100)]);
  const inside: InsideFacts = {
    ...NOBODY_INSIDE,
    jemalloc: figures({
      allocatedBytes: 60 * MIB,
      activeBytes: 80 * MIB,
      dirtyPages: 25 * 256,
      muzzyPages: 0,
      pageBytes: 4096,
      metadataBytes: 5 * MIB,
    }),
    node: nodeFacts({ arrayBuffersBytes: 20 * MIB }, { threadId: 1, arrayBuffersBytes: 10 * MIB }),
  };
  const breakdown = analyseResidentBreakdown(facts, inside);
  // Of 5 MiB of metadata up to 2 MiB are a page index of which 200 KiB are touched.
  expect(sizes(breakdown)).toMatchObject({
    'array-buffers': 30,
    'jemalloc-live': 30,
    'jemalloc-pinned': 20,
    'jemalloc-dirty': 25,
    rest: 0,
  });
  expect(sizes(breakdown)['jemalloc-metadata']).toBeCloseTo(5 - 2 + 50 / 256, 5);
  expect(breakdown.untouchedBytes / MIB).toBeCloseTo(110 - 100 - 2 + 50 / 256, 5);
  expect(breakdown.unexplainedBytes).toBe(0);
});

test('what its mappings hold and its books do not is not explained', () => {
  const inside = {
    ...NOBODY_INSIDE,
    jemalloc: figures({
      allocatedBytes: 60 * MIB,
      activeBytes: 60 * MIB,
      dirtyPages: 0,
      pageBytes: 4096,
      metadataBytes: 0,
    }),
  };
  const breakdown = analyseResidentBreakdown(residentFacts([jemallocMapping(100)]), inside);
  expect(sizes(breakdown)['jemalloc-difference']).toBe(40);
  expect(breakdown.unexplainedBytes).toBe(40 * MIB);
});

test('without an agent jemalloc is one row', () => {
  const { rows } = analyseResidentBreakdown(residentFacts([jemallocMapping(100)]), NOBODY_INSIDE);
  expect(rows[0]).toMatchObject({ part: 'jemalloc', bytes: 100 * MIB, detail: 'no agent inside: not split' });
});

test("V8's spaces over all isolates, and what is in none", () => {
  const heap = mapping(0x12516380000, 50 * MIB, { flags: new Set(FLAGS.v8) });
  const space = (name: string, mebibytes: number) => ({
    name,
    sizeBytes: mebibytes * MIB,
    usedBytes: 0,
    physicalBytes: mebibytes * MIB,
  });
  const node = nodeFacts(
    { spaces: [space('old_space', 20), space('code_space', 3)] },
    { threadId: 1, spaces: [space('old_space', 10), space('new_space', 8)] },
  );
  const { rows } = analyseResidentBreakdown(residentFacts([heap], { holdsV8: true }), { ...NOBODY_INSIDE, node });
  expect(rows[0]?.parts?.map(({ label, bytes }) => [label, bytes / MIB])).toEqual([
    ['old_space', 30],
    ['new_space', 8],
    [expect.stringContaining('in no space'), 12],
  ]);
});

test('glibc: ArrayBuffers are taken out of what it holds, the rest stays divided by where it lies', () => {
  const facts = residentFacts([mapping(0x1000_0000, 30 * MIB, { path: '[heap]' })]);
  const system = { ...facts, allocator: { ...facts.allocator, allocator: 'system' } } as typeof facts;
  const node = nodeFacts({ arrayBuffersBytes: 10 * MIB });
  expect(sizes(analyseResidentBreakdown(system, { ...NOBODY_INSIDE, node }))).toMatchObject({
    'array-buffers': 10,
    malloc: 20,
  });
});

test('a file by what it is in memory, with its own copies', () => {
  const file = { path: '/lib/x.so', inode: 1, anonymousBytes: 0 };
  const facts = residentFacts([
    mapping(HIGH, 3 * MIB, { ...file, permissions: 'r-xp' }),
    mapping(HIGH + 8 * MIB, 2 * MIB, { ...file, anonymousBytes: 2 * MIB }),
    mapping(HIGH + 10 * MIB, MIB),
  ]);
  expect(analyseResidentBreakdown(facts, NOBODY_INSIDE).rows[0]).toMatchObject({
    label: '/lib/x.so',
    bytes: 6 * MIB,
    parts: [
      { label: 'text', bytes: 3 * MIB },
      { label: 'own copies', bytes: 2 * MIB },
      { label: 'uninitialised data', bytes: MIB },
    ],
  });
});

test('old words of JavaScript are said to be old', () => {
  const node = nodeFacts({});
  const notes = (nodeAgeMs: number) =>
    analyseResidentBreakdown(residentFacts([jemallocMapping(1)]), { ...NOBODY_INSIDE, node, nodeAgeMs }).notes;
  expect(notes(900)).toEqual([]);
  expect(notes(11_000)[0]).toContain('11.0 s old');
});

const anyMapping = fc
  .record({
    at: fc.nat(1000),
    pages: fc.integer({ min: 1, max: 5000 }),
    flags: fc.constantFrom('v8', 'jemalloc', 'stack', 'plain'),
    permissions: fc.constantFrom('rw-p', 'r-xp', 'rwxp', '---p', 'rw-s'),
    path: fc.constantFrom(undefined, '[heap]', '/lib/x.so', '/dev/shm/y', '[vdso]', '[anon:z]'),
  })
  .map(({ at, pages, flags, permissions, path }) =>
    mapping(at * 0x2000_0000 + (at % 2) * HIGH, pages * 4096, {
      flags: new Set(FLAGS[flags as keyof typeof FLAGS]),
      permissions,
      path,
      inode: path?.startsWith('/') ? 1 : 0,
    }),
  );

test('rows add up to RSS, and the parts of a row to the row, whatever is there', () => {
  fc.assert(
    fc.property(
      fc.array(anyMapping, { maxLength: 40 }),
      fc.integer({ min: -1e6, max: 1e6 }),
      fc.option(fc.tuple(fc.nat(1e9), fc.nat(1e9), fc.nat(1e5), fc.nat(1e7), fc.nat(1e8))),
      fc.boolean(),
      (mappings, beside, books, holdsV8) => {
        const plain = residentFacts(mappings, { holdsV8 });
        const facts = { ...plain, residentAfterBytes: Math.max(4096, plain.residentAfterBytes + beside) };
        const [allocatedBytes = 0, unused = 0, dirtyPages = 0, metadataBytes = 0, arrayBuffersBytes = 0] = books ?? [];
        const inside: InsideFacts = books
          ? {
              ...NOBODY_INSIDE,
              jemalloc: figures({
                allocatedBytes,
                activeBytes: allocatedBytes + unused,
                dirtyPages,
                pageBytes: 4096,
                metadataBytes,
                largeAllocations: 100,
                largeDeallocations: 10,
              }),
              node: nodeFacts({ arrayBuffersBytes }),
              largePadding: true,
            }
          : NOBODY_INSIDE;
        const { rows, residentBytes } = analyseResidentBreakdown(facts, inside);
        expect(residentBytes).toBe(facts.residentAfterBytes);
        expect(rows.reduce((total, { bytes }) => total + bytes, 0)).toBeCloseTo(residentBytes, 3);
        for (const { bytes, parts } of rows)
          if (parts) expect(parts.reduce((total, part) => total + part.bytes, 0)).toBeCloseTo(bytes, 3);
      },
    ),
  );
});
