import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseProbeOutput } from '../../src/sources/process/probe-output.js';
import { compile } from '../support/compile.js';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { jemallocLibrary, ROOT, runProgram } from '../support/programs.js';

const folder = folderForFile();
const AGENT = join(ROOT, 'prebuilds', `linux-${process.arch}-glibc`, 'libjemkit.so');

// Starts a program with exactly the environment entries on its stdin, each ended by a NUL: also such as no shell could make.
const LAUNCHER = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  static char block[1 << 21];
  static char *entries[4096];
  size_t length = fread(block, 1, sizeof block - 1, stdin), count = 0;
  for (size_t at = 0; at < length && count < 4095; at += strlen(block + at) + 1) entries[count++] = block + at;
  return argc > 1 ? (execve(argv[1], argv + 1, entries), perror("execve"), 99) : 98;
}`;

// Prints its environment, each entry ended by a NUL, as the program sees it.
const SHOW = `
#include <stdio.h>
#include <string.h>
extern char **environ;
int main(void) {
  for (char **entry = environ; *entry; entry++) fwrite(*entry, 1, strlen(*entry) + 1, stdout);
  return 0;
}`;

let launcher: string;
let show: string;
let sanitized: string;
let sanitizer: string;

beforeAll(() => {
  launcher = compile(folder, 'launcher', LAUNCHER);
  show = compile(folder, 'show', SHOW);
  execFileSync(process.execPath, [join(ROOT, 'native', 'build.mjs'), '--sanitize', '--into', folder]);
  sanitized = join(folder, 'libjemkit.so');
  sanitizer = execFileSync('cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
});

/** Runs the program that shows its environment under the sanitized agent, with exactly these entries beside LD_PRELOAD. */
function run(entries: readonly (string | Buffer)[]): { status: number | null; stdout: Buffer; stderr: string } {
  const preload = `LD_PRELOAD=${sanitizer}:${sanitized}`;
  const all = [...entries, preload, 'ASAN_OPTIONS=detect_leaks=0', 'UBSAN_OPTIONS=print_stacktrace=1'];
  const input = Buffer.concat(all.flatMap((entry) => [Buffer.from(entry), Buffer.of(0)]));
  const { status, stdout, stderr } = spawnSync(launcher, [show], { input, env: {} });
  return { status, stdout, stderr: stderr.toString() };
}

const entriesOf = (stdout: Buffer) => stdout.toString('latin1').split('\0').slice(0, -1);

describe('under the address and undefined-behaviour sanitizers', () => {
  test('they are there, and would say so', () => {
    const symbols = execFileSync('nm', ['-D', sanitized], { encoding: 'utf8' });
    expect(symbols).toMatch(/U __asan_report_load/);
    expect(symbols).toMatch(/U __ubsan_handle_/);
  });

  test('without its variables it changes nothing', () => {
    const { status, stdout, stderr } = run(['A=1', 'B=']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(entriesOf(stdout).slice(0, 2)).toEqual(['A=1', 'B=']);
  });

  test('scope: whatever the environment holds, jemkit’s entries go, saved ones come back, and all else stays in order', () => {
    const text = fc.stringMatching(/^[ -~]{0,12}$/);
    const entry = fc.oneof(
      text.map((value) => `JEMKIT_SCOPE_LD_PRELOAD=${value}`),
      text.map((value) => `JEMKIT_SCOPE_MALLOC_CONF=${value}`),
      text.map((value) => `MALLOC_CONF=${value}`),
      text.map((value) => `JEMKIT_SCOPE_JEMKIT_AGENT=${value}`),
      // One that starts nothing, whatever the build is.
      fc.constant('JEMKIT_AGENT=0'),
      text.map((value) => `OTHER=${value}`),
      fc.constantFrom(
        'JEMKIT_SCOPE_',
        'JEMKIT_SCOPED=1',
        'JEMKIT_SCOPE_=',
        'MALLOC_CONFX=1',
        'no equals',
        '=',
        '=C:=x',
        'LD_PRELOADER=1',
      ),
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
        const { status, stdout, stderr } = run([...entries, `JEMKIT_SCOPE=${show}`]);
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
        const expected = [...entries, 'ASAN_OPTIONS=detect_leaks=0', 'UBSAN_OPTIONS=print_stacktrace=1']
          .filter((text) => !/^(MALLOC_CONF|JEMKIT_AGENT)=/.test(text))
          .map((text) => (text.startsWith('JEMKIT_SCOPE_') ? text.slice('JEMKIT_SCOPE_'.length) : text));
        expect(entriesOf(stdout)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ['another program', '/no/such/program'],
    ['nothing', ''],
    ['a value longer than any path', 'x'.repeat(100_000)],
  ])('scope of %s changes nothing', (_name, value) => {
    const { status, stdout, stderr } = run(['MALLOC_CONF=narenas:2', `JEMKIT_SCOPE=${value}`]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(entriesOf(stdout).slice(0, 2)).toEqual(['MALLOC_CONF=narenas:2', `JEMKIT_SCOPE=${value}`]);
  });

  test('scope given twice', () => {
    const { status, stdout, stderr } = run([
      `JEMKIT_SCOPE=${show}`,
      'A=1',
      `JEMKIT_SCOPE=${show}`,
      `LD_PRELOAD=${sanitizer}:${sanitized}`,
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(entriesOf(stdout).filter((entry) => /JEMKIT|LD_PRELOAD/.test(entry))).toEqual([]);
  });

  test('probe: whatever is asked, one whole answer', () => {
    const question = fc.oneof(
      fc.stringMatching(/^[ -~]{0,20}$/),
      fc.constantFrom(
        's:version',
        'b:config.prof',
        'z:arenas.page',
        'u:arenas.narenas',
        'q:epoch',
        'd:opt.dirty_decay_ms',
        'x:version',
        's:',
        ':',
        '',
        '%s%n%s',
        `s:${'a'.repeat(200)}`,
        's:opt.',
      ),
    );
    fc.assert(
      fc.property(fc.array(question, { maxLength: 30 }), (questions) => {
        const { status, stdout, stderr } = run([`JEMKIT_PROBE=${questions.join(',')}`]);
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
        expect(parseProbeOutput(stdout.toString())).toMatchObject({ kind: 'works', serving: 'system', answers: {} });
      }),
      { numRuns: 30 },
    );
  });

  test('probe: very many questions', () => {
    const { status, stdout, stderr } = run([`JEMKIT_PROBE=${'s:version,'.repeat(10_000)}`]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(parseProbeOutput(stdout.toString())?.kind).toBe('works');
  });

  test('the addon refuses wrong arguments', () => {
    const addon = join(folder, 'jemkit.node');
    const code = `const addon = require(${JSON.stringify(addon)});
const bad = [undefined, null, 0, -1, 1.5, NaN, '', 'x', [], {}, Buffer.alloc(0), Buffer.from('a\\0b'), [1], [Buffer.from('a\\0b')], Symbol.iterator, 2 ** 40];
let refused = 0, answered = 0;
for (const name of Object.keys(addon))
  for (const a of bad) for (const b of bad) for (const c of [undefined, true, 7]) {
    if (name === 'setOpenFilesSoftLimit' || name === 'setInheritable') continue;
    try { addon[name](a, b, c); answered++; } catch (error) { if (!(error instanceof Error)) throw error; refused++; }
  }
for (const value of bad) { try { addon.setInheritable(value, value); } catch { refused++; } }
console.log(addon.setInheritable(999999, true), addon.replaceProcess(Buffer.from('/no/such'), [Buffer.from('x')], false), addon.hasFileCapabilities(Buffer.from('/no/such')), addon.setOpenFilesSoftLimit(2 ** 52));`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', code], {
      env: { PATH: process.env['PATH'], LD_PRELOAD: sanitizer, ASAN_OPTIONS: 'detect_leaks=0' },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe('9 2 false 22\n');
  });
});

describe('harmless', () => {
  // Closes what it did not open, as daemons do, then works on.
  const CLOSER = `
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void) {
  for (int fd = 3; fd < 4096; fd++) close(fd);
  void *blocks[100];
  for (int i = 0; i < 100; i++) blocks[i] = malloc(1000 + i);
  for (int i = 0; i < 100; i++) free(blocks[i]);
  puts(fork() == 0 ? "child" : "parent");
  return 4;
}`;

  const programs = (): Record<string, readonly string[]> => ({
    sh: ['sh', '-c', 'echo "$0" | tr x y; exit 3', 'x'],
    'bash, which has a getenv of its own': ['bash', '-c', 'export A=1; unset HOME; env | grep -c ^A=; exit 3'],
    python3: [
      '/usr/bin/python3',
      '-c',
      'import os, sys, threading; t = threading.Thread(target=print, args=(len(os.listdir("/proc/self/fd")),)); t.start(); t.join(); sys.exit(3)',
    ],
    'a program that closes every descriptor': [compile(folder, 'closer', CLOSER)],
    node: [process.execPath, '-p', 'process.env.A'],
  });

  test.each(['sh', 'bash, which has a getenv of its own', 'python3', 'a program that closes every descriptor', 'node'])(
    'in %s',
    async (name) => {
      const [path = '', ...args] = programs()[name] ?? [];
      const without = await runProgram(path, args, { env: { A: '1' } });
      for (const variables of [{}, { JEMKIT_SCOPE: '/no/such/program' }]) {
        const within = await runProgram(path, args, { env: { A: '1', LD_PRELOAD: AGENT, ...variables } });
        // Parent and child of a fork may write in either order.
        const sorted = (text: string) => text.split('\n').sort();
        expect({ ...within, stdout: sorted(within.stdout) }).toEqual({ ...without, stdout: sorted(without.stdout) });
      }
    },
  );

  test('it says who serves, and runs nothing of the program', async () => {
    const marker = join(folder, 'marker');
    const { stdout, code } = await runProgram('touch', [marker], {
      env: {
        ...launchEnvironment(folder),
        LD_PRELOAD: `${AGENT}:${jemallocLibrary()}`,
        JEMKIT_PROBE: 's:version,b:config.prof',
      },
    });
    expect({ code, ran: existsSync(marker) }).toEqual({ code: 0, ran: false });
    expect(parseProbeOutput(stdout)).toMatchObject({
      kind: 'works',
      serving: 'jemalloc',
      version: expect.stringMatching(/^\d/),
    });
  });
});
