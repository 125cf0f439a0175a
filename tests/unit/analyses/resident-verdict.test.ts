import { describe, expect, test } from 'vitest';
import { analyseResidentVerdict } from '../../../src/analyses/resident-verdict.js';
import type { MainCounter } from '../../../src/model/main-counters.js';
import type {
  InsideFacts,
  ResidentBreakdown,
  ResidentFacts,
  ResidentPart,
} from '../../../src/model/resident-breakdown.js';
import { NOBODY_INSIDE, residentFacts } from '../../support/mappings.js';
import { sampledFigures } from '../../support/samples.js';

const MIB = 2 ** 20;

function breakdown(parts: Partial<Record<ResidentPart, number>>): ResidentBreakdown {
  const rows = Object.entries(parts).map(([part, mebibytes]) => ({
    part: part as ResidentPart,
    label: part,
    bytes: mebibytes * MIB,
    source: 'kernel' as const,
  }));
  return {
    pid: 4711,
    atMs: 0,
    residentBytes: rows.reduce((total, { bytes }) => total + bytes, 0),
    driftBytes: 0,
    rows,
    unexplainedBytes: 0,
    untouchedBytes: 0,
    proportionalBytes: 0,
    swapBytes: 0,
    hugePageBytes: 0,
    hugetlbBytes: 0,
    notes: [],
  };
}

function inside(values: Partial<Record<MainCounter, number>>, over: Partial<InsideFacts> = {}): InsideFacts {
  return {
    ...NOBODY_INSIDE,
    jemalloc: sampledFigures(values),
    ...over,
  };
}

function verdicts(
  parts: Partial<Record<ResidentPart, number>>,
  words: InsideFacts = NOBODY_INSIDE,
  facts: Partial<ResidentFacts> = {},
) {
  return analyseResidentVerdict(breakdown(parts), residentFacts([], facts), words);
}
const kinds = (...args: Parameters<typeof verdicts>) => verdicts(...args).map(({ kind }) => kind);

const BOOKS = { allocatedBytes: 50 * MIB, activeBytes: 200 * MIB, pageBytes: 4096, dirtyPages: 256, muzzyPages: 0 };

test.each([
  [{ 'v8-heap': 80, file: 20 }, ['v8-heap']],
  [{ file: 80, 'v8-heap': 20 }, ['mapped-files']],
  [{ 'shared-memory': 80, file: 20 }, ['shared-memory']],
  [{ stack: 40, file: 30, 'v8-heap': 30 }, ['threads']],
  [{ jemalloc: 80, file: 20 }, ['native-live']],
  [{ 'v8-heap': 30, file: 30, anonymous: 40 }, ['nothing']],
] as const)('%j from outside: %j', (parts, expected) => {
  expect(kinds(parts)).toEqual(expected);
});

test('without an agent nobody says that memory is live: it is suspected, and how to know is said', () => {
  const [verdict] = verdicts({ jemalloc: 80, file: 20 });
  expect(verdict).toMatchObject({ certainty: 'suspected' });
  expect(verdict?.remedies.join()).toContain('jem run --agent');
});

test("waste comes before what is in use, and each says the next command with the process's pid", () => {
  const parts = { 'jemalloc-live': 100, 'jemalloc-pinned': 60, 'jemalloc-dirty': 50, file: 20 };
  expect(kinds(parts, inside(BOOKS))).toEqual(['fragmentation', 'undecayed', 'native-live']);
  for (const { remedies } of verdicts(parts, inside(BOOKS))) expect(remedies.join('\n')).toContain('4711');
});

test('the page added to each large block is no fragmentation', () => {
  const parts = { 'jemalloc-live': 100, 'jemalloc-pinned': 40, file: 20 };
  const padded = inside({ ...BOOKS, largeAllocations: 10_000, largeDeallocations: 0 }, { largePadding: true });
  expect(kinds(parts, inside(BOOKS))).toContain('fragmentation');
  expect(kinds(parts, padded)).not.toContain('fragmentation');
});

test.each([
  [-1, 0, 'they never go back by themselves'],
  [10_000, 0, 'a process at rest keeps them'],
  [5000, 4, '4 background threads'],
])('undecayed with decay %d and %d threads: %s', (newArenaDirtyDecayMs, backgroundThreads, words) => {
  const books = inside({ ...BOOKS, newArenaDirtyDecayMs, backgroundThreads });
  const [verdict] = verdicts({ 'jemalloc-dirty': 60, file: 20 }, books);
  expect(verdict?.kind).toBe('undecayed');
  expect(verdict?.evidence.join()).toContain(words);
});

test("glibc's heap: what is live it does not say", () => {
  const allocator = { ...residentFacts([]).allocator, allocator: 'system' } as ResidentFacts['allocator'];
  expect(verdicts({ malloc: 80, file: 20 }, NOBODY_INSIDE, { allocator })).toMatchObject([
    { kind: 'glibc', certainty: 'suspected' },
  ]);
});

describe('Buffer pools', () => {
  const isolate = {
    threadId: 0,
    atMs: 0,
    heapTotalBytes: 0,
    heapUsedBytes: 0,
    heapPhysicalBytes: 0,
    externalBytes: 0,
    arrayBuffersBytes: 100 * MIB,
    heapLimitBytes: 0,
    spaces: [],
  };
  const node = { nodeVersion: 'v24.0.0', bufferPoolBytes: 65536, isolates: [isolate] };
  const parts = { 'array-buffers': 100, file: 40 };
  const counted = (poolViewedBytes: number) => ({
    ...node,
    isolates: [
      {
        ...isolate,
        buffers: {
          atMs: 0,
          arrayBuffers: 1600,
          arrayBuffersBytes: 100 * MIB,
          viewedBytes: poolViewedBytes,
          pools: 1600,
          poolBytes: 100 * MIB,
          poolViewedBytes,
        },
      },
    ],
  });

  test('many living blocks of their size are a suspicion, and how to be sure is said', () => {
    const [use, verdict] = verdicts(parts, inside(BOOKS, { node, poolBlocks: { count: 1600, bytes: 100 * MIB } }));
    expect(use?.kind).toBe('native-live');
    expect(verdict).toMatchObject({ kind: 'buffer-pool', certainty: 'suspected' });
    expect(verdict?.remedies[0]).toContain('jem explain 4711 --deep');
  });

  test('blocks of that size which are no ArrayBuffers are none', () => {
    const few = { ...node, isolates: [{ ...isolate, arrayBuffersBytes: 10 * MIB }] };
    const words = inside(BOOKS, { node: few, poolBlocks: { count: 1600, bytes: 100 * MIB } });
    expect(kinds(parts, words)).not.toContain('buffer-pool');
  });

  test('Buffers of a little less than a pool are none: as pools they would be more than V8 counts', () => {
    const smaller = { ...node, isolates: [{ ...isolate, arrayBuffersBytes: 92 * MIB }] };
    const words = inside(BOOKS, { node: smaller, poolBlocks: { count: 1600, bytes: 100 * MIB } });
    expect(kinds(parts, words)).not.toContain('buffer-pool');
  });

  test('counted: pinned is proven, used as they should be is no finding', () => {
    const poolBlocks = { count: 1600, bytes: 100 * MIB };
    const [verdict] = verdicts(parts, inside(BOOKS, { node: counted(2 * MIB), poolBlocks }));
    expect(verdict).toMatchObject({ kind: 'buffer-pool', certainty: 'proven' });
    expect(verdict?.title).toContain('2.0 MiB of small Buffers hold 100.0 MiB');
    expect(kinds(parts, inside(BOOKS, { node: counted(90 * MIB), poolBlocks }))).not.toContain('buffer-pool');
  });
});
