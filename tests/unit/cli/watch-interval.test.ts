import { describe, expect, test } from 'vitest';
import { readWatchInterval } from '../../../src/cli/watch-interval.js';

const asked = { verb: 'stats', shortestMs: 100, mayBeWord: true };

describe('--watch', () => {
  test.each([
    [undefined, { intervalMs: undefined }],
    [true, { intervalMs: 2000 }],
    ['5', { intervalMs: 5000 }],
    ['0.5', { intervalMs: 500 }],
    ['250ms', { intervalMs: 250 }],
    ['60', { intervalMs: 60_000 }],
    ['10m', { intervalMs: 600_000 }],
  ] as const)('%s', (value, read) => {
    expect(readWatchInterval(value, asked)).toEqual(read);
  });

  test.each(['4711', 'redis-server', '61'])('%s behind it is the process, where none is named', (word) => {
    expect(readWatchInterval(word, asked)).toEqual({ intervalMs: 2000, word });
    expect(() => readWatchInterval(word, { ...asked, mayBeWord: false })).toThrow(`--watch '${word}' is no interval`);
  });

  test.each(['0', '0.05', '-1'])('%s is neither', (text) => {
    expect(() => readWatchInterval(text, asked)).toThrow(
      expect.objectContaining({
        code: 'ERR_JEM_USAGE',
        hint: expect.stringMatching(/^expected 0\.1 to 60 seconds, or/),
      }),
    );
  });
});
