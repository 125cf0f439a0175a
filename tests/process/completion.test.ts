import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { jem, runProgram, temporaryFolder } from '../support/programs.js';
import { openTypedShell } from '../support/typed-shell.js';

const scripts = { bash: '', zsh: '', fish: '' };
beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const { code, stdout, stderr } = await jem(['completion', shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    scripts[shell] = stdout;
  }
});

/** A folder with the script and with one program and one file whose names begin alike nowhere else. */
function prepare(shell: keyof typeof scripts, name: string): { folder: string; file: string; path: string } {
  const folder = temporaryFolder();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'zebra-program'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(folder, 'quagga.txt'), '');
  const file = join(folder, name);
  writeFileSync(file, scripts[shell]);
  return { folder, file, path: `${bin}:${process.env['PATH']}` };
}

const LINES: readonly (readonly [typed: string, completed: RegExp])[] = [
  ['jem comp', /jem completion /],
  ['jem conf ch', /jem conf check /],
  ['jem completion z', /jem completion zsh/],
  ['jem run --fallb', /jem run --fallback/],
  ['jem run --allocator mi', /jem run --allocator mimalloc/],
  ['jem run --preset=low', /jem run --preset=low-memory/],
  ['jem run --conf narenas:2,dirty_dec', /jem run --conf narenas:2,dirty_decay_ms:/],
  ['jem run zebra', /jem run zebra-program/],
  ['jem run -- zebra', /jem run -- zebra-program/],
  ['jem run --preset none -- cat quag', /jem run --preset none -- cat quagga\.txt/],
  ['jem doctor -- zebra', /jem doctor -- zebra-program/],
  ['jem record --preset low-memory -- zebra', /jem record --preset low-memory -- zebra-program/],
  ['jem plot quag', /jem plot quagga\.txt/],
  ['jem plot --series reta', /jem plot --series retained/],
  ['jem watch --of allo', /jem watch --of allocated/],
  ['jem watch --do pu', /jem watch --do purge/],
  ['jem top --sort gro', /jem top --sort growth/],
  ['jem stats --mut', /jem stats --mutexes/],
  ['jem explain --dee', /jem explain --deep/],
  ['jem decay --dir', /jem decay --dirty-ms/],
  ['jem ctl lis', /jem ctl list/],
  ['jem ctl 4711 get stats.alloc', /jem ctl 4711 get stats\.allocated/],
];

const DELETE_LINE = '\u0015';

async function typeAll(command: string, setup: (file: string) => string, shell: 'bash' | 'zsh', name: string) {
  const { folder, file, path } = prepare(shell, name);
  const typed = await openTypedShell(command, setup(file), { HOME: folder, PATH: path });
  await typed.enter(`cd ${folder}`);
  for (const [line, completed] of LINES) {
    await typed.type(`${line}\t`, completed);
    await typed.type(`${DELETE_LINE}echo cleared\n`, /\ncleared\n[\s\S]*ready> $/);
  }
}

describe('bash', () => {
  test('completes what is typed, with no completion package loaded', async () => {
    await typeAll('bash --norc --noprofile -i', (file) => `PS1='ready> '; source ${file}`, 'bash', 'jem');
  });
  test('reads the script under set -eu', async () => {
    const { file } = prepare('bash', 'jem');
    const result = await runProgram('bash', ['-euc', `source ${file}; complete -p jem`]);
    expect(result).toMatchObject({ code: 0, stdout: 'complete -F _jem jem\n', stderr: '' });
  });
});

describe('zsh', () => {
  test('completes what is typed, autoloaded from fpath', async () => {
    const setup = (file: string) =>
      `fpath=(${join(file, '..')} $fpath); autoload -Uz compinit; compinit -u -D; PROMPT='ready> '`;
    await typeAll('zsh -f -i', setup, 'zsh', '_jem');
  });
  test('completes what is typed, read with source', async () => {
    const { folder, file, path } = prepare('zsh', 'jem.zsh');
    const setup = `autoload -Uz compinit; compinit -u -D; source ${file}; PROMPT='ready> '`;
    const typed = await openTypedShell('zsh -f -i', setup, { HOME: folder, PATH: path });
    await typed.type('jem comp\t', /jem completion /);
  });
});

describe('fish', () => {
  const complete = async (line: string) => {
    const { folder, file, path } = prepare('fish', 'jem.fish');
    const result = await runProgram(
      'fish',
      ['--no-config', '-c', `source ${file}; complete -C ${JSON.stringify(line)}`],
      {
        cwd: folder,
        env: { HOME: folder, PATH: path },
      },
    );
    expect(result).toMatchObject({ code: 0, stderr: '' });
    return result.stdout.split('\n').map((row) => row.split('\t')[0]);
  };
  test.each(LINES)('%s', async (line, completed) => {
    const words = line.split(' ');
    const before = words.slice(0, -1).join(' ');
    const candidates = await complete(line);
    expect(candidates.map((candidate) => `${before} ${candidate} `).find((text) => completed.test(text))).toBeDefined();
  });
  test('offers verbs with what they do, and no files', async () => {
    const candidates = await complete('jem ');
    expect(candidates).toContain('doctor');
    expect(candidates).not.toContain('quagga.txt');
  });
});

test('an unknown shell is a usage error', async () => {
  const result = await jem(['completion', 'tcsh']);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toMatch(/tcsh.*bash, zsh, fish/);
});
