import { describe, expect, test } from 'vitest';
import { parseEvery, parseSampleDistance, readProfileLine } from '../../../src/cli/profile-line.js';

describe('parseSampleDistance', () => {
  test.each([
    ['512KiB', 524_288, 19],
    ['500k', 500_000, 19],
    ['100k', 100_000, 17],
    ['1KiB', 1024, 10],
    ['1GiB', 2 ** 30, 30],
  ])('%s', (text, typedBytes, lgSample) => {
    expect(parseSampleDistance(text)).toEqual({ typedBytes, lgSample });
  });

  test.each(['', '0', '1023', '2GiB', '-1', 'fine', '10s'])('%j is none', (text) => {
    expect(parseSampleDistance(text)).toBeUndefined();
  });
});

describe('parseEvery', () => {
  test.each([
    ['10m', { kind: 'time', ms: 600_000 }],
    ['30', { kind: 'time', ms: 30_000 }],
    ['100ms', { kind: 'time', ms: 100 }],
    ['64MiB', { kind: 'bytes', bytes: 2 ** 26 }],
    ['10MB', { kind: 'bytes', bytes: 10_000_000 }],
  ])('%s', (text, every) => expect(parseEvery(text)).toEqual(every));

  test.each(['', '10ms', '0', '1KiB', 'often', '-5m'])('%j is none', (text) => {
    expect(parseEvery(text)).toBeUndefined();
  });
});

describe('readProfileLine', () => {
  test('what stands behind -- is a program, whatever it looks like', () => {
    expect(readProfileLine(['4711'], {}, true)).toEqual({ kind: 'command', words: ['4711'] });
    expect(readProfileLine(['4711'], {}, false)).toEqual({ kind: 'target', target: '4711' });
    expect(readProfileLine([], {}, false)).toEqual({ kind: 'target', target: undefined });
  });

  test.each([
    [[], {}, true, /no command after --/],
    [['a'], { stop: true }, true, /--stop is for a process that runs/],
    [['a'], { seconds: 0 }, true, /--seconds 0 is for a process/],
    [['4711', 'x'], {}, false, /one process, or a command after --; received 2 words/],
    [['4711'], { conf: 'narenas:1' }, false, /--conf is for a program that jem profile starts/],
    [['4711'], { seconds: 0, atPeak: true }, false, /one capture now/],
    [['4711'], { output: '-' }, false, /not to stdout/],
    [['4711'], { json: true, report: true }, false, /both print to stdout/],
    [['a'], { conf: 'narenas:1,prof:false' }, true, /prof:false switches off/],
    [['a'], { conf: 'lg_prof_sample:12' }, true, /lg_prof_sample:12 is --sample-bytes/],
  ] as const)('%j with %j is refused', (words, options, isCommand, message) => {
    expect(() => readProfileLine(words, options, isCommand)).toThrow(
      expect.objectContaining({ code: 'ERR_JEM_USAGE', message: expect.stringMatching(message) }),
    );
  });
});
