import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JemkitError } from '../../../../src/errors.js';
import type { ArenaStats } from '../../../../src/model/allocator-stats.js';
import { parseStatsJson } from '../../../../src/sources/agent/parse-stats-json.js';
import { ROOT } from '../../../support/programs.js';

const golden = (name: string) => readFileSync(join(ROOT, 'tests', 'golden', 'jemalloc-stats', name), 'utf8');
const VERSIONS = ['5.1.0', '5.2.1', '5.3.0', '5.3.1'] as const;

/** The numbers of a table's line in jemalloc's text, by the first word. */
function textRow(text: string, section: string, name: string): number[] {
  const from = text.indexOf(section);
  const line = text
    .slice(from)
    .split('\n')
    .find((candidate) => candidate.trimStart().startsWith(`${name} `));
  return (line ?? '').trim().split(/\s+/).slice(1).map(Number);
}

/** The lines of the table of extents: size, index, dirty, muzzy, retained, each as count and bytes. */
function textExtents(text: string): number[][] {
  const lines = text.slice(text.indexOf('\nextents:')).split('\n').slice(2);
  const end = lines.findIndex((line) => !/^\s+(\d|---)/.test(line));
  return lines
    .slice(0, end)
    .filter((line) => /\d/.test(line))
    .map((line) => line.trim().split(/\s+/).map(Number));
}

describe.each(VERSIONS)('jemalloc %s', (version) => {
  const stats = parseStatsJson(golden(`${version}/threads.json`));
  const text = golden(`${version}/threads.txt`);

  test('version, options and size classes', () => {
    expect(stats.version).toMatch(new RegExp(`^${version.replaceAll('.', '\\.')}-0-g`));
    expect(stats.pageBytes).toBe(4096);
    expect(stats.config.get('prof')).toBe(true);
    expect(stats.options.get('narenas')).toBe(2);
    expect(stats.newArenas).toEqual({ dirtyDecayMs: 200, muzzyDecayMs: 100 });
    expect(stats.merged?.bins).toHaveLength(36);
    expect(stats.merged?.bins?.[0]).toMatchObject({ sizeBytes: 8, regionsPerSlab: 512, slabBytes: 4096 });
    expect(stats.merged?.largeExtents?.[0]?.sizeBytes).toBe(16384);
  });

  test('the arenas add up to their sum, and the sum to the totals', () => {
    expect(stats.arenas.map(({ index }) => index)).toEqual([0, 1]);
    const merged = stats.merged as ArenaStats;
    const sum = (pick: (arena: ArenaStats) => number | undefined) =>
      stats.arenas.reduce((total, arena) => total + (pick(arena) ?? Number.NaN), 0);
    expect(sum((arena) => arena.activeBytes)).toBe(merged.activeBytes);
    expect(sum((arena) => arena.small.allocatedBytes)).toBe(merged.small.allocatedBytes);
    expect(sum((arena) => arena.dirtyPurges.bytes)).toBe(merged.dirtyPurges.bytes);
    expect(sum((arena) => arena.bins?.[5]?.regions)).toBe(merged.bins?.[5]?.regions);
    expect((merged.small.allocatedBytes ?? 0) + (merged.large.allocatedBytes ?? 0)).toBe(stats.totals?.allocatedBytes);
    expect(merged.activeBytes).toBe(stats.totals?.activeBytes);
    const regions = merged.bins?.reduce((total, bin) => total + (bin.regions ?? 0) * bin.sizeBytes, 0);
    expect(regions).toBe(merged.small.allocatedBytes);
    const large = merged.largeExtents?.reduce((total, row) => total + (row.extents ?? 0) * row.sizeBytes, 0);
    // From 5.3.1 on a large allocation is rounded up to pages only: its class is the next above.
    if (stats.options.get('disable_large_size_classes') === true) {
      expect(large).toBeGreaterThanOrEqual(merged.large.allocatedBytes ?? Number.NaN);
    } else expect(large).toBe(merged.large.allocatedBytes);
  });

  test('the counters of locks are those of the text, which has them under the right names', () => {
    const find = (name: string) => stats.merged?.mutexes?.find((mutex) => mutex.name === name);
    const rows = version === '5.1.0' ? 1 : 2;
    for (const name of ['extents_dirty', 'decay_dirty', 'tcache_list']) {
      const columns = textRow(text, 'n_lock_ops', name);
      const [waits, spins] = [columns[rows], columns[2 * rows]];
      const mutex = find(name);
      expect(mutex?.spinAcquisitions, name).toBe(spins);
      expect(mutex?.waits, name).toBe(waits);
      expect(mutex?.maxWaitingThreads, name).toBe(columns.at(-1));
      // The printing of the JSON itself has locked a few times.
      expect(Math.abs((mutex?.operations ?? Number.NaN) - (columns[0] ?? Number.NaN)), name).toBeLessThan(20);
    }
    const slept = find('extents_dirty');
    const timesInJson = version === '5.1.0' || version === '5.3.1';
    expect(slept?.totalWaitNs).toBe(timesInJson ? textRow(text, 'n_lock_ops', 'extents_dirty')[4 * rows] : undefined);
    expect(stats.mutexes.map(({ name }) => name)).toEqual(expect.arrayContaining(['background_thread', 'ctl', 'prof']));
  });

  test('unused extents have the sizes of the text', () => {
    const rows = stats.merged?.extents;
    if (version === '5.1.0') {
      expect(rows).toBeUndefined();
      return;
    }
    const expected = textExtents(text);
    expect(expected.length).toBeGreaterThan(1);
    for (const [size, index, dirty, dirtyBytes, muzzy, muzzyBytes, retained, retainedBytes] of expected) {
      expect(rows?.[index as number]).toEqual({
        sizeBytes: size,
        dirty: { extents: dirty, bytes: dirtyBytes },
        muzzy: { extents: muzzy, bytes: muzzyBytes },
        retained: { extents: retained, bytes: retainedBytes },
      });
    }
  });

  test('what the release does not have is undefined', () => {
    expect(stats.merged?.bins?.[0]?.nonfullSlabs === undefined).toBe(version === '5.1.0');
    expect(stats.merged?.hugePages === undefined).toBe(version < '5.3.0');
    expect(stats.arenas[0]?.name).toBe(version === '5.3.1' ? 'auto_0' : undefined);
  });
});

test('without the single arenas there is only their sum', () => {
  const stats = parseStatsJson(golden('5.3.0/redis-server.json'));
  expect(stats.arenas).toEqual([]);
  expect(stats.merged?.bins?.some(({ regions }) => (regions ?? 0) > 1000)).toBe(true);
  expect(stats.backgroundThread?.threads).toBeGreaterThan(0);
});

test('without bins, extents and locks these are undefined', () => {
  const stats = parseStatsJson(golden('5.3.0/node-arenas.json'));
  expect(stats.arenas.length).toBeGreaterThan(1);
  expect(stats.merged).toMatchObject({
    bins: undefined,
    largeExtents: undefined,
    extents: undefined,
    mutexes: undefined,
  });
  expect(stats.merged?.dirtyBytes).toBeGreaterThan(0);
});

test('a single arena stands for the sum, which jemalloc does not print then', () => {
  const document = JSON.parse(golden('5.3.0/threads.json')) as {
    jemalloc: { 'stats.arenas': Record<string, unknown> };
  };
  const arenas = document.jemalloc['stats.arenas'];
  delete arenas['merged'];
  delete arenas['1'];
  const stats = parseStatsJson(JSON.stringify(document));
  expect(stats.merged).toBe(stats.arenas[0]);
});

test('a build without statistics has settings and sizes only', () => {
  const stats = parseStatsJson(golden('5.3.1/no-stats.json'));
  expect(stats.config.get('stats')).toBe(false);
  expect(stats).toMatchObject({ totals: undefined, merged: undefined, arenas: [], mutexes: [] });
});

test('quotes and backslashes in a setting, which jemalloc does not escape', () => {
  const { options } = parseStatsJson(golden('5.3.1/unescaped.json'));
  expect(options.get('prof_prefix')).toBe('/tmp/a"b\\c');
  expect(options.get('env_var')).toBe('stats_print:true,stats_print_opts:Jmdablxeh,prof_prefix:/tmp/a"b\\c');
});

describe('malformed texts', () => {
  const problem = (text: string) => {
    try {
      parseStatsJson(text);
    } catch (error) {
      expect(error).toBeInstanceOf(JemkitError);
      expect((error as JemkitError).code).toBe('ERR_JEM_STATS_FORMAT');
      return (error as JemkitError).message;
    }
    throw new Error('it was accepted');
  };

  test.each([
    ['', /it wrote nothing/],
    ['___ Begin jemalloc statistics ___', /no JSON: .*Begin/],
    ['{}', /jemalloc is undefined, expected an object/],
    ['[]', /the whole is \[\], expected an object/],
    ['{"jemalloc":{"stats":{"allocated":"12"}}}', /jemalloc\.stats\.allocated is "12", expected a whole number/],
    ['{"jemalloc":{"stats":{"allocated":1.5}}}', /jemalloc\.stats\.allocated is 1\.5/],
    ['{"jemalloc":{"stats":{"allocated":-1}}}', /expected a number from 0 on/],
    ['{"jemalloc":{"stats.arenas":{"merged":{"bins":{}}}}}', /merged\.bins is \{\}, expected a list/],
    ['{"jemalloc":{"arenas":{"bin":[{"size":8}]}}}', /arenas\.bin\[0\] has no nregs/],
    ['{"jemalloc":{"arenas":{"bin":[]},"stats.arenas":{"0":{"bins":[{}]}}}}', /0\.bins has more rows than there are/],
  ])('%j', (text, expected) => {
    expect(problem(text)).toMatch(expected);
  });

  test('one that was cut short, wherever', () => {
    const whole = golden('5.3.1/threads.json').trimEnd();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(problem(whole.slice(0, length))).toContain("jemalloc's statistics cannot be read");
      }),
      { numRuns: 50 },
    );
  });

  test('anything else is read or refused by name, never otherwise', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.jsonValue().map((value) => JSON.stringify({ jemalloc: value })),
        ),
        (text) => {
          try {
            parseStatsJson(text);
          } catch (error) {
            expect((error as JemkitError).code).toBe('ERR_JEM_STATS_FORMAT');
          }
        },
      ),
    );
  });
});

test('a count above what a number holds is unknown: jemalloc read it while it fell below 0', () => {
  const { totals } = parseStatsJson('{"jemalloc":{"stats":{"allocated":18446744073709551615,"active":4096}}}');
  expect(totals).toMatchObject({ allocatedBytes: undefined, activeBytes: 4096 });
});

test('any part may be missing', () => {
  const whole = JSON.parse(golden('5.2.1/threads.json')) as Record<string, unknown>;
  const paths: string[][] = [];
  const walk = (value: unknown, path: string[]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    for (const key of Object.keys(value)) {
      paths.push([...path, key]);
      walk((value as Record<string, unknown>)[key], [...path, key]);
    }
  };
  walk(whole['jemalloc'], ['jemalloc']);
  fc.assert(
    fc.property(fc.subarray(paths, { maxLength: 20 }), (removed) => {
      const copy = structuredClone(whole);
      for (const path of removed) {
        const parent = path
          .slice(0, -1)
          .reduce<Record<string, unknown> | undefined>(
            (node, key) => node?.[key] as Record<string, unknown> | undefined,
            copy,
          );
        if (parent) delete parent[path.at(-1) as string];
      }
      expect(() => parseStatsJson(JSON.stringify(copy))).not.toThrow();
    }),
    { numRuns: 50 },
  );
});
