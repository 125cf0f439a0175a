import { expect, test } from 'vitest';
import { analyseMutexContention } from '../../../src/analyses/mutex-contention.js';
import type { ArenaStats, MutexStats } from '../../../src/model/allocator-stats.js';

const mutex = (name: string, figures: Partial<MutexStats>): MutexStats => ({
  name,
  operations: undefined,
  waits: undefined,
  spinAcquisitions: undefined,
  ownerSwitches: undefined,
  totalWaitNs: undefined,
  maxWaitNs: undefined,
  maxWaitingThreads: undefined,
  ...figures,
});

test('the one that threads waited for the longest comes first; one that nobody took is left out', () => {
  const bins = [{ mutex: mutex('bin 8', { operations: 50, waits: 5, totalWaitNs: 900 }) }, { mutex: undefined }];
  const merged = {
    mutexes: [mutex('large', { operations: 0, waits: 0 }), mutex('base', { operations: 7, waits: 0, totalWaitNs: 0 })],
    bins,
  } as unknown as ArenaStats;
  const found = analyseMutexContention({
    mutexes: [mutex('ctl', { operations: 100, waits: 1, totalWaitNs: 20 })],
    merged,
  });
  expect(found.map(({ name, scope, waitShare }) => [name, scope, waitShare])).toEqual([
    ['bin 8', 'bin', 0.1],
    ['ctl', 'global', 0.01],
    ['base', 'arena', 0],
  ]);
});

test('without times the waits decide, and after them spins and operations', () => {
  const names = analyseMutexContention({
    mutexes: [
      mutex('d', { operations: 9 }),
      mutex('c', { operations: 1, waits: 0, spinAcquisitions: 0 }),
      mutex('b', { operations: 1, waits: 0, spinAcquisitions: 4 }),
      mutex('a', { operations: 1, waits: 1 }),
    ],
    merged: undefined,
  }).map(({ name }) => name);
  expect(names).toEqual(['a', 'b', 'c', 'd']);
});
