import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { lookUpCommand, resolveProgram } from '../../../../src/sources/process/resolve-program.js';
import { buildElf } from '../../../support/elf-file.js';
import { temporaryFolder } from '../../../support/programs.js';

let folder: string;
let path: string;
const NODE = realpathSync(process.execPath);
const SHELL = realpathSync('/bin/sh');

function script(name: string, content: string | Buffer, mode = 0o755): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

function resolved(command: string, args: readonly string[] = []) {
  const resolution = resolveProgram(command, path, args);
  if (resolution.kind !== 'resolved') throw new Error(`not resolved: ${JSON.stringify(resolution)}`);
  return resolution.program;
}

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, 'bin'));
  symlinkSync(process.execPath, join(folder, 'bin', 'node'));
  path = `${join(folder, 'bin')}:/usr/bin:/bin`;
});

describe('looking a command up', () => {
  test('in PATH, in order, files only', () => {
    mkdirSync(join(folder, 'first', 'tool'), { recursive: true });
    script('tool', '');
    expect(lookUpCommand('tool', `${join(folder, 'first')}:${folder}`)).toEqual({
      kind: 'file',
      path: join(folder, 'tool'),
    });
  });

  test('with a slash it is a path', () => {
    expect(lookUpCommand(script('tool', ''), '/nowhere').kind).toBe('file');
    expect(lookUpCommand('./none', path).kind).toBe('not-found');
    expect(lookUpCommand(join(script('file', ''), 'below'), path).kind).toBe('not-found');
  });

  test('an empty name, an unset PATH, an empty entry', () => {
    expect(lookUpCommand('', path)).toEqual({ kind: 'not-found' });
    expect(lookUpCommand('sh', undefined).kind).toBe('file');
    expect(lookUpCommand('package.json', '/nowhere:').kind).toBe('not-executable');
  });

  test('a folder and a file without the execute bit say why', () => {
    expect(resolveProgram(folder, path)).toMatchObject({ kind: 'not-executable', reason: 'it is not a file' });
    expect(resolveProgram(script('plain', '', 0o644), path)).toMatchObject({
      kind: 'not-executable',
      reason: expect.stringContaining('no execute bit'),
    });
    expect(resolveProgram('no-such-program', path)).toEqual({ kind: 'not-found', name: 'no-such-program' });
  });
});

describe('the program whose malloc is at stake', () => {
  test('a program is itself', () => {
    expect(resolved('node')).toMatchObject({
      interpreter: NODE,
      throughShell: false,
      unpreloadable: undefined,
      target: { architecture: process.arch },
    });
  });

  test.each([
    ['#!/bin/sh', '#!/bin/sh\n', () => SHELL],
    ['env', '#!/usr/bin/env node\n', () => NODE],
    ['env -S', '#!/usr/bin/env -S node --stack-size=2000\n', () => NODE],
    ['an npm shim', '#!/bin/sh\nbasedir=$(dirname "$0")\nexec node  "$basedir/x.js" "$@"\n', () => NODE],
  ])('through %s', (_name, content, interpreter) => {
    expect(resolved(script('tool', content))).toMatchObject({ interpreter: interpreter(), throughShell: false });
  });

  test('through a script that starts a script', () => {
    const inner = script('bin/inner', '#!/usr/bin/env node\n');
    const outer = script('outer', `#!${inner}\n`);
    expect(resolved(outer).interpreter).toBe(NODE);
    expect(resolved(outer).steps.map((step) => step.path)).toEqual([
      outer,
      inner,
      '/usr/bin/env',
      join(folder, 'bin', 'node'),
    ]);
    expect(resolved(script('by-env', '#!/usr/bin/env inner\n')).interpreter).toBe(NODE);
  });

  test('a script without a first line is the shell’s, as in execvp; also behind env', () => {
    expect(resolved(script('bin/plain', 'echo hello\n'))).toMatchObject({ interpreter: SHELL, throughShell: true });
    expect(resolved(script('empty', ''))).toMatchObject({ interpreter: SHELL, throughShell: true });
    expect(resolved(script('outer', '#!/usr/bin/env plain\n'))).toMatchObject({
      interpreter: SHELL,
      throughShell: false,
    });
  });

  test('env on the command line is followed to what it starts', () => {
    expect(resolved('env', ['A=b', 'node', 'x.js']).interpreter).toBe(NODE);
    expect(resolved('env', ['-u', 'A', 'no-such-program']).interpreter).toBe(realpathSync('/usr/bin/env'));
    expect(resolved('env').interpreter).toBe(realpathSync('/usr/bin/env'));
    expect(resolved('env', ['-i', 'node'])).toMatchObject({ interpreter: NODE, unpreloadable: 'environment-dropped' });
    expect(resolved(script('tool', '#!/usr/bin/env -S -i node\n')).unpreloadable).toBe('environment-dropped');
  });

  test('scripts that start each other come to an end', () => {
    const a = join(folder, 'a');
    script('b', `#!${a}\n`);
    script('a', `#!${join(folder, 'b')}\n`);
    expect(resolveProgram(a, path).kind).toBe('resolved');
  });

  test('a first line that names nothing', () => {
    expect(resolveProgram(script('tool', '#!/no/such/interpreter -x\n'), path)).toMatchObject({
      kind: 'not-executable',
      reason: 'its first line names /no/such/interpreter, which does not exist',
    });
    expect(resolveProgram(script('other', `#!${folder}\n`), path)).toMatchObject({
      kind: 'not-executable',
      reason: `its first line names ${folder}, which cannot be executed`,
    });
  });
});

describe('programs that take no preloaded library', () => {
  test('by their headers', () => {
    expect(resolved(script('static', buildElf({ type: 2 }))).unpreloadable).toBe('static');
    expect(
      resolved(script('foreign', buildElf({ machine: 8, interpreter: '/lib/ld.so.1', needed: ['libc.so.6'] })))
        .unpreloadable,
    ).toBe('foreign-machine');
    expect(resolved(script('odd', buildElf({ interpreter: '/lib/ld-odd.so' }))).unpreloadable).toBe('unknown-libc');
    expect(resolved(script('data', Buffer.from('\x01\x00\x02binary'))).unpreloadable).toBe('foreign-machine');
  });

  test('a library for another C library has its target', () => {
    expect(resolved(script('musl', buildElf({ interpreter: '/lib/ld-musl-x86_64.so.1' })))).toMatchObject({
      target: { architecture: 'x64', libc: 'musl' },
      unpreloadable: undefined,
    });
  });

  test('setuid of oneself changes nobody', () => {
    const file = script('own', buildElf({ interpreter: '/lib64/ld-linux-x86-64.so.2' }), 0o755);
    chmodSync(file, 0o4755);
    expect(resolved(file).unpreloadable).toBeUndefined();
  });
});
