import { describe, expect, test } from 'vitest';
import { explainProfilingOff } from '../../../src/analyses/explain-profiling.js';

describe('why nothing is profiled', () => {
  test.each([
    [undefined, undefined, undefined, /jemalloc, which does not serve/],
    [false, false, false, /built without heap profiling/],
    [true, false, false, /without prof:true/],
    [true, true, false, /prof\.active is off/],
  ])('compiled in %s, enabled %s, active %s', (compiledIn, enabled, active, cause) => {
    const reason = explainProfilingOff({ compiledIn, enabled, active });
    expect(reason?.cause).toMatch(cause);
    expect(reason?.remedy).not.toBe('');
  });

  test('where it is, nothing is to be explained', () => {
    expect(explainProfilingOff({ compiledIn: true, enabled: true, active: true })).toBeUndefined();
  });
});
