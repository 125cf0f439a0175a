import { expect, test } from 'vitest';
import { analyseSampleRates, fragmentationOf, residentOverheadOf } from '../../../src/analyses/sample-rates.js';
import { figuresOf, sampleAt } from '../../support/samples.js';

const MIB = 2 ** 20;

test('per second, whatever the time between', () => {
  const rates = analyseSampleRates(
    sampleAt(0, 100 * MIB, {
      process: { residentBytes: 100 * MIB, processorMs: 1000 },
      jemalloc: figuresOf({ allocatedBytes: 50 * MIB, smallRequests: 1000, largeRequests: 0, dirtyPurgedPages: 0 }),
    }),
    sampleAt(2, 104 * MIB, {
      process: { residentBytes: 104 * MIB, processorMs: 2500 },
      jemalloc: figuresOf({ allocatedBytes: 40 * MIB, smallRequests: 5000, largeRequests: 10, dirtyPurgedPages: 256 }),
    }),
  );
  expect(rates).toEqual({
    overMs: 2000,
    requestsPerSecond: 2005,
    allocatedBytesPerSecond: -5 * MIB,
    residentBytesPerSecond: 2 * MIB,
    purgedBytesPerSecond: MIB / 2,
    processors: 0.75,
  });
});

test('counters that fell are those of another program under the same pid: no rate', () => {
  const of = (requests: number) => ({ jemalloc: figuresOf({ smallRequests: requests, largeRequests: 0 }) });
  expect(analyseSampleRates(sampleAt(0, 1, of(9000)), sampleAt(1, 1, of(10)))?.requestsPerSecond).toBeUndefined();
});

test('what one of the two does not have has no rate', () => {
  const rates = analyseSampleRates(sampleAt(0, undefined), sampleAt(1, 5, { jemalloc: figuresOf({}) }));
  expect(rates).toMatchObject({ residentBytesPerSecond: undefined, requestsPerSecond: undefined });
  expect(analyseSampleRates(sampleAt(1, 5), sampleAt(1, 5))).toBeUndefined();
});

test('fragmentation and overhead are shares of what there is', () => {
  const jemalloc = figuresOf({ allocatedBytes: 25, activeBytes: 100, residentBytes: 125 });
  expect(fragmentationOf({ jemalloc })).toBe(0.75);
  expect(residentOverheadOf({ jemalloc })).toBe(0.2);
  expect(fragmentationOf({ jemalloc: undefined })).toBeUndefined();
  expect(fragmentationOf({ jemalloc: figuresOf({ allocatedBytes: 0, activeBytes: 0 }) })).toBeUndefined();
  // The two are summed one after the other while other threads allocate.
  expect(fragmentationOf({ jemalloc: figuresOf({ allocatedBytes: 101, activeBytes: 100 }) })).toBe(0);
});
