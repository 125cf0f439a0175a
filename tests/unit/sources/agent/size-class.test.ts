import { expect, test } from 'vitest';
import type { MallctlRead } from '../../../../src/model/mallctl-outcome.js';
import { readSizeClass } from '../../../../src/sources/agent/size-class.js';

const SMALL = [8, 16, 4096, 8192, 14336];
const LARGE = [16384, 65536, 81920];

async function read(key: string): Promise<MallctlRead<unknown>> {
  const index = Number(/\.(\d+)\.(?:size|curregs|curlextents)$/.exec(key)?.[1]);
  const value = (found: unknown): MallctlRead<unknown> =>
    found === undefined ? { kind: 'absent' } : { kind: 'value', value: found };
  if (key === 'arenas.nbins') return value(SMALL.length);
  if (key === 'arenas.nlextents') return value(LARGE.length);
  if (key.startsWith('arenas.bin.')) return value(SMALL[index]);
  if (key.startsWith('arenas.lextent.')) return value(LARGE[index]);
  return value(key.endsWith('curregs') ? 100 + index : 1000 + index);
}

test.each([
  [8192, { count: 103, bytes: 103 * 8192 }],
  [1, { count: 100, bytes: 800 }],
  [65536, { count: 1001, bytes: 1001 * 65536 }],
  [65600, { count: 1002, bytes: 1002 * 81920 }],
  [1e9, undefined],
])('a request of %d bytes', async (bytes, expected) => {
  expect(await readSizeClass(read, bytes)).toEqual(expected);
});

test('undefined where jemalloc does not say', async () => {
  expect(await readSizeClass(async () => ({ kind: 'no-jemalloc' }), 8192)).toBeUndefined();
});
