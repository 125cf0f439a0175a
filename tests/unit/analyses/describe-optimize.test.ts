import { describe, expect, test } from 'vitest';
import { describeOptimize } from '../../../src/analyses/describe-optimize.js';
import type { OptimizeOutcome } from '../../../src/model/optimize-outcome.js';

const MIB = 2 ** 20;
const outcome: Omit<OptimizeOutcome, 'summary'> = {
  kind: 'purged',
  gc: 'not-asked',
  residentBeforeBytes: 100 * MIB,
  residentAfterBytes: 80 * MIB,
  returnedBytes: 20 * MIB,
  dirtyBeforeBytes: 20 * MIB,
  dirtyAfterBytes: 0,
  muzzyBeforeBytes: 0,
  muzzyAfterBytes: 0,
  tookMs: 1,
};

describe('what optimize says', () => {
  test.each([
    [{}, '20.0 MiB came back of RSS (80.0 MiB now)'],
    [{ residentAfterBytes: 103 * MIB, returnedBytes: 0 }, 'nothing came back: RSS rose by 3.0 MiB meanwhile'],
    [{ residentAfterBytes: 100 * MIB, returnedBytes: 0 }, 'nothing came back: RSS is as before'],
    [{ residentAfterBytes: undefined, returnedBytes: undefined }, 'RSS could not be read'],
    [
      { kind: 'decayed', dirtyAfterBytes: 5 * MIB },
      '20.0 MiB came back of RSS (80.0 MiB now); 5.0 MiB of unused pages are not due yet',
    ],
    [{ kind: 'no-jemalloc' }, '20.0 MiB came back of RSS (80.0 MiB now); without jemalloc there is nothing to purge'],
    [{ kind: 'failed' }, '20.0 MiB came back of RSS (80.0 MiB now); jemalloc refused'],
    [
      { gc: 'unavailable' },
      '20.0 MiB came back of RSS (80.0 MiB now); V8 does not hand out its garbage collector here',
    ],
  ] as const)('%j', (changes, words) => {
    expect(describeOptimize({ ...outcome, ...changes })).toBe(words);
  });
});
