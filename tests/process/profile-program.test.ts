import { cpSync, existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../support/compile.js';
import { driveJem } from '../support/driven-terminal.js';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { agentOf, childrenOf, socketFolder, until } from '../support/observed-program.js';
import { jem, NODE_MAJORS, nodeBinary, ROOT, runProgram, temporaryFolder } from '../support/programs.js';
import { openJem, type RunningProgram } from '../support/running-program.js';
import { bytesOf, liveBytes, readSaved } from '../support/saved-profiles.js';

const folder = folderForFile();
const sockets = socketFolder(folder);
const env = { ...launchEnvironment(folder), JEMKIT_AGENT_DIR: sockets };
const HOLDER = join(ROOT, 'tests', 'support', 'profiled', 'holder.mjs');
const MIB = 2 ** 20;
const NODE = [process.execPath, HOLDER] as const;

const profile = (options: readonly string[], words: readonly string[]) =>
  jem(['profile', ...options, '--', ...words], { env });

/** Starts a program under `jem profile`, and waits until it is ready and its agent answers. */
async function open(
  options: readonly string[],
  words: readonly string[] = NODE,
): Promise<RunningProgram & { readonly inner: number }> {
  const program = openJem(['profile', ...options, '--', ...words], { env });
  expect(await program.line()).toBe('ready');
  const [inner = -1] = childrenOf(program.pid);
  (await agentOf(inner)).close();
  return { ...program, inner };
}

describe('jem profile -- PROGRAM', () => {
  test.each(NODE_MAJORS)('captures Node %s at its end, with names, and ends as it did', async (major) => {
    const path = join(temporaryFolder(), 'a.pb.gz');
    const code =
      'const kept = []; (function holdBuffers() { for (let i = 0; i < 2000; i++) kept.push(Buffer.alloc(20000)); })(); process.exitCode = 7';
    const result = await profile(['--sample-bytes', '64KiB', '-o', path], [nodeBinary(major), '-e', code]);
    expect(result).toMatchObject({ code: 7, stdout: '' });
    expect(result.stderr).toContain(`look at it: jem report ${path}`);
    const saved = await readSaved(path);
    expect(saved.capture).toMatchObject({ unwinder: 'jemkit', sampleBytes: 65_536 });
    expect(bytesOf(saved, /holdBuffers/)).toBeGreaterThan(34 * MIB);
    expect(bytesOf(saved, /holdBuffers/)).toBeLessThan(46 * MIB);
    expect(readdirSync(join(path, '..'))).toEqual(['a.pb.gz']);
  });

  test('a name of its own where none is given, and the report of it', async () => {
    const cwd = temporaryFolder();
    const { code, stdout } = await jem(['profile', '--report', '--', ...NODE], { env, cwd, input: '' });
    expect(code).toBe(0);
    const [name = ''] = readdirSync(cwd);
    expect(name).toMatch(/^jemkit-node-\d+-\d{8}T\d{6}\.pb\.gz$/);
    expect(stdout).toMatch(/^ready\n/);
    expect(stdout).toContain('holdBuffers');
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s is handed on after a capture, and ends both',
    async (signal) => {
      const path = join(temporaryFolder(), 'a.pb.gz');
      const program = await open(['-o', path]);
      program.child.kill(signal);
      const { code, signal: ended, stderr } = await program.finished;
      expect({ code, ended, stderr }).toMatchObject({
        code: null,
        ended: signal,
        stderr: expect.stringContaining(`jem report ${path}`),
      });
      expect(bytesOf(await readSaved(path), /holdBuffers/)).toBeGreaterThan(10 * MIB);
    },
  );

  test('Ctrl-C in a terminal comes to the program after the capture', async () => {
    const path = join(temporaryFolder(), 'a.pb.gz');
    const end = await driveJem(['profile', '-o', path, '--', ...NODE], [{ expect: 'ready' }, { type: '\u0003' }], env);
    expect(end).toMatchObject({ signal: 2, sameModes: true });
    expect(end.output).toContain(`jem report ${path}`);
    await readSaved(path);
  });

  test('SIGUSR2 to jem captures now; the program does not notice', async () => {
    const out = temporaryFolder();
    const program = await open(['-o', join(out, 'u.heap')]);
    program.child.kill('SIGUSR2');
    await until('the capture', () => existsSync(join(out, 'u-001.heap')));
    expect((await program.end()).code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['u-001.heap', 'u.heap']);
  });

  test('a program that is killed leaves the last of its series, and jem says so', async () => {
    const out = temporaryFolder();
    const program = await open(['--every', '300ms', '-o', join(out, 'k.heap')]);
    await until('the second capture', () => existsSync(join(out, 'k-002.heap')));
    process.kill(program.inner, 'SIGKILL');
    const { signal, stderr } = await program.finished;
    expect(signal).toBe('SIGKILL');
    expect(stderr).toMatch(
      /was killed \(SIGKILL\).*nothing could be captured at its end; the last capture is \S+k-00\d\.heap\n$/,
    );
  });

  test('a program that ends by _exit leaves none, which is said and an error', async () => {
    const out = temporaryFolder();
    const quick = compile(folder, 'quick', '#include <unistd.h>\nint main(void) { _exit(0); }\n');
    const { code, stderr } = await profile(['-o', join(out, 'q.heap')], [quick]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringMatching(/ended with code 0, and left no capture\n {2}hint: .*_exit/),
    });
    expect(readdirSync(out)).toEqual([]);
  });

  test('a native program has the names of its functions; --accum counts what it freed', async () => {
    const path = join(temporaryFolder(), 'n.pb.gz');
    const source = `#include <stdlib.h>
#include <string.h>
void *kept[1000];
__attribute__((noinline)) void hold_some(void) { for (int i = 0; i < 1000; i++) kept[i] = memset(malloc(20000), 1, 20000); }
__attribute__((noinline)) void churn(void) { for (int i = 0; i < 1000; i++) { char *volatile block = malloc(20000); block[0] = 1; free(block); } }
int main(void) { hold_some(); churn(); return 0; }`;
    const native = compile(folder, 'native', source, ['-g', '-O1']);
    expect(await profile(['--accum', '--sample-bytes', '16KiB', '-o', path], [native])).toMatchObject({ code: 0 });
    const saved = await readSaved(path);
    expect(bytesOf(saved, /^hold_some$/) / MIB).toBeCloseTo(19, -1);
    expect(bytesOf(saved, /^churn$/)).toBeLessThan(MIB);
    const allocated = saved.samples.allocatedBytes?.reduce((sum, bytes) => sum + bytes, 0) ?? 0;
    expect(allocated).toBeGreaterThan(1.5 * liveBytes(saved));
  });

  test('with a peak, captures what was held then', async () => {
    const out = temporaryFolder();
    const code =
      'let kept = Buffer.alloc(50e6, 1); setTimeout(() => { kept = undefined; gc(); setTimeout(() => {}, 300) }, 1200)';
    const result = await profile(
      ['--at-peak', '--json', '-o', join(out, 'p.heap')],
      [process.execPath, '--expose-gc', '-e', code],
    );
    const live = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)) as { reason: string; liveBytes: number }[];
    expect(
      Math.max(...live.filter(({ reason }) => reason === 'peak').map(({ liveBytes: bytes }) => bytes)),
    ).toBeGreaterThan(40e6);
  });

  test('--children captures those below, each into its own file; without it says who is not', async () => {
    const out = temporaryFolder();
    const code = `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, [${JSON.stringify(HOLDER)}], { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdout.once('data', () => console.log('ready')); process.stdin.resume().on('end', () => { child.stdin.end(); })`;
    const program = await open(['--children', '-o', join(out, 't.heap')], [process.execPath, '-e', code]);
    const below = await until('the child', () => childrenOf(program.inner)[0]);
    (await agentOf(below)).close();
    program.child.kill('SIGUSR2');
    await until(
      'both',
      () => existsSync(join(out, `t-${below}-001.heap`)) && existsSync(join(out, `t-${program.inner}-001.heap`)),
    );
    await program.end();
    const alone = await open(['-o', join(out, 'a.heap')], [process.execPath, '-e', code]);
    (await agentOf(await until('the child', () => childrenOf(alone.inner)[0]))).close();
    alone.child.kill('SIGUSR2');
    await until('one', () => existsSync(join(out, 'a-001.heap')));
    expect((await alone.end()).stderr).toMatch(/one process below it is not captured \(\d+\): --children/);
  });

  test('works from a folder with a space in its path, where the agent cannot be preloaded', async () => {
    const away = join(temporaryFolder(), 'my tools');
    cpSync(join(ROOT, 'dist'), join(away, 'dist'), { recursive: true });
    for (const name of ['node_modules', 'prebuilds', 'package.json']) symlinkSync(join(ROOT, name), join(away, name));
    const path = join(away, 'a b.pb.gz');
    const result = await runProgram(
      process.execPath,
      [join(away, 'dist', 'cli', 'main.cjs'), 'profile', '-o', path, '--', ...NODE],
      { env: { ...env, NODE_OPTIONS: '--no-warnings' }, input: '' },
    );
    expect(result).toMatchObject({ code: 0, stdout: 'ready\n' });
    expect(result.stderr).toMatch(/nothing can be captured before its end, without the agent/);
    expect(bytesOf(await readSaved(path), /holdBuffers/)).toBeGreaterThan(10 * MIB);
  });
});

describe('what cannot be profiled is not started', () => {
  const started = () => join(folder, 'started');
  const touch = `require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'started'))}, '')`;

  test('one that takes no library', async () => {
    const lone = compile(folder, 'nothing', 'int main(void) { return 0; }\n', ['-static']);
    const { code, stderr } = await profile([], [lone]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringMatching(/^jem: not started.*statically linked/),
    });
  });

  test.each([
    ['a folder that is missing', ['-o', '/no/such/folder/a.heap'], 3, /no such folder/],
    ['no program', [], 127, /no program 'no-such-program'/],
    ['a wrong option of jemalloc', ['--conf', 'narena:2'], 2, /no option 'narena'/],
  ])('%s', async (_what, options, code, message) => {
    const words = code === 127 ? ['no-such-program'] : [process.execPath, '-e', touch];
    expect(await profile(options, words)).toMatchObject({ code, stderr: expect.stringMatching(message) });
    expect(existsSync(started())).toBe(false);
  });

  test('onto a file that is there', async () => {
    const path = join(temporaryFolder(), 'a.heap');
    writeFileSync(path, 'mine');
    expect(await profile(['-o', path], [process.execPath, '-e', touch])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/there already/),
    });
    expect(existsSync(started())).toBe(false);
  });
});
