import { expect, test } from 'vitest';
import { measureBuffers } from '../../../../src/sources/node/measure-buffers.js';
import { readBufferPoolBytes, readNodeFacts } from '../../../../src/sources/node/read-node-facts.js';

test('one kept Buffer holds its pool: both are counted', () => {
  const before = measureBuffers();
  const pools = 60;
  const kept: Buffer[] = [];
  while (kept.length < pools) {
    const small = Buffer.allocUnsafe(100).fill(1);
    if (kept.at(-1)?.buffer !== small.buffer) kept.push(small);
  }
  const large = Buffer.allocUnsafeSlow(3_000_000);
  const view = large.subarray(0, 10);
  const after = measureBuffers();
  expect((after?.pools ?? 0) - (before?.pools ?? 0)).toBeGreaterThanOrEqual(pools - 2);
  expect((after?.poolBytes ?? 0) - (before?.poolBytes ?? 0)).toBeGreaterThanOrEqual(
    (pools - 2) * readBufferPoolBytes(),
  );
  // Nothing else lives in these pools, and overlapping views count once.
  expect((after?.poolViewedBytes ?? 0) - (before?.poolViewedBytes ?? 0)).toBeLessThan(pools * 400);
  const more = (after?.viewedBytes ?? 0) - (before?.viewedBytes ?? 0);
  expect(more).toBeGreaterThanOrEqual(3_000_000);
  expect(more).toBeLessThan(3_200_000);
  expect(view.length + kept.length).toBe(10 + pools);
});

test('what V8 says of this isolate', () => {
  const { nodeVersion, bufferPoolBytes, isolates } = readNodeFacts();
  expect(nodeVersion).toBe(process.version);
  expect(bufferPoolBytes).toBeGreaterThanOrEqual(Buffer.poolSize);
  expect(isolates).toHaveLength(1);
  const spaces = isolates[0]?.spaces ?? [];
  expect(spaces.map(({ name }) => name)).toContain('old_space');
  const physical = spaces.reduce((total, space) => total + space.physicalBytes, 0);
  expect(Math.abs(physical - (isolates[0]?.heapPhysicalBytes ?? 0))).toBeLessThan(2 ** 22);
});
