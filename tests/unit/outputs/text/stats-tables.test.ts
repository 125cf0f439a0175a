import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyseExtentSizes } from '../../../../src/analyses/extent-sizes.js';
import { analyseMutexContention } from '../../../../src/analyses/mutex-contention.js';
import { analyseSizeClassWaste } from '../../../../src/analyses/size-class-waste.js';
import type { ArenaStats } from '../../../../src/model/allocator-stats.js';
import {
  renderArenaTable,
  renderBinTable,
  renderExtentTables,
  renderMutexTable,
} from '../../../../src/outputs/text/stats-tables.js';
import { parseStatsJson } from '../../../../src/sources/agent/parse-stats-json.js';
import { ROOT } from '../../../support/programs.js';

const style = { width: undefined, paint: (_: string, text: string) => text };
const golden = (name: string) =>
  parseStatsJson(readFileSync(join(ROOT, 'tests', 'golden', 'jemalloc-stats', name), 'utf8'));
const squeeze = (text: string) => text.split('\n').map((line) => line.trim().replace(/ +/g, ' '));

describe('arenas', () => {
  test('a line each and their sum, without decay times, which each has of its own', () => {
    const stats = golden('5.3.0/threads.json');
    const [head, ...rows] = squeeze(renderArenaTable(stats.arenas, stats, style));
    expect(head).toMatch(/^ARENA THREADS ALLOCATED ACTIVE DIRTY MUZZY RETAINED TCACHE PURGES/);
    expect(rows.map((row) => row.split(' ')[0])).toEqual(['0', '1', 'all']);
    expect(rows[0]).toMatch(/200 ms 100 ms$/);
    expect(rows[2]).not.toMatch(/ms$/);
  });

  test('a single one needs no sum; a name that the program gave is shown', () => {
    const stats = golden('5.3.1/threads.json');
    const named = { ...stats.arenas[1]!, name: 'cache\u001b[2J' };
    const lines = squeeze(renderArenaTable([named], { merged: named, destroyed: undefined }, style));
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/^1 cache\?\[2J /);
    expect(renderArenaTable(stats.arenas, stats, style)).not.toContain('auto_');
  });
});

describe('bins', () => {
  test('the most wasteful first, and the sum', () => {
    const waste = analyseSizeClassWaste(golden('5.3.0/redis-server.json').merged?.bins ?? []);
    const lines = squeeze(renderBinTable(waste, style));
    expect(lines).toHaveLength(waste.classes.length + 2);
    expect(lines.at(-1)).toMatch(/^all [\d.]+ KiB [\d.]+ % [\d.]+ MiB$/);
  });

  test('of nothing there is a head and an empty sum', () => {
    expect(squeeze(renderBinTable(analyseSizeClassWaste([]), style)).at(-1)).toBe('all 0 B - 0 B');
  });

  test('a release without nonfull slabs has a dash', () => {
    const waste = analyseSizeClassWaste(golden('5.1.0/threads.json').merged?.bins ?? []);
    expect(squeeze(renderBinTable(waste, style))[1]?.split(' ')).toContain('-');
  });
});

describe('extents', () => {
  test('unused ones, and large allocations', () => {
    const text = renderExtentTables(analyseExtentSizes(golden('5.3.0/redis-server.json').merged as ArenaStats), style);
    expect(text).toMatch(/^Unused extents\n *SIZE CLASS +DIRTY +BYTES/);
    expect(text).toMatch(/\n\nLarge allocations\n *SIZE UP TO +HELD +BYTES AT MOST\n/);
  });

  test('a release that does not tell says so', () => {
    const text = renderExtentTables(analyseExtentSizes(golden('5.1.0/threads.json').merged as ArenaStats), style);
    expect(text).toMatch(/^Unused extents by size: not told by this jemalloc/);
  });

  test('none held', () => {
    expect(renderExtentTables(analyseExtentSizes({ extents: [], largeExtents: [] }), style)).toMatch(
      /Large allocations: none$/,
    );
  });
});

test('mutexes: times in milliseconds, a dash where the release does not tell', () => {
  const lines = squeeze(renderMutexTable(analyseMutexContention(golden('5.1.0/threads.json')), style));
  expect(lines[0]).toMatch(/^MUTEX OF WAITED LONGEST WAITS OF OPS OPERATIONS/);
  expect(lines[1]).toMatch(/^\S+( \d+)? (all arenas|global) [\d.]+ ms [\d.]+ ms /);
  const newer = squeeze(renderMutexTable(analyseMutexContention(golden('5.3.0/threads.json')), style));
  expect(newer[1]).toMatch(/ (all arenas|global) - - /);
});
