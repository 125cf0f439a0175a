import { expect, test } from 'vitest';
import { MAIN_COUNTERS } from '../../../../src/model/main-counters.js';
import { readMallctl } from '../../../../src/sources/mallctl/read-mallctl.js';
import { openMallctlSampler } from '../../../../src/sources/mallctl/sampler.js';

test('a sampler opens exactly where there is jemalloc, and knows nothing before its first sample', () => {
  const sampler = openMallctlSampler();
  expect(sampler === undefined).toBe(readMallctl('version').kind === 'no-jemalloc');
  const known = MAIN_COUNTERS.filter((name) => sampler?.valueOf(name) !== undefined);
  expect(known).toEqual(sampler ? ['pageBytes'] : []);
});
