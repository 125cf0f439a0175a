import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkProfilerOptions, type ProfilerOptions } from '../../../../src/control/profiler/profiler-options.js';

describe('options of profiler.start', () => {
  test('may all be left out', () => {
    expect(checkProfilerOptions({})).toEqual({ lgSample: -1, folder: process.cwd(), keep: 10 });
  });

  test.each([
    [4096, 12],
    [65_536, 16],
    [100_000, 17],
    [1024, 10],
    [2 ** 30, 30],
  ])('a distance of %i bytes is 2^%i', (sampleBytes, lgSample) => {
    expect(checkProfilerOptions({ sampleBytes }).lgSample).toBe(lgSample);
  });

  test('a folder is that of the moment', () => {
    expect(checkProfilerOptions({ folder: 'profiles' }).folder).toBe(join(process.cwd(), 'profiles'));
  });

  test.each<[unknown, RegExp]>([
    [{ sampleBytes: 512 }, /sampleBytes is 512 \(expected a number from 1024 to 1073741824\)/],
    [{ sampleBytes: Number.NaN }, /sampleBytes is NaN/],
    [{ everyBytes: 1000 }, /everyBytes is 1000/],
    [{ everyMs: 10 }, /everyMs is 10/],
    [{ everyMs: 2 ** 31 }, /everyMs is 2147483648/],
    [{ keep: 0 }, /keep is 0/],
    [{ keep: 1.5 }, /keep is 1.5 \(expected a whole number\)/],
    [{ signal: 'SIGUSR1' }, /signal is 'SIGUSR1' \(expected 'SIGUSR2'\)/],
    [{ folder: '' }, /folder is '' \(expected the path of a folder\)/],
    [{ folder: 'a\0b' }, /folder is/],
    [{ samplebytes: 4096 }, /no option 'samplebytes'/],
    [{ threadPool: 1 }, /threadPool is 1 \(expected boolean\)/],
    [null, /received null \(expected an object\)/],
  ])('%j is refused', (options, message) => {
    expect(() => checkProfilerOptions(options as ProfilerOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_JEM_USAGE', message: expect.stringMatching(message) }),
    );
  });
});
