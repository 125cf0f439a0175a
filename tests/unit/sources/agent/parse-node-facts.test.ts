import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NodeFacts } from '../../../../src/model/node-facts.js';
import { parseNodeFacts } from '../../../../src/sources/agent/parse-node-facts.js';
import { sumIsolates } from '../../../../src/sources/agent/read-sample.js';

const isolate = (threadId: number) => ({
  threadId,
  atMs: 1,
  heapTotalBytes: 10,
  heapUsedBytes: 5,
  heapPhysicalBytes: 8,
  externalBytes: 3,
  arrayBuffersBytes: 2,
  heapLimitBytes: 100,
  spaces: [{ name: 'new_space', sizeBytes: 4, usedBytes: 2, physicalBytes: 4 }],
});
const facts: NodeFacts = { nodeVersion: 'v24.1.0', bufferPoolBytes: 65_536, isolates: [isolate(0), isolate(1)] };

test('takes what was published', () => {
  expect(parseNodeFacts(JSON.stringify(facts))).toEqual(facts);
});

test.each([
  ['', 'nothing'],
  ['{', 'half a text'],
  ['[]', 'a list'],
  ['null', 'null'],
  [JSON.stringify({ ...facts, nodeVersion: 24 }), 'a version that is a number'],
  [JSON.stringify({ ...facts, isolates: [{ ...isolate(0), heapUsedBytes: '5' }] }), 'a figure that is a text'],
  [JSON.stringify({ ...facts, isolates: [{ ...isolate(0), spaces: [{}] }] }), 'a space without figures'],
])('%s is none: %s', (text) => {
  expect(parseNodeFacts(text)).toBeUndefined();
});

test('takes any text without throwing', () => {
  const text = fc.oneof(fc.string(), fc.json());
  fc.assert(fc.property(text, (any) => parseNodeFacts(any) === undefined || true));
});

test('adds isolates up', () => {
  expect(sumIsolates(facts)).toEqual({
    isolates: 2,
    heapTotalBytes: 20,
    heapUsedBytes: 10,
    externalBytes: 6,
    arrayBuffersBytes: 4,
  });
});
