import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileLibrary } from '../support/compile.js';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { type Finished, jemallocLibrary, NODE_MAJORS, nodeBinary, ROOT, runProgram } from '../support/programs.js';
import { type OpenOptions, openProgram, type RunningProgram, servedBy } from '../support/running-program.js';

const PYTHON = '/usr/bin/python3';
const folder = folderForFile();
const env = launchEnvironment(join(folder, 'cache'));
const app = join(folder, 'app');
mkdirSync(join(app, 'node_modules'), { recursive: true });
symlinkSync(ROOT, join(app, 'node_modules', 'jemkit'));

function file(name: string, content: string): string {
  const path = join(mkdtempSync(join(app, 'f-')), name);
  writeFileSync(path, content);
  return path;
}

/** One way to have jemkit first in a program. */
interface Way {
  readonly name: string;
  readonly extension: 'mjs' | 'cjs';
  /** Options of node in front of the file. */
  readonly flags: readonly string[];
  readonly nodeOptions?: string;
  /** The file's first line. */
  readonly head: string;
  /** Node 20 has run its event loop before it comes here. */
  readonly lateOn20: boolean;
}

const WAYS: readonly Way[] = [
  { name: '--import', extension: 'mjs', flags: ['--import', 'jemkit/auto'], head: '', lateOn20: true },
  { name: '--require', extension: 'cjs', flags: ['--require', 'jemkit/auto'], head: '', lateOn20: false },
  { name: 'the first import', extension: 'mjs', flags: [], head: "import 'jemkit/auto';\n", lateOn20: true },
  { name: 'the first require', extension: 'cjs', flags: [], head: "require('jemkit/auto');\n", lateOn20: false },
  {
    name: 'NODE_OPTIONS=--import',
    extension: 'cjs',
    flags: [],
    nodeOptions: '--import jemkit/auto',
    head: '',
    lateOn20: true,
  },
  {
    name: 'ensureJemalloc()',
    extension: 'cjs',
    flags: [],
    head: "require('jemkit').ensureJemalloc();\n",
    lateOn20: false,
  },
];

const ALL = NODE_MAJORS.flatMap((major) => WAYS.map((way) => [major, way.name, way] as const));

function openWay(
  major: (typeof NODE_MAJORS)[number],
  way: Way,
  code: string,
  args: readonly string[] = [],
  options: OpenOptions = {},
): RunningProgram {
  const path = file(`app.${way.extension}`, `${way.head}${code}\n`);
  return openProgram(nodeBinary(major), [...way.flags, path, ...args], {
    cwd: app,
    ...options,
    env: { ...env, NODE_OPTIONS: way.nodeOptions, ...options.env },
  });
}

const node = (
  major: (typeof NODE_MAJORS)[number],
  args: readonly string[],
  options: Parameters<typeof runProgram>[2] = {},
) => runProgram(nodeBinary(major), args, { cwd: app, ...options, env: { ...env, ...options.env } });

const RESULT = "require('jemkit').ensureJemalloc()";

describe('every way, on every Node: under jemalloc, in the same process', () => {
  test.each(ALL)('Node %i, %s', async (major, _name, way) => {
    const running = openWay(
      major,
      way,
      'console.log("ready", process.pid, process.ppid); process.stdin.on("end", () => process.exit(7)).resume();',
    );
    expect(await running.line()).toBe(`ready ${running.pid} ${process.pid}`);
    expect(servedBy(running.pid)).toEqual({
      allocator: 'jemalloc',
      evidence: 'got',
      standing: 'serving',
      path: jemallocLibrary(),
    });
    expect(await running.end()).toMatchObject({ code: 7, stderr: '' });
  });
});

describe.each(NODE_MAJORS)('Node %i: what stays as it was', (major) => {
  const SHOW =
    'console.log(JSON.stringify({ argv: process.argv.slice(2), execArgv: process.execArgv, argv0: process.argv0, cwd: process.cwd(), script: process.argv[1] }))';

  test('arguments, options, argv0, working directory', async () => {
    const path = file('app.cjs', SHOW);
    const args = ['a b', '', "it's", '$x', 'é🦊', '--import', '--', '-e'];
    const shown = async (flags: readonly string[]) => {
      const { stdout, stderr } = await node(major, ['--stack-size=2000', ...flags, path, ...args], {
        argv0: 'my node',
      });
      expect(stderr).toBe('');
      return JSON.parse(stdout);
    };
    const plain = await shown([]);
    for (const flags of [['--require', 'jemkit/auto'], ['--import=jemkit/auto']]) {
      expect(await shown(flags)).toEqual({ ...plain, execArgv: ['--stack-size=2000', ...flags] });
    }
    expect(plain).toMatchObject({ argv: args, argv0: 'my node' });
  });

  test('an argument that is no UTF-8', async () => {
    const path = file(
      'app.cjs',
      "require('jemkit/auto'); process.stdout.write(require('fs').readFileSync('/proc/self/cmdline').toString('hex'))",
    );
    const caller = 'import os, sys; os.execv(sys.argv[1], [sys.argv[1], sys.argv[2], b"\\xff\\xfe"])';
    const { stdout } = await runProgram(PYTHON, ['-c', caller, nodeBinary(major), path], { cwd: app, env });
    expect(Buffer.from(stdout, 'hex').toString('latin1').split('\0').slice(-2)).toEqual(['\xff\xfe', '']);
  });

  test('-e, -p, ES modules from the command line', async () => {
    const preload = ['--require', 'jemkit/auto'];
    const check = `${RESULT}.kind + process.argv.slice(1)`;
    expect(await node(major, [...preload, '-p', check, 'x'])).toMatchObject({ stdout: 'jemallocx\n', stderr: '' });
    expect(await node(major, [...preload, '-e', `console.log(${check})`, '--', '-x'])).toMatchObject({
      stdout: 'jemalloc-x\n',
      stderr: '',
    });
    const esm = "import { ensured } from 'jemkit/auto'; console.log(await Promise.resolve(ensured.kind));";
    expect(await node(major, ['--input-type=module', '-e', esm])).toMatchObject({ stdout: 'jemalloc\n', stderr: '' });
  });

  test('ES modules with top-level await', async () => {
    const path = file(
      'app.mjs',
      "import { ensured } from 'jemkit/auto';\nconst { kind } = await Promise.resolve(ensured);\nconsole.log(kind, import.meta.url.endsWith('app.mjs'));",
    );
    expect(await node(major, [path])).toMatchObject({ code: 0, stdout: 'jemalloc true\n', stderr: '' });
  });

  test('a REPL on a pipe', async () => {
    const { stdout, code } = await node(major, ['--require', 'jemkit/auto', '-i'], { input: `${RESULT}.how\n6 * 7\n` });
    expect(code).toBe(0);
    expect(stdout).toContain('42');
    expect(stdout).toMatch(/'(re-executed|already-there)'/);
  });

  test('a script on stdin: run whole, or with the line that says why not under jemalloc', async () => {
    const input = `console.log('lines', ${RESULT}.kind); console.log('all');`;
    const required = await node(major, ['--require', 'jemkit/auto', '-'], { input });
    expect(required).toMatchObject({ code: 0, stdout: 'lines jemalloc\nall\n', stderr: '' });
    const late = await node(major, ['-'], { input });
    expect(late).toMatchObject({
      code: 0,
      stdout: 'lines fallback\nall\n',
      stderr: expect.stringContaining('the script comes on stdin'),
    });
    const imported = await node(major, ['--import', 'jemkit/auto', '-'], { input });
    expect(imported.stdout).toMatch(/^lines (jemalloc|fallback)\nall\n$/);
  });

  test('stdin to the last byte, and stdout', async () => {
    const path = file(
      'app.cjs',
      "require('jemkit/auto'); const hash = require('crypto').createHash('sha256'); process.stdin.pipe(hash).on('finish', () => console.log(hash.digest('hex')));",
    );
    const input = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    expect((await node(major, [path], { input })).stdout).toBe(
      (await runProgram('sha256sum', [], { input })).stdout.replace(/ .*/, ''),
    );
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGKILL', 'SIGHUP'] as const)('%s ends it for its parent to see', async (signal) => {
    const running = openWay(major, WAYS[1] as Way, 'console.log("ready"); setInterval(() => {}, 1e6);');
    await running.line();
    running.child.kill(signal);
    expect(await running.finished).toMatchObject({ code: null, signal });
  });

  test('a terminal, its modes and Ctrl-C', async () => {
    const pty = join(import.meta.dirname, '..', 'support', 'pty-run.py');
    const code = `console.log('ready', ${RESULT}.kind, process.stdin.isTTY, process.stdout.isTTY); setInterval(() => {}, 1e6)`;
    const { stdout } = await runProgram(PYTHON, [pty, nodeBinary(major), '--require', 'jemkit/auto', '-e', code], {
      env,
      cwd: app,
    });
    expect(JSON.parse(stdout)).toMatchObject({
      signal: 2,
      sameModes: true,
      output: expect.stringContaining('ready jemalloc true true'),
    });
  });

  test('a title that was set before', async () => {
    const path = file('app.cjs', `process.title = 'node'; ${RESULT}; ${SHOW}`);
    const { stdout } = await node(major, [path, 'a b', ''], { argv0: 'node' });
    expect(JSON.parse(stdout)).toMatchObject({ argv: ['a b', ''], script: path, execArgv: [] });
    const titled = await node(major, ['--title=my app', '--require', 'jemkit/auto', path, 'x']);
    expect(JSON.parse(titled.stdout)).toMatchObject({
      argv: ['x'],
      execArgv: ['--title=my app', '--require', 'jemkit/auto'],
    });
  });

  test('the inspector: its port is free again, and it answers', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as { port: number };
    probe.close();
    await once(probe, 'close');
    const running = openWay(
      major,
      { ...(WAYS[1] as Way), flags: ['--require', 'jemkit/auto', `--inspect=127.0.0.1:${port}`] },
      `console.log(${RESULT}.how); setInterval(() => {}, 1e6);`,
    );
    expect(await running.line()).toBe('re-executed');
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      webSocketDebuggerUrl: string;
    }[];
    expect(targets[0]?.webSocketDebuggerUrl).toContain(String(port));
    running.child.kill('SIGKILL');
    const { stderr } = await running.finished;
    expect(stderr).not.toContain('address already in use');
  });

  test('a listening socket that was handed over', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const code = `require('net').createServer((socket) => socket.end(String(process.pid))).listen({ fd: 3 }, () => console.log(${RESULT}.kind, process.env.LISTEN_FDS));`;
    const running = openWay(major, WAYS[1] as Way, code, [], {
      stdio: ['pipe', 'pipe', 'pipe', fd],
      env: { LISTEN_FDS: '1' },
    });
    expect(await running.line()).toBe('jemalloc 1');
    server.close();
    const client = connect(port, '127.0.0.1');
    expect(String((await once(client, 'data'))[0])).toBe(String(running.pid));
    running.child.kill('SIGKILL');
    await running.finished;
  });

  test('node --test and node --watch', async () => {
    const tests = file(
      'app.test.cjs',
      `const test = require('node:test'); test('one', () => { if (${RESULT}.kind !== 'jemalloc') throw new Error('not under jemalloc'); });`,
    );
    const result = await node(major, ['--require', 'jemkit/auto', '--test', tests]);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(/pass 1/) });

    const watched = file('watched.cjs', `console.log('run', ${RESULT}.kind);`);
    const running = openProgram(nodeBinary(major), ['--require', 'jemkit/auto', '--watch', watched], { env, cwd: app });
    const next = async () => {
      for (;;) {
        const line = await running.line();
        if (line.startsWith('run')) return line;
      }
    };
    expect(await next()).toBe('run jemalloc');
    // --watch announces that it waits; before that a change could be missed.
    await running.line();
    writeFileSync(watched, `console.log('run again', ${RESULT}.kind);`);
    expect(await next()).toBe('run again jemalloc');
    running.child.kill('SIGTERM');
    await running.finished;
  });
});

describe('an IPC channel', () => {
  // Not disconnected in the handler itself: Node 20 crashes then while messages wait, with or without jemkit.
  const ECHO =
    'let count = 0; process.send("hello"); process.on("message", (message) => { process.send(message); if (message === "last") setImmediate(() => process.disconnect()); });';
  const sent = [...Array.from({ length: 60 }, (_, i) => ({ number: i, text: 'é'.repeat(i) })), 'last'];

  async function exchange(running: RunningProgram): Promise<Finished> {
    const received: unknown[] = [];
    running.child.on('message', (message) => received.push(message));
    for (const message of sent) running.child.send(message);
    const end = await running.finished;
    expect(received).toEqual(['hello', ...sent]);
    return end;
  }

  describe.each(['json', 'advanced'] as const)('%s messages sent at once', (serialization) => {
    test.each(ALL)('Node %i, %s: none lost, in order', async (major, _name, way) => {
      const end = await exchange(
        openWay(major, way, ECHO, [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], serialization }),
      );
      const stderr =
        major === 20 && way.lateOn20
          ? expect.stringMatching(
              /^jem: going on without jemalloc: this process has an IPC channel .*--require jemkit\/auto.*\n$/,
            )
          : '';
      expect(end).toMatchObject({ code: 0, stderr });
    });
  });

  test.each(NODE_MAJORS)('Node %i: a channel that is closed already is not handed on', async (major) => {
    const code = `if (process.connected) process.disconnect();\n${RESULT};\nconsole.log(${RESULT}.how, process.connected);`;
    const way = { ...(WAYS[5] as Way), head: '' };
    const running = openWay(major, way, code, [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    expect(await running.finished).toMatchObject({ code: 0, stdout: 're-executed undefined\n', stderr: '' });
  });

  test.each(NODE_MAJORS)('Node %i: child_process.fork by a program under jemkit/auto', async (major) => {
    const child = file('child.mjs', ECHO);
    const code = `const { fork } = require('child_process');
const child = fork(${JSON.stringify(child)});
const received = [];
child.on('message', (message) => received.push(message));
child.on('exit', (code) => console.log(JSON.stringify({ code, received })));
for (const message of ${JSON.stringify(sent)}) child.send(message);`;
    const { stdout, stderr } = await openWay(major, WAYS[1] as Way, code).end();
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ code: 0, received: ['hello', ...sent] });
  });
});

describe('cluster', () => {
  test.each(NODE_MAJORS.flatMap((major) => WAYS.slice(0, 4).map((way) => [major, way.name, way] as const)))(
    'Node %i, %s: workers listen, answer, and run under jemalloc',
    async (major, _name, way) => {
      const load =
        way.extension === 'mjs'
          ? "import cluster from 'node:cluster'; import http from 'node:http';"
          : "const cluster = require('node:cluster'); const http = require('node:http');";
      const code = `${load}
if (cluster.isPrimary) {
  for (let i = 0; i < 2; i++) cluster.fork();
  let listening = 0;
  cluster.on('listening', (worker, address) => { if (++listening === 2) console.log(address.port); });
  process.stdin.on('end', () => { for (const worker of Object.values(cluster.workers)) worker.kill(); }).resume();
  cluster.on('exit', () => { if (Object.keys(cluster.workers).length === 0) console.log('end'); });
} else {
  http.createServer((request, response) => { response.setHeader('connection', 'close'); response.end(String(process.pid)); }).listen(0, '127.0.0.1');
}`;
      const running = openWay(major, way, code);
      const port = Number(await running.line());
      const pids = new Set<number>();
      while (pids.size < 2) pids.add(Number(await (await fetch(`http://127.0.0.1:${port}`)).text()));
      for (const pid of [running.pid, ...pids])
        expect(servedBy(pid)).toMatchObject({ allocator: 'jemalloc', evidence: 'got' });
      expect(await running.end()).toMatchObject({ code: 0, stderr: '' });
    },
  );

  test.each(NODE_MAJORS)(
    'Node %i: only the workers load jemkit, by --require: they start again with their channel',
    async (major) => {
      const code = `const cluster = require('node:cluster');
if (cluster.isPrimary) {
  cluster.setupPrimary({ execArgv: ['--require', 'jemkit/auto'] });
  cluster.fork().on('message', (message) => { console.log(message); process.exit(0); });
} else process.send(${RESULT}.how + ' worker ' + cluster.worker.id);`;
      expect(await node(major, [file('app.cjs', code)])).toMatchObject({
        code: 0,
        stdout: 're-executed worker 1\n',
        stderr: '',
      });
    },
  );
});

describe.each(NODE_MAJORS)('Node %i: when nothing is to be done', (major) => {
  const how = (...args: Parameters<typeof node> extends [unknown, ...infer Rest] ? Rest : never) =>
    node(major, ...args);

  test('already under jemalloc: no second start', async () => {
    const result = await how(['-p', `${RESULT}.how`], { env: { LD_PRELOAD: jemallocLibrary() } });
    expect(result).toMatchObject({ stdout: 'already-there\n', stderr: '' });
    const count = "process.env.COUNT = (process.env.COUNT ?? '') + 'x';";
    expect(await how(['-e', `${count} ${RESULT}; console.log(process.env.COUNT)`])).toMatchObject({ stdout: 'xx\n' });
    expect(
      await how(['-e', `${count} ${RESULT}; ${RESULT}; console.log(process.env.COUNT)`], {
        env: { LD_PRELOAD: jemallocLibrary() },
      }),
    ).toMatchObject({ stdout: 'x\n' });
  });

  test('a child of one that started again is not taken for one that did', async () => {
    const child = `console.log(${RESULT}.how, process.env.JEMKIT_REEXEC)`;
    const code = `${RESULT}; process.stdout.write(require('child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(child)}]))`;
    expect(await how(['-e', code])).toMatchObject({ stdout: 'already-there undefined\n', stderr: '' });
  });

  test('in a worker thread never', async () => {
    const code = `const { Worker } = require('worker_threads'); console.log(process.pid);
new Worker("const { parentPort } = require('worker_threads'); parentPort.postMessage(" + ${JSON.stringify(`require(${JSON.stringify(join(app, 'node_modules/jemkit/dist/entry/index.js'))}).ensureJemalloc()`)} + ")", { eval: true }).on('message', (message) => console.log(JSON.stringify(message)));`;
    const { stdout, stderr } = await how(['-e', code]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout.split('\n')[1] ?? '')).toEqual({
      kind: 'worker',
      reason: 'a worker thread has the allocator of its process',
    });
  });

  test('workers of a program under --import inherit it', async () => {
    const path = file(
      'app.mjs',
      "import { Worker, isMainThread, parentPort } from 'node:worker_threads'; import { fileURLToPath } from 'node:url';\nif (isMainThread) new Worker(fileURLToPath(import.meta.url)).on('message', (message) => console.log(message)); else parentPort.postMessage('worker ran');",
    );
    expect(await how(['--import', 'jemkit/auto', path])).toMatchObject({ code: 0, stdout: 'worker ran\n', stderr: '' });
  });

  test('JEMKIT_DISABLE', async () => {
    expect(await how(['-p', `JSON.stringify(${RESULT})`], { env: { JEMKIT_DISABLE: '1' } })).toMatchObject({
      stdout: expect.stringContaining('"reason":"disabled"'),
      stderr: '',
    });
  });
});

describe('called late', () => {
  test('a CPU profiler at work does not end the new start', async () => {
    const path = file('profiled.cjs', `${RESULT}; console.log('ran');`);
    for (let i = 0; i < 10; i++) {
      const own = mkdtempSync(join(folder, 'profile-'));
      const flags = ['--cpu-prof', '--cpu-prof-interval', '50', '--cpu-prof-dir', own];
      expect(await node(20, [...flags, path])).toMatchObject({ code: 0, signal: null, stdout: 'ran\n' });
    }
  });

  test('a socket that the program opened is not handed on: it can listen again', async () => {
    const path = join(mkdtempSync(join(folder, 'listen-')), 'socket');
    const code = `const server = require('node:net').createServer().listen(${JSON.stringify(path)});
require('node:fs').unlinkSync(server.address());
const { how } = ${RESULT};
console.log(how, require('node:fs').readdirSync('/proc/self/fd').filter((fd) => {
  if (Number(fd) < 3) return false;
  try { return require('node:fs').readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; }
}).length);
server.close();`;
    expect((await node(20, ['-e', code])).stdout).toBe('re-executed 1\n');
  });
});

describe('when it cannot', () => {
  const without = { JEMKIT_LIBRARY: '/no/such/library.so' };

  test.each(NODE_MAJORS)('Node %i goes on with one line, in silence, or not at all', async (major) => {
    const code = `console.log(${RESULT}.reason)`;
    expect(await node(major, ['-e', code], { env: without })).toEqual({
      code: 0,
      signal: null,
      stdout: 'library-unusable\n',
      stderr:
        'jem: going on without jemalloc: /no/such/library.so cannot be used: there is no such file; remedy: unset JEMKIT_LIBRARY to search, or set it to a library for this program\n',
    });
    expect(await node(major, ['-e', code], { env: { ...without, JEMKIT_FALLBACK: 'silent' } })).toMatchObject({
      code: 0,
      stderr: '',
    });
    const failing = `try { ${RESULT} } catch (error) { console.log(error.code, error.name, error.hint) }`;
    expect((await node(major, ['-e', failing], { env: { ...without, JEMKIT_FALLBACK: 'fail' } })).stdout).toBe(
      'ERR_JEM_LIBRARY_UNUSABLE JemkitError unset JEMKIT_LIBRARY to search, or set it to a library for this program\n',
    );
    expect(
      await node(major, ['--import', 'jemkit/auto', '-e', ''], { env: { ...without, JEMKIT_FALLBACK: 'fail' } }),
    ).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_JEM_LIBRARY_UNUSABLE') });
  });

  test('the options say it more strongly than the environment', async () => {
    const code = `console.log(require('jemkit').ensureJemalloc({ fallback: 'silent', library: '/none.so' }).cause)`;
    expect(await node(20, ['-e', code], { env: { JEMKIT_FALLBACK: 'fail' } })).toMatchObject({
      code: 0,
      stdout: '/none.so cannot be used: there is no such file\n',
      stderr: '',
    });
    const preset = `console.log(require('jemkit').ensureJemalloc({ preset: 'low-memory', conf: 'narenas:3' }).kind, process.env.MALLOC_CONF)`;
    expect((await node(20, ['-e', preset])).stdout).toMatch(
      /^jemalloc background_thread:true,lg_tcache_max:12,.*narenas:3\n$/,
    );
    expect(await node(20, ['-e', RESULT], { env: { JEMKIT_PRESET: 'balaced' } })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no preset 'balaced'"),
    });
    expect(await node(20, ['-e', RESULT], { env: { JEMKIT_FALLBACK: 'fial' } })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("JEMKIT_FALLBACK is 'fial' (expected warn, silent or fail)"),
    });
  });

  test('a start that did not help is not tried again', async () => {
    const idle = compileLibrary(mkdtempSync(join(folder, 'idle-')), 'libjemalloc.so.2', 'int idle;');
    const cache = mkdtempSync(join(folder, 'cache-'));
    // A remembered probe that is wrong, as after a change the cache cannot see.
    const good = await node(20, ['-p', `${RESULT}.how`], { env: { JEMKIT_CACHE_DIR: cache } });
    expect(good.stdout).toBe('re-executed\n');
    const path = join(cache, 'probes.json');
    const { probes } = JSON.parse(readFileSync(path, 'utf8')) as { probes: Record<string, unknown> };
    const [[key, probe] = ['', {}]] = Object.entries(probes);
    const stamp = (file: string) =>
      (({ dev, ino, mtimeMs, size }) => `${dev}:${ino}:${mtimeMs}:${size}`)(statSync(file));
    const wrong = key.replace(stamp(jemallocLibrary()), stamp(idle)).replace(jemallocLibrary(), idle);
    writeFileSync(path, JSON.stringify({ version: 1, probes: { [wrong]: probe } }));
    const count = "process.env.COUNT = (process.env.COUNT ?? '') + 'x';";
    const again = await node(20, ['-e', `${count} console.log(${RESULT}.reason, process.env.COUNT)`], {
      env: { JEMKIT_LIBRARY: idle, JEMKIT_CACHE_DIR: cache },
    });
    expect(again).toMatchObject({
      code: 0,
      stdout: 'preload-had-no-effect xx\n',
      stderr: expect.stringMatching(
        /^jem: going on without jemalloc: the process was started again with LD_PRELOAD, and jemalloc still does not serve it; remedy: jem doctor \d+\n$/,
      ),
    });
  });

  test('a library that loads and does not serve', async () => {
    const idle = compileLibrary(mkdtempSync(join(folder, 'idle-')), 'libjemalloc.so.2', 'int idle;');
    expect(await node(20, ['-p', `${RESULT}.reason`], { env: { JEMKIT_LIBRARY: idle } })).toMatchObject({
      code: 0,
      stdout: 'library-does-not-serve\n',
    });
  });

  test('without addons the line says so', async () => {
    expect(await node(20, ['--no-addons', '-p', `${RESULT}.reason`])).toMatchObject({
      stdout: 'native-part-missing\n',
      stderr: expect.stringContaining('does not load'),
    });
  });
});
