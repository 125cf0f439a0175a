import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { omittedBy, readStatsTable } from '../../../../src/control/stats/read-stats-tables.js';
import type { AgentConnection } from '../../../../src/sources/agent/agent-connection.js';
import { ROOT } from '../../../support/programs.js';

test('only what no table needs is left out', () => {
  expect(omittedBy([])).toBe('');
  expect(omittedBy(['bins'])).toBe('adlxeh');
  expect([...omittedBy(['bins', 'extents'])].sort().join('')).toBe('adhx');
  expect(omittedBy(['arenas', 'bins', 'extents', 'mutexes'])).toBe('h');
});

/** An agent that answers from a file, and counts what it is asked. */
function answering(file: string): { agent: AgentConnection; keys: string[]; texts: string[] } {
  const keys: string[] = [];
  const texts: string[] = [];
  const agent = {
    statsText: async (options: string) => {
      texts.push(options);
      return readFileSync(join(ROOT, 'tests', 'golden', 'jemalloc-stats', file), 'utf8');
    },
    read: async (key: string) => {
      keys.push(key);
      return key.endsWith('total_wait_time') ? { kind: 'value', value: 123n } : { kind: 'absent' };
    },
  } as unknown as AgentConnection;
  return { agent, keys, texts };
}

test('what the JSON of a release has under wrong names is read key by key', async () => {
  const { agent, keys, texts } = answering('5.3.0/threads.json');
  const { merged, mutexes } = await readStatsTable(agent, 'mutexes');
  expect(texts).toEqual(['Jadleh']);
  expect(keys).toEqual(
    expect.arrayContaining([
      'stats.mutexes.ctl.total_wait_time',
      'stats.arenas.4096.mutexes.extents_dirty.max_wait_time',
      'stats.arenas.4096.bins.0.mutex.num_owner_switch',
    ]),
  );
  expect(keys.filter((key) => key.endsWith('num_wait'))).toEqual([]);
  const dirty = merged?.mutexes?.find(({ name }) => name === 'extents_dirty');
  expect(dirty).toMatchObject({ totalWaitNs: 123, maxWaitNs: undefined, waits: expect.any(Number) });
  expect(mutexes.find(({ name }) => name === 'prof_dump')).toMatchObject({ operations: 0, totalWaitNs: undefined });
});

test('where the names are right nothing more is asked', async () => {
  const { agent, keys } = answering('5.3.1/threads.json');
  await readStatsTable(agent, 'mutexes');
  expect(keys).toEqual([]);
});
