import { constants } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainWriteFailure, openTerminal, showControlCharacters } from '../../../src/cli/terminal.js';

describe('explainWriteFailure', () => {
  test.each([
    ['ENOSPC', constants.errno.ENOSPC, 'cannot write the output: the disk is full (ENOSPC)'],
    [
      'Unknown system error -122',
      constants.errno.EDQUOT,
      'cannot write the output: the disk quota is used up (EDQUOT)',
    ],
    ['ENXIO', constants.errno.ENXIO, 'cannot write the output: ENXIO, write'],
  ])('says what %s is', (code, errno, message) => {
    const error = Object.assign(new Error(`${code}, write`), { code, errno: -errno });
    expect(explainWriteFailure(error)).toMatchObject({ code: 'ERR_JEM_FILE', exitCode: 3, message });
  });

  test('leaves our own mistakes alone', () => {
    expect(explainWriteFailure(new TypeError('no'))).toBeUndefined();
  });
});

describe('colours', () => {
  test('are where they are asked for, whatever stdout is, and nowhere else', () => {
    expect(openTerminal({ FORCE_COLOR: '1' }).style('inverse', 'x')).toBe('\u001b[7mx\u001b[27m');
    expect(openTerminal({ FORCE_COLOR: '1', NO_COLOR: '1' }).style('inverse', 'x')).toBe('x');
  });
});

describe('showControlCharacters', () => {
  test('shows them, and leaves lines and letters', () => {
    expect(showControlCharacters('a\u001b[31mb\r\u009bc\u007f\u0000')).toBe('a\\x1b[31mb\\x0d\\x9bc\\x7f\\x00');
    expect(showControlCharacters('ä „1\t2“\n😀')).toBe('ä „1\t2“\n😀');
  });

  test('lets none through, and nothing else go', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = showControlCharacters(text);
        const isControl = (character: string) => /\p{Cc}/u.test(character) && !'\n\t'.includes(character);
        expect([...shown].some(isControl)).toBe(false);
        if (![...text].some(isControl)) expect(shown).toBe(text);
      }),
    );
  });
});
