import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openSampleRing, RING_COLUMNS, type RingRow } from '../../../../src/control/memory/sample-ring.js';

const row = (at: number, changes: Partial<RingRow> = {}): RingRow =>
  ({
    ...Object.fromEntries(RING_COLUMNS.map((name) => [name, undefined])),
    monotonicMs: at,
    residentBytes: at * 10,
    ...changes,
  }) as RingRow;

describe('the ring of samples', () => {
  test('holds the last ones in order, however many went in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 200 }), (capacity, count) => {
        const ring = openSampleRing(capacity);
        for (let at = 0; at < count; at++) ring.push(row(at));
        const expected = Array.from({ length: count }, (_, at) => at).slice(-capacity);
        expect(ring.length).toBe(expected.length);
        expect([...ring.column('monotonicMs')]).toEqual(expected);
        expect([...ring.column('residentBytes')]).toEqual(expected.map((at) => at * 10));
        expect(ring.rows().map(({ monotonicMs }) => monotonicMs)).toEqual(expected);
      }),
    );
  });

  test('begins where it is told to', () => {
    const ring = openSampleRing(5);
    for (let at = 0; at < 8; at++) ring.push(row(at));
    expect([...ring.column('residentBytes', 5)]).toEqual([50, 60, 70]);
    expect([...ring.column('residentBytes', 100)]).toEqual([]);
  });

  test('knows what was not measured, also where the slot was used before', () => {
    const ring = openSampleRing(2);
    for (const allocatedBytes of [7, 8, undefined]) ring.push(row(1, { allocatedBytes }));
    expect([...ring.column('allocatedBytes')]).toEqual([8, Number.NaN]);
    expect(ring.rows().map((kept) => kept.allocatedBytes)).toEqual([8, undefined]);
    expect(Object.hasOwn(ring.rows()[1]!, 'allocatedBytes')).toBe(false);
  });
});
