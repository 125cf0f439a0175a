import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { restoreCommandLine } from '../../../../src/control/launch/start-again.js';

const buffers = (...texts: string[]) => texts.map((text) => Buffer.from(text));
const strings = (line: readonly Buffer[]) => line.map((argument) => argument.toString());

describe('restoreCommandLine', () => {
  const own = { argv0: 'node', execArgv: ['--stack-size=2000'], argv: ['/usr/bin/node', '/srv/app.js', 'a b', ''] };

  test('what the system shows, with the script as it was typed', () => {
    const shown = buffers('node', '--stack-size=2000', 'app.js', 'a b', '');
    expect(restoreCommandLine(shown, own)).toEqual(shown);
    const dashes = buffers('node', '--stack-size=2000', '--', 'app.js', 'a b', '');
    expect(restoreCommandLine(dashes, own)).toEqual(dashes);
  });

  test('bytes that are no UTF-8 stay', () => {
    const odd = Buffer.of(0xff, 0xfe, 0x61);
    const shown = [...buffers('node', 'app.js'), odd];
    expect(
      restoreCommandLine(shown, {
        argv0: 'node',
        execArgv: [],
        argv: ['/usr/bin/node', '/srv/app.js', odd.toString()],
      }),
    ).toEqual(shown);
  });

  test('without a script: -e, a REPL, stdin', () => {
    for (const execArgv of [['-e', 'code'], ['-i'], []]) {
      const shown = buffers('node', ...execArgv);
      expect(restoreCommandLine(shown, { argv0: 'node', execArgv, argv: ['/usr/bin/node'] })).toEqual(shown);
    }
  });

  const rebuilt = ['node', '--stack-size=2000', '/srv/app.js', 'a b', ''];
  test.each([
    ['nothing', undefined],
    ['a title', buffers('my-app')],
    ['a title over all of it', buffers('node', '', '', '', '', '')],
    ['a longer title', buffers('node: worker (x) busy')],
    ['other options', buffers('node', '--other', 'app.js', 'a b', '')],
    ['other arguments', buffers('node', '--stack-size=2000', 'app.js', 'a b', 'x')],
  ])('where the system shows %s, Node’s own strings', (_name, shown) => {
    expect(strings(restoreCommandLine(shown, own))).toEqual(rebuilt);
  });

  test('a title that looks like the program’s name', () => {
    expect(
      strings(
        restoreCommandLine(buffers('node', '', ''), {
          argv0: 'node',
          execArgv: [],
          argv: ['/usr/bin/node', '/srv/app.js'],
        }),
      ),
    ).toEqual(['node', '/srv/app.js']);
  });

  test('whatever is shown, the program’s arguments are its last ones', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string(), { maxLength: 4 }), (shown, args) => {
        const line = strings(
          restoreCommandLine(
            shown.map((text) => Buffer.from(text)),
            { argv0: 'node', execArgv: [], argv: ['/n', '/s.js', ...args] },
          ),
        );
        expect(line[0]).toBe('node');
        expect(line.slice(line.length - args.length)).toEqual(args.map((text) => Buffer.from(text).toString()));
      }),
    );
  });
});
