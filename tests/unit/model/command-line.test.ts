import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderCommandLine } from '../../../src/model/command-line.js';

/** What a POSIX shell makes of plain words and single-quoted ones. */
function splitAsShell(line: string): string[] {
  const words: string[] = [];
  const pattern = /((?:'[^']*'|\\'|[^\s'\\])+)/g;
  for (const [word] of line.matchAll(pattern))
    words.push(word.replace(/'([^']*)'|\\(')/g, (_all, quoted, escaped) => quoted ?? escaped));
  return words;
}

describe('renderCommandLine', () => {
  it('leaves plain words alone and quotes the others', () => {
    expect(renderCommandLine(['apt-get', '-o', 'Dir::Cache=/a/b', 'install'])).toBe(
      'apt-get -o Dir::Cache=/a/b install',
    );
    expect(renderCommandLine(['echo', '', 'a b', "it's", '$HOME', 'é'])).toBe(`echo '' 'a b' 'it'\\''s' '$HOME' 'é'`);
  });

  it('is read back word for word by a shell', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: 'binary', maxLength: 12 }).filter((word) => !word.includes('\0')),
          { minLength: 1, maxLength: 5 },
        ),
        (words) => {
          expect(splitAsShell(renderCommandLine(words))).toEqual(words);
        },
      ),
    );
  });
});
