import { expect, test } from 'vitest';
import { openFinder } from '../../../../src/sources/agent/agent-finder.js';

test('a new process is looked at soon and often, one that never had an agent ever more seldom', () => {
  let now = 0;
  const finder = openFinder(() => now);
  const dueAt: number[] = [];
  for (now = 0; now <= 60_000; now += 500) if (finder.due([7]).includes(7)) dueAt.push(now);
  expect(dueAt).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 31_000, 46_000]);
});

test('processes are told apart, and one that has gone begins anew', () => {
  let now = 0;
  const finder = openFinder(() => now);
  expect(finder.due([1, 2])).toEqual([1, 2]);
  now = 500;
  expect(finder.due([1, 2, 3])).toEqual([3]);
  now = 600;
  expect(finder.due([2, 3])).toEqual([]);
  expect(finder.due([1, 2, 3])).toEqual([1]);
});
