import { homedir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ResidentBreakdown, ResidentPart, ResidentVerdict } from '../../src/model/resident-breakdown.js';
import { readPeakResidentBytes, readResidentBytes } from '../../src/sources/procfs/resident-memory.js';
import { compile } from '../support/compile.js';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { agentOf, socketFolder, until } from '../support/observed-program.js';
import { JEM, jem, jemallocLibrary, nodeBinary, ROOT, runProgram } from '../support/programs.js';
import { openProgram, type RunningProgram } from '../support/running-program.js';
import { installForStrangers, mayChangeUser } from '../support/stranger.js';

const MIB = 2 ** 20;
const folder = folderForFile();
const env = { ...launchEnvironment(join(folder, 'cache')), JEMKIT_AGENT_DIR: socketFolder(folder) };
const packages = process.env['JEMKIT_TEST_PACKAGES'] ?? join(homedir(), '.cache', 'jemkit-dev', 'packages');

interface Explained extends ResidentBreakdown {
  readonly verdicts: readonly ResidentVerdict[];
  readonly inside: Readonly<Record<string, unknown>>;
  readonly mappings?: ReadonlyArray<{ readonly owner: string; readonly residentBytes: number }>;
}

async function explain(pid: number, args: readonly string[] = []): Promise<Explained> {
  const { code, stdout, stderr } = await jem(['explain', String(pid), '--json', ...args], { env });
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Explained;
}

function bytesOf({ rows }: Explained, ...parts: readonly ResidentPart[]): number {
  return rows.reduce((total, row) => total + (parts.includes(row.part) ? row.bytes : 0), 0);
}

/** What no row names, and what rows count that is not there, as a share of RSS. */
const error = ({ unexplainedBytes, untouchedBytes, residentBytes }: Explained) =>
  (unexplainedBytes + untouchedBytes) / residentBytes;

/** The account is of the process as the kernel counts it at this moment, and adds up to that. */
function expectAccount(explained: Explained, pid: number): void {
  const now = readResidentBytes(pid) ?? 0;
  expect(Math.abs(explained.residentBytes - now)).toBeLessThan(now * 0.02);
  expect(explained.residentBytes).toBeLessThanOrEqual((readPeakResidentBytes(pid) ?? 0) + MIB);
  const sum = explained.rows.reduce((total, { bytes }) => total + bytes, 0);
  expect(Math.abs(sum - explained.residentBytes)).toBeLessThan(1);
}

async function startReady(path: string, args: readonly string[], variables = {}): Promise<RunningProgram> {
  const program = openProgram(path, args, { env: { ...env, ...variables } });
  await until('readiness', async () => (await program.line()) === 'ready');
  return program;
}

const startUnderJem = (args: readonly string[], ...command: readonly string[]) =>
  startReady(process.execPath, [JEM, 'run', ...args, '--', ...command]);

describe.each([20, 24] as const)('a server of 500 MB with V8 heap, Buffers, workers and sharp on Node %d', (major) => {
  interface Told {
    readonly threads: ReadonlyArray<{ readonly bufferBytes: number; readonly heapPhysical: number }>;
  }

  test('parts are within 2 % of RSS, and are what the server says it holds', async () => {
    const server = openProgram(
      process.execPath,
      [JEM, 'run', '--', nodeBinary(major), join(ROOT, 'tests', 'support', 'explained', 'server.mjs')],
      { env: { ...env, JEMKIT_DIST: join(ROOT, 'dist'), SHARP: packages, HOLD: '140,130,2' } },
    );
    const { threads } = JSON.parse(await server.line()) as Told;
    const buffers = threads.reduce((total, { bufferBytes }) => total + bufferBytes, 0);
    const physical = threads.reduce((total, { heapPhysical }) => total + heapPhysical, 0);
    const explained = await explain(server.pid);
    expectAccount(explained, server.pid);
    const rss = explained.residentBytes;
    expect(rss).toBeGreaterThan(450 * MIB);
    expect(error(explained), JSON.stringify(explained.rows, undefined, 1)).toBeLessThan(0.02);
    // V8's own books are told by the isolates, its mappings by the kernel: two accounts of the same.
    expect(Math.abs(bytesOf(explained, 'v8-heap', 'v8-code') - physical)).toBeLessThan(rss * 0.02);
    expect(bytesOf(explained, 'array-buffers')).toBeGreaterThan(buffers);
    expect(bytesOf(explained, 'array-buffers') - buffers).toBeLessThan(rss * 0.02);
    expect(bytesOf(explained, 'jemalloc-live')).toBeGreaterThan(0);
    const files = explained.rows.filter(({ part }) => part === 'file').map(({ label }) => label);
    expect(files.some((path) => path.includes('libvips'))).toBe(true);
    expect((explained.inside['node'] as { isolates: unknown[] }).isolates).toHaveLength(3);
    expect(await server.end()).toMatchObject({ code: 0, signal: null });
  });
});

describe('other programs, within 3 %', () => {
  test('redis-server', async () => {
    const socket = join(folder, 'redis.sock');
    const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--enable-debug-command', 'local'];
    const program = openProgram(process.execPath, [JEM, 'run', '--agent', '--', 'redis-server', ...args], { env });
    const cli = async (...words: string[]) => (await runProgram('redis-cli', ['-s', socket, ...words])).stdout.trim();
    await until('redis', async () => (await cli('ping')) === 'PONG');
    expect(await cli('debug', 'populate', '300000', 'key', '300')).toBe('OK');
    (await agentOf(program.pid)).close();
    const explained = await explain(program.pid);
    expectAccount(explained, program.pid);
    expect(error(explained), JSON.stringify(explained.rows)).toBeLessThan(0.03);
    expect(bytesOf(explained, 'jemalloc-live')).toBeGreaterThan(300_000 * 300);
    expect(explained.verdicts[0]?.kind).toBe('native-live');
  });

  test('ruby', async () => {
    const script = '$held = Array.new(100_000) { |i| "x" * 1000 }; puts "ready"; $stdout.flush; gets';
    const program = await startUnderJem(['--agent'], 'ruby', '-e', script);
    (await agentOf(program.pid)).close();
    const explained = await explain(program.pid);
    expectAccount(explained, program.pid);
    expect(error(explained), JSON.stringify(explained.rows)).toBeLessThan(0.03);
    expect(bytesOf(explained, 'jemalloc-live')).toBeGreaterThan(100_000 * 1000);
    // 40 bytes an object, on pages that Ruby maps.
    expect(bytesOf(explained, 'ruby-heap')).toBeGreaterThan(100_000 * 40);
  });
});

describe('from outside', () => {
  const HOLD = 'globalThis.held = Array.from({ length: 60 }, () => Buffer.alloc(2 ** 20, 1));';
  const READY = `${HOLD} console.log("ready"); process.stdin.resume()`;

  test('jemalloc without an agent is one row, and that is said', async () => {
    const program = await startReady(process.execPath, ['-e', READY], { LD_PRELOAD: jemallocLibrary() });
    const explained = await explain(program.pid);
    expectAccount(explained, program.pid);
    expect(error(explained)).toBeLessThan(0.02);
    expect(bytesOf(explained, 'jemalloc')).toBeGreaterThan(60 * MIB);
    expect(bytesOf(explained, 'jemalloc')).toBeLessThan(90 * MIB);
    const { stdout } = await jem(['explain', String(program.pid)], { env });
    expect(stdout).toContain('no agent inside: not split');
    expect(stdout).toMatch(/100\.0 +RSS, as the kernel counts it/);
  });

  test('glibc: heap, arenas and large blocks, told apart', async () => {
    const program = await startReady(process.execPath, ['-e', READY]);
    const explained = await explain(program.pid, ['--mappings']);
    expectAccount(explained, program.pid);
    expect(error(explained)).toBeLessThan(0.02);
    const row = explained.rows.find(({ part }) => part === 'malloc');
    const large = row?.parts?.find(({ label }) => label.includes('mapping of their own'))?.bytes ?? 0;
    expect(large).toBeGreaterThanOrEqual(60 * MIB);
    expect(large).toBeLessThan(64 * MIB);
    expect(bytesOf(explained, 'v8-heap')).toBeGreaterThan(2 * MIB);
    expect(explained.verdicts[0]).toMatchObject({ kind: 'glibc', certainty: 'suspected' });
    expect(explained.mappings?.[0]?.residentBytes).toBeGreaterThan(0);
  });

  describe('programs in C', () => {
    const SOURCE = `
      #define _GNU_SOURCE
      #include <fcntl.h>
      #include <pthread.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <unistd.h>
      static pthread_barrier_t deep;
      static void *work(void *unused) {
        volatile char block[2 << 20];
        for (int i = 0; i < sizeof block; i += 512) block[i] = 1;
        pthread_barrier_wait(&deep);
        for (;;) pause();
        return unused;
      }
      int main(int argc, char **argv) {
        if (!strcmp(argv[1], "heap")) {
          for (int i = 0; i < 40000; i++) memset(malloc(1000), 1, 1000);
        } else if (!strcmp(argv[1], "threads")) {
          pthread_barrier_init(&deep, NULL, 41);
          for (int i = 0; i < 40; i++) { pthread_t thread; pthread_create(&thread, NULL, work, NULL); }
          pthread_barrier_wait(&deep);
        } else {
          int file = !strcmp(argv[1], "file") ? open(argv[2], O_RDWR | O_CREAT, 0600) : memfd_create("shared", 0);
          if (ftruncate(file, 48 << 20)) return 1;
          char *map = mmap(NULL, 48 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
          memset(map, 1, 48 << 20);
          if (argc > 3) { char *own = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0); memset(own, 2, 8 << 20); }
        }
        puts("ready");
        fflush(stdout);
        getchar();
        return 0;
      }`;
    let dynamic: string;
    let fixed: string;
    beforeAll(() => {
      dynamic = compile(folder, 'holds', SOURCE, ['-pthread']);
      fixed = compile(folder, 'holds-static', SOURCE, ['-pthread', '-static']);
    });

    test.each(['dynamic', 'static'])('a %s program that holds 40 MB of malloc', async (kind) => {
      const program = await startReady(kind === 'static' ? fixed : dynamic, ['heap']);
      const explained = await explain(program.pid);
      expectAccount(explained, program.pid);
      expect(bytesOf(explained, 'malloc') / MIB).toBeGreaterThan(38);
      expect(error(explained)).toBeLessThan(0.02);
      expect(explained.verdicts[0]?.kind).toBe('glibc');
    });

    test('40 threads of 2 MiB of stack', async () => {
      const program = await startReady(dynamic, ['threads']);
      const explained = await explain(program.pid);
      expectAccount(explained, program.pid);
      expect(bytesOf(explained, 'stack') / MIB).toBeGreaterThan(80);
      expect(error(explained)).toBeLessThan(0.02);
      expect(explained.verdicts[0]?.kind).toBe('threads');
    });

    test('a mapped file, with pages of its own', async () => {
      const path = join(folder, 'mapped-file');
      const program = await startReady(dynamic, ['file', path, 'own']);
      const explained = await explain(program.pid);
      expectAccount(explained, program.pid);
      const row = explained.rows.find(({ label }) => label === path);
      expect((row?.bytes ?? 0) / MIB).toBeGreaterThanOrEqual(56);
      expect(row?.parts).toContainEqual({ label: 'own copies', bytes: 8 * MIB });
      expect(explained.verdicts[0]?.kind).toBe('mapped-files');
    });

    test('shared memory', async () => {
      const program = await startReady(dynamic, ['memory']);
      const explained = await explain(program.pid);
      expectAccount(explained, program.pid);
      expect(bytesOf(explained, 'shared-memory')).toBe(48 * MIB);
      expect(explained.verdicts[0]?.kind).toBe('shared-memory');
    });
  });

  test("another user's process: what everybody may know, and exit 3", async () => {
    const program = await startReady(process.execPath, ['-e', READY]);
    const stranger = installForStrangers(folder);
    const other = mayChangeUser ? program.pid : 1;
    const text = await stranger(['explain', String(other)]);
    expect([text.code, text.stdout]).toEqual([3, '']);
    expect(text.stderr).toMatch(/only the kernel's sums can be read: RSS [\d.]+ \w+; anonymous/);
    expect(text.stderr).toContain('hint: sudo');
    const json = await stranger(['explain', String(other), '--json']);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({
      kind: 'no-permission',
      memory: { residentBytes: expect.any(Number) },
    });
  });
});

describe('verdicts', () => {
  const start = (name: string, major: 20 | 24, ...options: string[]) =>
    startUnderJem(options, nodeBinary(major), join(ROOT, 'examples', 'high-rss', `${name}.mjs`));

  test.each([
    ['leak', 'native-live', 24, []],
    ['fragmentation', 'fragmentation', 20, []],
    ['undecayed', 'undecayed', 20, ['--preset', 'none']],
    ['v8-heap', 'v8-heap', 24, []],
  ] as const)('%s: %s (Node %d)', async (name, kind, major, options) => {
    const program = await start(name, major, ...options);
    const { verdicts } = await explain(program.pid);
    expect(verdicts[0]).toMatchObject({ kind, certainty: 'proven' });
    expect(verdicts[0]?.remedies.length).toBeGreaterThan(0);
    if (kind !== 'undecayed') return;
    expect((await jem(['purge', String(program.pid)], { env })).code).toBe(0);
    expect((await explain(program.pid)).verdicts.map((verdict) => verdict.kind)).not.toContain('undecayed');
  });

  test('Buffer pool pinning is suspected from outside, and proven on request (Node 20 and 24)', async () => {
    const prove = async (major: 20 | 24) => {
      const program = await start('buffer-pool', major);
      const suspected = await explain(program.pid);
      expect(suspected.verdicts.at(-1), `Node ${major}`).toMatchObject({ kind: 'buffer-pool', certainty: 'suspected' });
      const proven = await explain(program.pid, ['--deep']);
      expect(proven.verdicts[0], `Node ${major}`).toMatchObject({ kind: 'buffer-pool', certainty: 'proven' });
      expect(proven.verdicts[0]?.evidence[0]).toMatch(/Buffers cover \d+\.\d % of their bytes/);
    };
    await Promise.all([prove(20), prove(24)]);
  });
});

test('workers come and go: each tells of its own heap while it lives', async () => {
  const observe = JSON.stringify(join(ROOT, 'dist', 'control', 'observe', 'observe-process.js'));
  const inWorker = `import(${observe}).then(({ observeProcess }) => {
    observeProcess();
    require('node:worker_threads').parentPort.once('message', () => process.exit(0)).postMessage('ready');
  })`;
  const script = `import(${observe}).then(async ({ observeProcess }) => {
    const { Worker } = require('node:worker_threads');
    const observation = observeProcess();
    const workers = [1, 2, 3].map(() => new Worker(${JSON.stringify(inWorker)}, { eval: true }));
    await Promise.all(workers.map((worker) => new Promise((done) => worker.once('message', done))));
    console.log('ready');
    process.stdin.on('data', (line) => {
      if (String(line) === 'close\\n') return observation.close(), console.log('closed');
      workers.forEach((worker) => worker.postMessage('end'));
      Promise.all(workers.map((worker) => new Promise((done) => worker.once('exit', done)))).then(() => console.log('ended'));
    });
  })`;
  const program = await startReady(process.execPath, ['-e', script]);
  const isolates = async () => {
    const { inside } = await explain(program.pid);
    return (inside['node'] as { isolates: { threadId: number }[] } | undefined)?.isolates.map(
      ({ threadId }) => threadId,
    );
  };
  expect((await isolates())?.sort()).toEqual([0, 1, 2, 3]);
  program.child.stdin?.write('end\n');
  expect(await program.line()).toBe('ended');
  expect(await isolates()).toEqual([0]);
  program.child.stdin?.write('close\n');
  expect(await program.line()).toBe('closed');
  expect(await isolates()).toBeUndefined();
  expect(await program.end()).toMatchObject({ code: 0 });
});

describe('what can go wrong', () => {
  test('JavaScript that is busy: what it said last is said to be old, and nobody waits for it', async () => {
    const observe = JSON.stringify(join(ROOT, 'dist', 'control', 'observe', 'observe-process.js'));
    const script = `import(${observe}).then(({ observeProcess }) => {
      observeProcess();
      console.log('ready');
      setTimeout(() => { console.log('busy'); for (const end = Date.now() + 60_000; Date.now() < end;); }, 50);
    })`;
    const program = await startReady(process.execPath, ['-e', script], { LD_PRELOAD: jemallocLibrary() });
    expect(await program.line()).toBe('busy');
    const { notes } = await until('words that are old', async () => {
      const explained = await explain(program.pid);
      return explained.notes.length > 0 && explained;
    });
    expect(notes.join()).toMatch(/what V8 says .* is [\d.]+ s old/);
  });

  test('--deep where nobody can count', async () => {
    const program = await startReady(process.execPath, ['-e', 'console.log("ready"); process.stdin.resume()']);
    const { code, stderr, stdout } = await jem(['explain', String(program.pid), '--deep'], { env });
    expect(code).toBe(0);
    expect(stderr).toContain(`nobody in process ${program.pid} can count its Buffers`);
    expect(stdout).toContain('RSS, as the kernel counts it');
  });

  test.each([
    [['4194303'], 3],
    [['--watch', '--json', '1'], 2],
    [['--watch', '0', '1'], 2],
    [['no-such-program'], 3],
  ])('%j ends with %d', async (args, expected) => {
    const { code, stdout, stderr } = await jem(['explain', ...args], { env });
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toMatch(/^jem: /);
  });

  test('--watch draws again, and ends with the process', async () => {
    const program = await startReady(process.execPath, ['-e', 'console.log("ready"); process.stdin.resume()']);
    const watcher = openProgram(process.execPath, [JEM, 'explain', String(program.pid), '--watch', '0.5'], { env });
    onTestFinished(() => void watcher.child.kill('SIGKILL'));
    for (let heads = 0; heads < 2; ) if (/^ +MiB +% +what$/.test(await watcher.line())) heads++;
    await program.end();
    const { code, stderr } = await watcher.finished;
    expect(code).toBe(3);
    expect(stderr).toContain(`process ${program.pid} has ended`);
  });
});
