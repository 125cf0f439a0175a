import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isNodeShim,
  parseEnvArgument,
  parseEnvCommand,
  parseShebang,
} from '../../../../src/sources/process/shebang.js';

const shebang = (text: string) => parseShebang(Buffer.from(text));

describe('parseShebang', () => {
  test.each([
    ['#!/bin/sh\necho', '/bin/sh', undefined],
    ['#! /bin/sh \n', '/bin/sh', undefined],
    ['#!/usr/bin/env node\n', '/usr/bin/env', 'node'],
    ['#!/usr/bin/env -S node --flag  x\r\n', '/usr/bin/env', '-S node --flag  x\r'],
    ['#!/bin/sh', '/bin/sh', undefined],
    ['#!\t/bin/sh\t-e', '/bin/sh', '-e'],
  ])('%j', (text, interpreter, argument) => {
    expect(shebang(text)).toEqual({ interpreter, argument });
  });

  test.each(['', '#', '#!', '#!\n', '# !/bin/sh', ' #!/bin/sh', 'echo', '\x7fELF'])('%j has none', (text) => {
    expect(shebang(text)).toBeUndefined();
  });

  test('the kernel reads 256 bytes of the first line and no more', () => {
    expect(shebang(`#!/bin/${'x'.repeat(400)}`)?.interpreter).toHaveLength(254);
  });

  test('any bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void parseShebang(Buffer.from([0x23, 0x21, ...bytes]))),
    );
  });
});

describe('parseEnvCommand', () => {
  test.each([
    ['node', 'node', false],
    ['node --flag', 'node', false],
    ['-S node --flag', 'node', false],
    ['-Snode --flag', 'node', false],
    ['-vS node', 'node', false],
    ['--split-string=node -x', 'node', false],
    ['-S "node" -x', 'node', false],
    ['A=b C=d node', 'node', false],
    ['-u NODE_OPTIONS node', 'node', false],
    ['-uNODE_OPTIONS node', 'node', false],
    ['--unset=NODE_OPTIONS node', 'node', false],
    ['-C /tmp node', 'node', false],
    ['--chdir /tmp node', 'node', false],
    ['-a name node', 'node', false],
    ['-- node', 'node', false],
    ['-i A=b node', 'node', true],
    ['- node', 'node', true],
    ['--ignore-environment node', 'node', true],
    ['-iS node -x', 'node', true],
    ['-S -i node', 'node', true],
    ['-u LD_PRELOAD node', 'node', true],
    ['-uLD_PRELOAD node', 'node', true],
    ['--unset=LD_PRELOAD node', 'node', true],
    ['LD_PRELOAD=/x.so node', 'node', true],
    ['', undefined, false],
    ['A=b', undefined, false],
    ['-u', undefined, false],
    ['-S', undefined, false],
  ])('env %s starts %s', (text, program, dropsPreload) => {
    expect(parseEnvArgument(text)).toEqual({ program, dropsPreload });
  });

  test('arguments of a command line are words already', () => {
    expect(parseEnvCommand(['A=b c', '/opt/my node', '-i'])).toEqual({ program: '/opt/my node', dropsPreload: false });
  });

  test('any words never throw and end', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('-S', '-i', '-u', '--', '-', 'A=b', '--split-string', '-SS', '-vS -S'),
    );
    fc.assert(fc.property(fc.array(word), (words) => void parseEnvCommand(words)));
  });
});

describe('isNodeShim', () => {
  const NPM = `#!/bin/sh
basedir=$(dirname "$(echo "$0" | sed -e 's,\\\\,/,g')")

if [ -x "$basedir/node" ]; then
  exec "$basedir/node"  "$basedir/../tool/cli.js" "$@"
else
  exec node  "$basedir/../tool/cli.js" "$@"
fi
`;
  test('what npm and pnpm write', () => {
    expect(isNodeShim(NPM)).toBe(true);
    expect(isNodeShim(NPM.replace('exec node ', 'exec nodejs '))).toBe(true);
  });

  test('other scripts', () => {
    expect(isNodeShim('#!/bin/sh\nexec node server.js\n')).toBe(false);
    expect(isNodeShim('#!/bin/sh\nbasedir=$(dirname "$0")\nexec "$basedir/tool"\n')).toBe(false);
    expect(isNodeShim('#!/bin/sh\n# exec node "$basedir"\n')).toBe(false);
  });
});
