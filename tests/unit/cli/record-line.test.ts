import { describe, expect, test } from 'vitest';
import { type RecordOptions, readRecordLine } from '../../../src/cli/record-line.js';

const read = (words: string[], isCommand = false, options: Partial<RecordOptions> = {}) =>
  readRecordLine(words, { interval: 1000, ...options }, isCommand);

describe('a line of jem record', () => {
  test('is a process, a command, or nothing', () => {
    expect(read([])).toEqual({ kind: 'target', target: undefined });
    expect(read(['4711'])).toEqual({ kind: 'target', target: '4711' });
    expect(read(['4711'], true)).toEqual({ kind: 'command', words: ['4711'] });
    expect(read(['node', 'server.js'], true, { preset: 'low-memory', conf: 'narenas:2' }).kind).toBe('command');
  });

  test.each<[string[], boolean, Partial<RecordOptions>, RegExp, RegExp]>([
    [[], true, {}, /no command after --/, /^jem record -- node/],
    [['true'], true, { json: true }, /program’s own/, /jem plot --json/],
    [['sleep', '1'], false, {}, /received 2 words/, /^jem record -- sleep 1$/],
    [['4711', 'sleep', '1'], false, {}, /received 3 words/, /^jem record 4711, or jem record -- sleep 1$/],
    [
      ['4711'],
      false,
      { conf: 'narenas:1' },
      /--conf is for a program that jem record starts/,
      /--conf narenas:1 -- PROGRAM/,
    ],
    [[], false, { preset: 'none' }, /--preset is for a program/, /--preset none -- PROGRAM/],
    [['4711'], false, { output: '-' }, /into a file/, /--json/],
  ])('%j (a command: %s) %j is refused', (words, isCommand, options, message, hint) => {
    expect(() => read(words, isCommand, options)).toThrow(
      expect.objectContaining({
        code: 'ERR_JEM_USAGE',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    );
  });
});
