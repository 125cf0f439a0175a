import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { JEM, jem, jemallocLibrary, ROOT, runProgram } from '../support/programs.js';
import { type OpenOptions, openProgram, type RunningProgram } from '../support/running-program.js';
import { installForStrangers, mayChangeUser } from '../support/stranger.js';

const SOURCE = `
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  void *volatile block = malloc(100);
  free(block);
  if (argc > 1 && !dlopen(argv[1], RTLD_NOW)) return fputs(dlerror(), stderr), 1;
  puts("ready");
  fflush(stdout);
  getchar();
  return 0;
}`;
const STATIC_SOURCE = SOURCE.replace(/.*dlopen.*\n/, '').replace('#include <dlfcn.h>\n', '');

let folder: string;
const built = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jemkit-ps-'));
  chmodSync(folder, 0o755);
  const compile = (compiler: string, name: string, source: string, ...flags: string[]) => {
    writeFileSync(built(`${name}.c`), source);
    execFileSync(compiler, [built(`${name}.c`), '-o', built(name), ...flags]);
  };
  compile('gcc', 'plain', SOURCE);
  compile('gcc', 'linked', SOURCE, '-Wl,--no-as-needed', jemallocLibrary(), `-Wl,-rpath,${dirname(jemallocLibrary())}`);
  compile('gcc', 'fixed', STATIC_SOURCE, '-static');
  compile('musl-gcc', 'musl', STATIC_SOURCE);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(path: string, args: readonly string[] = [], options: OpenOptions = {}): Promise<RunningProgram> {
  const program = openProgram(path, args, options);
  expect(await program.line()).toBe('ready');
  return program;
}

interface PsProcess {
  readonly pid: number;
  readonly user: string;
  readonly command: string;
  readonly residentBytes: number;
  readonly argv?: readonly string[];
  readonly identity: Record<string, unknown>;
}

async function list(args: readonly string[] = [], options: Parameters<typeof jem>[1] = {}): Promise<PsProcess[]> {
  const { code, stdout, stderr } = await jem(['ps', '--json', ...args], options);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { processes: PsProcess[] }).processes;
}

async function identityOf(program: RunningProgram): Promise<Record<string, unknown>> {
  const found = (await list()).find(({ pid }) => pid === program.pid);
  expect(found?.residentBytes).toBeGreaterThan(0);
  return found?.identity ?? {};
}

const library = (name: string) => join(dirname(jemallocLibrary()), name);
const READY = 'console.log("ready"); process.stdin.resume()';

describe('which allocator serves a process', () => {
  test('node as it is', async () => {
    expect(await identityOf(await start(process.execPath, ['-e', READY]))).toMatchObject({
      kind: 'identified',
      allocator: 'system',
      arrival: 'system',
      evidence: 'got',
      standing: 'serving',
      libc: 'glibc',
    });
  });

  test.each([
    ['jemalloc', () => jemallocLibrary()],
    ['mimalloc', () => library('libmimalloc.so.2')],
    ['tcmalloc', () => library('libtcmalloc_minimal.so.4')],
  ])('node with %s preloaded', async (allocator, path) => {
    const program = await start(process.execPath, ['-e', READY], { env: { LD_PRELOAD: path() } });
    expect(await identityOf(program)).toMatchObject({
      allocator,
      arrival: 'preload',
      evidence: 'got',
      standing: 'serving',
      version: expect.any(String),
    });
  });

  test('a program that is linked to jemalloc', async () => {
    expect(await identityOf(await start(built('linked')))).toMatchObject({
      allocator: 'jemalloc',
      arrival: 'linked',
      evidence: 'got',
    });
  });

  test('mapped but not serving: behind another in LD_PRELOAD', async () => {
    const env = { LD_PRELOAD: `${library('libmimalloc.so.2')}:${jemallocLibrary()}` };
    expect(await identityOf(await start(built('plain'), [], { env }))).toMatchObject({
      allocator: 'mimalloc',
      beside: [{ allocator: 'jemalloc', standing: 'not-serving' }],
    });
  });

  test('mapped but not serving: loaded after the start', async () => {
    // Debian's jemalloc wants static TLS, of which glibc keeps little for libraries that come later.
    const env = { GLIBC_TUNABLES: 'glibc.rtld.optional_static_tls=16384' };
    expect(await identityOf(await start(built('plain'), [jemallocLibrary()], { env }))).toMatchObject({
      allocator: 'system',
      beside: [{ allocator: 'jemalloc', standing: 'not-serving', arrival: 'dlopen' }],
    });
  });

  test('a static program', async () => {
    expect(await identityOf(await start(built('fixed')))).toMatchObject({
      allocator: 'system',
      arrival: 'static',
      standing: 'built-in',
    });
  });

  test('a musl program', async () => {
    expect(await identityOf(await start(built('musl')))).toMatchObject({
      allocator: 'system',
      libc: 'musl',
      evidence: 'got',
      version: expect.any(String),
    });
  });

  test('a library and an executable that were deleted', async () => {
    const copy = built('libsome.so');
    copyFileSync(jemallocLibrary(), copy);
    copyFileSync(built('plain'), built('gone'));
    chmodSync(built('gone'), 0o755);
    const program = await start(built('gone'), [], { env: { LD_PRELOAD: copy } });
    rmSync(copy);
    rmSync(built('gone'));
    expect(await identityOf(program)).toMatchObject({
      allocator: 'jemalloc',
      evidence: 'got',
      file: { path: copy, deleted: true },
    });
  });
});

test("another user's process is 'no permission', never a guess", async () => {
  const program = await start(built('plain'), [], { env: { LD_PRELOAD: jemallocLibrary() } });
  const stranger = installForStrangers(folder);
  // As an ordinary user we are the stranger ourselves, to the first process.
  const other = mayChangeUser ? program.pid : 1;
  const { stdout: json } = await stranger(['ps', '--json']);
  const found = (JSON.parse(json) as { processes: PsProcess[] }).processes.find(({ pid }) => pid === other);
  expect(found?.identity).toEqual({ kind: 'no-permission' });
  const { stdout: filtered } = await stranger(['ps', '--json', '--allocator', 'jemalloc']);
  expect((JSON.parse(filtered) as { processes: PsProcess[] }).processes.map(({ pid }) => pid)).not.toContain(other);
  const { stdout } = await stranger(['ps']);
  expect(stdout).toMatch(new RegExp(`^\\s*${other}\\s+\\S+\\s+[\\d.]+\\s+no permission\\s+-\\s+-\\s+-\\s+\\S`, 'm'));
});

test('threads of the kernel are left out unless asked for', async () => {
  expect((await list()).filter(({ identity }) => identity['kind'] === 'kernel-thread')).toEqual([]);
  const all = await list(['--all']);
  expect(all.length).toBeGreaterThan(0);
});

test('command lines may hold secrets and are shortened', async () => {
  const program = await start(process.execPath, ['-e', READY, '--', '--password=hunter2']);
  const short = await jem(['ps', '--json']);
  expect(short.stdout).not.toContain('hunter2');
  expect((await list()).find(({ pid }) => pid === program.pid)?.command).toBe('node -e …');
  expect((await list(['--args'])).find(({ pid }) => pid === program.pid)?.argv).toContain('--password=hunter2');
});

test('orders and filters', async () => {
  const program = await start(built('plain'), [], { env: { LD_PRELOAD: jemallocLibrary() } });
  const pids = (await list(['--sort', 'pid'])).map(({ pid }) => pid);
  expect(pids).toEqual([...pids].sort((a, b) => a - b));
  const sizes = (await list(['--sort', 'rss'])).map(({ residentBytes }) => residentBytes ?? -1);
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  const jemallocs = await list(['--allocator', 'jemalloc']);
  expect(jemallocs.map(({ pid }) => pid)).toContain(program.pid);
  expect((await list(['--allocator', 'tcmalloc'])).map(({ pid }) => pid)).not.toContain(program.pid);
});

test('the table has a head and a line for each process', async () => {
  const program = await start(built('plain'), [], { env: { LD_PRELOAD: jemallocLibrary() } });
  const { stdout, code } = await jem(['ps', '--sort', 'pid']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ *PID +USER +RSS MiB +ALLOCATOR +HOW +VERSION +EVIDENCE +COMMAND$/m);
  expect(stdout).toMatch(
    new RegExp(`^ *${program.pid} +\\S+ +[\\d.]+ +jemalloc +preload +\\d+\\.\\d+\\.\\d+ +got +plain$`, 'm'),
  );
});

test('a terminal that says it has no columns and no lines gets a table', async () => {
  const pty = join(ROOT, 'tests', 'support', 'pty-run.py');
  const { stdout } = await runProgram('/usr/bin/python3', [pty, process.execPath, JEM, 'ps'], { env: { TYPE: '' } });
  const { code, output } = JSON.parse(stdout) as { code: number; output: string };
  expect([code, output]).toEqual([0, expect.stringContaining('PID')]);
});

test('a full disk is named, and no bug of jemkit', async () => {
  const { code, stderr } = await runProgram('sh', ['-c', '"$@" >/dev/full', 'sh', process.execPath, JEM, 'ps']);
  expect([code, stderr]).toEqual([
    3,
    expect.stringContaining('jem: cannot write the output: the disk is full (ENOSPC)'),
  ]);
});

test.each([[['--sort', 'size']], [['--allocator', 'hoard']], [['--watch', '0']], [['--watch', '--json']], [['4711']]])(
  '%j is a usage error',
  async (args) => {
    const { code, stderr, stdout } = await jem(['ps', ...args]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^jem: /);
  },
);

test('a damaged cache is read again from the files', async () => {
  const cache = join(folder, 'cache');
  const env = { JEMKIT_CACHE_DIR: cache };
  const program = await start(built('plain'), [], { env: { LD_PRELOAD: jemallocLibrary() } });
  await list([], { env });
  writeFileSync(join(cache, 'image-facts.json'), '{"version":1,"images":{"a":');
  const found = (await list([], { env })).find(({ pid }) => pid === program.pid);
  expect(found?.identity).toMatchObject({ allocator: 'jemalloc', evidence: 'got' });
});
