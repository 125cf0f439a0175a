import { expect, test } from 'vitest';
import { parseCounters, SELECTED_COUNTERS } from '../../../../src/sources/agent/counters.js';

test('asks for no counter of a thread: it would be the agent’s', () => {
  expect(SELECTED_COUNTERS.length).toBeGreaterThan(20);
  expect(SELECTED_COUNTERS.filter(({ name }) => name.startsWith('thread.'))).toEqual([]);
  expect(SELECTED_COUNTERS.map(({ name }) => name)).toContain('arenas.page');
});

test('names what came, adds what follows, and leaves out what this jemalloc does not have', () => {
  const given: Readonly<Record<string, number>> = {
    'stats.allocated': 100,
    'stats.active': 130,
    'arenas.page': 4096,
    'stats.arenas.4096.pdirty': 3,
    'stats.arenas.4096.small.nmalloc': 7,
    'stats.arenas.4096.large.nmalloc': 2,
  };
  const figures = parseCounters(SELECTED_COUNTERS.map(({ name }) => given[name] ?? Number.NaN));
  expect(figures).toMatchObject({
    allocatedBytes: 100,
    activeBytes: 130,
    unusedActiveBytes: 30,
    dirtyPages: 3,
    dirtyBytes: 12_288,
    allocations: 9,
  });
  expect(figures.threadAllocatedBytes).toBeUndefined();
  expect(figures.muzzyBytes).toBeUndefined();
  expect(figures.residentOverheadBytes).toBeUndefined();
});
