import { expect, test } from 'vitest';
import { sortTop, TOP_SORTS, type TopProcess } from '../../../src/model/top-process.js';
import { figuresOf, sampleAt } from '../../support/samples.js';

const one = (pid: number, residentBytes: number | undefined, more: Partial<TopProcess> = {}): TopProcess => ({
  pid,
  name: `program-${pid}`,
  user: 'root',
  answer: { kind: 'sample', sample: sampleAt(0, residentBytes, { jemalloc: figuresOf({ allocatedBytes: pid }) }) },
  fragmentation: undefined,
  rates: undefined,
  residentHistory: [],
  ...more,
});
const pids = (processes: readonly TopProcess[]) => processes.map(({ pid }) => pid);

test('the largest first, equal ones by pid, what was not measured last', () => {
  const all = [one(4, undefined), one(3, 10), one(1, 10), one(2, 30)];
  expect(pids(sortTop(all, 'rss', false))).toEqual([2, 1, 3, 4]);
  expect(pids(sortTop(all, 'rss', true))).toEqual([1, 3, 2, 4]);
  expect(pids(sortTop(all, 'allocated', false))).toEqual([4, 3, 2, 1]);
});

test('pids and names from the first on', () => {
  const all = [one(2, 1, { name: 'b' }), one(1, 1, { name: 'c' }), one(3, 1, { name: 'a' })];
  expect(pids(sortTop(all, 'pid', false))).toEqual([1, 2, 3]);
  expect(pids(sortTop(all, 'pid', true))).toEqual([3, 2, 1]);
  expect(pids(sortTop(all, 'name', false))).toEqual([3, 2, 1]);
});

test('one that does not answer is sorted by what the kernel says', () => {
  const silent: TopProcess['answer'] = { kind: 'silent', forMs: 1, stopped: false, process: { residentBytes: 20 } };
  const all = [one(1, 10), one(2, 0, { answer: silent })];
  expect(pids(sortTop(all, 'rss', false))).toEqual([2, 1]);
  expect(pids(sortTop(all, 'allocated', false))).toEqual([1, 2]);
});

test('every order has a key of its own', () => {
  const keys = Object.values(TOP_SORTS);
  expect(new Set(keys).size).toBe(keys.length);
  for (const sort of Object.keys(TOP_SORTS) as (keyof typeof TOP_SORTS)[])
    expect(pids(sortTop([one(1, 1)], sort, false))).toEqual([1]);
});
