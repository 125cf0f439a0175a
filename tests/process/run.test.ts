import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AGENT, folderForFile, launchEnvironment } from '../support/launching.js';
import { JEM, jem, jemallocLibrary, NODE_MAJORS, nodeBinary, runProgram } from '../support/programs.js';
import { openJem, openProgram, type RunningProgram, servedBy } from '../support/running-program.js';

const PYTHON = '/usr/bin/python3';
const folder = folderForFile();
const env = launchEnvironment(join(folder, 'cache'));
const UNDER_JEMALLOC = { allocator: 'jemalloc', evidence: 'got', standing: 'serving', path: jemallocLibrary() };

function script(name: string, content: string): string {
  const path = join(mkdtempSync(join(folder, 'script-')), name);
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

/** The parent and the start of a process, as the kernel counts them: both survive an execve. */
function stat(pid: number): { parent: number; start: string | undefined } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return { parent: Number(fields[1]), start: fields[19] };
}

// Says 'ready', waits for the end of stdin, exits with 7.
const NODE_WAITS = 'console.log("ready"); process.stdin.on("end", () => process.exit(7)).resume()';
const SHELL_WAITS = 'echo ready; while read -r line; do :; done; exit 7';
const PROGRAMS: Record<string, () => readonly string[]> = {
  node: () => [process.execPath, '-e', NODE_WAITS],
  python3: () => [PYTHON, '-c', 'import sys; print("ready", flush=True); sys.stdin.read(); sys.exit(7)'],
  ruby: () => ['ruby', '-e', 'puts "ready"; $stdout.flush; STDIN.read; exit 7'],
  'a script with #!/bin/sh': () => [script('tool', `#!/bin/sh\n${SHELL_WAITS}\n`)],
  'a script with #!/usr/bin/env node': () => [script('tool', `#!/usr/bin/env node\n${NODE_WAITS}\n`)],
  'a script with env -S': () => [script('tool', `#!/usr/bin/env -S node --no-warnings\n${NODE_WAITS}\n`)],
  'a script without a first line': () => [script('tool', `${SHELL_WAITS}\n`)],
  'env with assignments': () => ['env', 'A=b', process.execPath, '-e', NODE_WAITS],
  'a shim of npm or pnpm': () => [
    script(
      'tool',
      `#!/bin/sh\nbasedir=$(dirname "$0")\nif [ -x "$basedir/node" ]; then\n  exec "$basedir/node" -e '${NODE_WAITS}' "$@"\nelse\n  exec node  -e '${NODE_WAITS}' "$@"\nfi\n`,
    ),
  ],
};

describe('the program itself becomes what jem was: same pid, same parent, under jemalloc, with its own exit code', () => {
  test.each(Object.keys(PROGRAMS))('%s', async (name) => {
    const running = openJem(['run', '--', ...(PROGRAMS[name]?.() ?? [])], { env });
    const { start } = stat(running.pid);
    expect(await running.line()).toBe('ready');
    expect(servedBy(running.pid)).toEqual(UNDER_JEMALLOC);
    expect(stat(running.pid)).toEqual({ parent: process.pid, start });
    expect(readFileSync(`/proc/${running.pid}/maps`, 'utf8')).toContain(jemallocLibrary());
    expect(await running.end()).toMatchObject({ code: 7, signal: null, stderr: '' });
  });

  test('redis-server', async () => {
    const socket = join(folder, 'redis.sock');
    const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder, '--daemonize', 'no'];
    const running = openJem(['run', '--', 'redis-server', ...args], { env });
    let line = '';
    while (!/Ready to accept connections|accept connections/.test(line)) line = await running.line();
    expect(servedBy(running.pid)).toEqual(UNDER_JEMALLOC);
    running.child.kill('SIGTERM');
    expect(await running.finished).toMatchObject({ code: 0, signal: null });
    expect(await jem(['run', '--', 'redis-server', '--port', 'x'], { env })).toMatchObject({ code: 1 });
  });

  test('java', async () => {
    // Waits for a debugger, on a port of its own choice, before it starts anything.
    const running = openJem(
      ['run', '--', 'java', '-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=127.0.0.1:0', '-version'],
      { env },
    );
    expect(await running.line()).toMatch(/^Listening for transport dt_socket/);
    expect(servedBy(running.pid)).toEqual(UNDER_JEMALLOC);
    running.child.kill('SIGKILL');
    expect(await running.finished).toMatchObject({ signal: 'SIGKILL' });
    expect(await jem(['run', '--', 'java', '-version'], { env })).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/version/),
    });
    expect(await jem(['run', '--', 'java', 'NoSuchClass'], { env })).toMatchObject({ code: 1 });
  });
});

describe('what an npm tool starts runs under jemalloc too', () => {
  function npmPackage(): string {
    const root = mkdtempSync(join(folder, 'package-'));
    const waits = 'console.log("pid " + process.pid); process.stdin.on("end", () => process.exit(7)).resume()';
    writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'x', version: '1.0.0', scripts: { x: 'tool' } }));
    mkdirSync(join(root, 'node_modules', '.bin'), { recursive: true });
    mkdirSync(join(root, 'node_modules', 'tool'));
    writeFileSync(
      join(root, 'node_modules', 'tool', 'package.json'),
      JSON.stringify({ name: 'tool', version: '1.0.0', bin: './cli.js' }),
    );
    writeFileSync(join(root, 'node_modules', 'tool', 'cli.js'), `#!/usr/bin/env node\n${waits}\n`);
    chmodSync(join(root, 'node_modules', 'tool', 'cli.js'), 0o755);
    symlinkSync('../tool/cli.js', join(root, 'node_modules', '.bin', 'tool'));
    return root;
  }

  test.each([
    ['npm run', ['npm', 'run', '--silent', 'x']],
    ['npx', ['npx', '--no-install', 'tool']],
  ])('%s', async (_name, command) => {
    const quiet = { ...env, npm_config_update_notifier: 'false', npm_config_cache: join(folder, 'npm') };
    const running = openJem(['run', '--', ...command], { env: quiet, cwd: npmPackage() });
    const pid = Number(/^pid (\d+)$/.exec(await running.line())?.[1]);
    expect(servedBy(pid)).toEqual(UNDER_JEMALLOC);
    expect(servedBy(running.pid)).toEqual(UNDER_JEMALLOC);
    expect(await running.end()).toMatchObject({ code: 7 });
  });
});

describe('how it ends', () => {
  test.each(['SIGTERM', 'SIGKILL', 'SIGSEGV', 'SIGINT', 'SIGPIPE'] as const)('the parent sees %s', async (signal) => {
    expect(await jem(['run', '--', 'sh', '-c', `kill -${signal.slice(3)} $$`], { env })).toMatchObject({
      code: null,
      signal,
    });
  });

  test('a signal sent to it reaches the program', async () => {
    const running = openJem(
      [
        'run',
        '--',
        'sh',
        '-c',
        'trap "echo caught; exit 9" TERM; echo ready; while :; do read -r x || sleep 0.01; done',
      ],
      { env },
    );
    await running.line();
    running.child.kill('SIGTERM');
    expect(await running.line()).toBe('caught');
    expect(await running.finished).toMatchObject({ code: 9 });
  });

  test('a pipe that closes ends it, as in every shell pipeline', async () => {
    const line = `"$0" "$1" run -- yes | head -1; echo "\${PIPESTATUS[0]}"`;
    expect(await runProgram('bash', ['-c', line, process.execPath, JEM], { env })).toMatchObject({
      stdout: 'y\n141\n',
      stderr: '',
    });
  });

  test('Ctrl-C on a terminal ends the program, and the terminal is as it was', async () => {
    const pty = join(import.meta.dirname, '..', 'support', 'pty-run.py');
    const command = [
      process.execPath,
      JEM,
      'run',
      '--',
      process.execPath,
      '-e',
      'console.log("ready", process.stdin.isTTY, process.stdout.isTTY); setInterval(() => {}, 1e6)',
    ];
    const { stdout } = await runProgram(PYTHON, [pty, ...command], { env });
    expect(JSON.parse(stdout)).toMatchObject({
      signal: 2,
      code: null,
      sameModes: true,
      output: expect.stringContaining('ready true true'),
    });
  });
});

describe('what it is given arrives unchanged', () => {
  const ODD = ['a b', '', "it's", '"quoted"', '$HOME `x` \\ *', '--', '-x', '--help', 'é 日本 🦊', 'line\nfeed'];

  test('arguments', async () => {
    const { stdout } = await jem(
      ['run', '--', PYTHON, '-c', 'import sys, json; print(json.dumps(sys.argv[1:]))', ...ODD],
      { env },
    );
    expect(JSON.parse(stdout)).toEqual(ODD);
  });

  test.each(['#!/bin/sh\n', ''])('arguments of a script that begins with %j', async (head) => {
    const tool = script('tool', `${head}for word in "$@"; do printf '%s\\0' "$word"; done\n`);
    const { stdout } = await jem(['run', '--', tool, ...ODD], { env });
    expect(stdout.split('\0').slice(0, -1)).toEqual(ODD);
  });

  test('bytes that are no UTF-8, in arguments and environment', async () => {
    const program = 'import os, sys; print(os.fsencode(sys.argv[1]).hex(), os.environb[b"ODD"].hex())';
    const caller = `import os, sys
os.environb[b"ODD"] = bytes.fromhex("ff00fe".replace("00", "")) + b"=x"
os.execv(sys.argv[1].encode(), [a.encode() for a in sys.argv[1:]] + [b"\\xff\\xfea"])`;
    const { stdout } = await runProgram(
      PYTHON,
      ['-c', caller, process.execPath, JEM, 'run', '--', PYTHON, '-c', program],
      { env },
    );
    expect(stdout).toBe('fffe61 fffe3d78\n');
  });

  test('stdin to the last byte, stdout and stderr apart', async () => {
    const input = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    const { stdout, stderr } = await jem(['run', '--', 'sh', '-c', 'sha256sum; echo talk >&2'], { env, input });
    const direct = await runProgram('sha256sum', [], { input });
    expect({ stdout, stderr }).toEqual({ stdout: direct.stdout, stderr: 'talk\n' });
  });

  test('the working directory, also one whose name is odd', async () => {
    const odd = join(folder, 'a b:é');
    mkdirSync(odd, { recursive: true });
    expect((await jem(['run', '--', 'pwd'], { env, cwd: odd })).stdout).toBe(`${odd}\n`);
  });

  test('the soft limit of open files, which Node raises for itself', async () => {
    const line = 'ulimit -Sn 512; "$0" "$1" run -- sh -c "ulimit -Sn"';
    expect((await runProgram('sh', ['-c', line, process.execPath, JEM], { env })).stdout).toBe('512\n');
  });

  test('the signal mask and what is ignored', async () => {
    const command = ['grep', '-E', '^Sig(Blk|Ign)', '/proc/self/status'] as const;
    const direct = await runProgram(command[0], command.slice(1));
    expect((await jem(['run', '--', ...command], { env })).stdout).toBe(direct.stdout);
  });

  test('from systemd, SIGPIPE ignored as its services have it', async () => {
    const caller = `import ctypes, os, signal, subprocess, sys
ctypes.CDLL(None).prctl(15, b"systemd", 0, 0, 0)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
subprocess.run(sys.argv[1:], restore_signals=False, env={**os.environ, "INVOCATION_ID": "x"})`;
    const command = ['grep', '^SigIgn', '/proc/self/status'];
    const { stdout } = await runProgram(PYTHON, ['-c', caller, process.execPath, JEM, 'run', '--', ...command], {
      env,
    });
    expect(BigInt(`0x${stdout.split(/\s+/)[1]}`) & (1n << 12n)).toBe(1n << 12n);
  });

  test('further descriptors: the next ones, and one behind a gap', async () => {
    const running = openJem(['run', '--', 'sh', '-c', 'echo three >&3; echo four >&4'], {
      env,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    const texts = [3, 4].map(async (number) =>
      String(await once(running.child.stdio[number] as NodeJS.ReadableStream, 'data')),
    );
    expect(await Promise.all(texts)).toEqual(['three\n', 'four\n']);
    await running.end();

    const file = join(folder, 'kept');
    writeFileSync(file, 'kept\n');
    const line = `exec 11<"$2" 12> >(cat) 13</dev/null; "$0" "$1" run -- bash -c 'cat <&11; echo pipe >&12; test -e /dev/fd/13 && echo null'`;
    expect(
      (await runProgram('bash', ['-c', line, process.execPath, JEM, file], { env })).stdout.split('\n').sort(),
    ).toEqual(['', 'kept', 'null', 'pipe']);
  });

  test('no descriptor of Node’s own', async () => {
    expect((await jem(['run', '--', 'sh', '-c', 'ls /proc/self/fd'], { env })).stdout).toBe(
      (await runProgram('sh', ['-c', 'ls /proc/self/fd'])).stdout,
    );
  });

  test('a listening socket, as systemd hands it over', async () => {
    const server: Server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const serve = `import os, socket
s = socket.socket(fileno=3); s.setblocking(True); print('ready', os.environ['LISTEN_FDS'], flush=True)
c, _ = s.accept(); c.sendall(str(os.getpid()).encode()); c.close()`;
    const running = openJem(['run', '--', PYTHON, '-c', serve], {
      env: { ...env, LISTEN_FDS: '1' },
      stdio: ['pipe', 'pipe', 'pipe', fd],
    });
    expect(await running.line()).toBe('ready 1');
    // From here on only the program listens.
    server.close();
    const client = connect(port, '127.0.0.1');
    expect(String((await once(client, 'data'))[0])).toBe(String(running.pid));
    await running.end();
  });
});

describe('an IPC channel', () => {
  const ECHO = script(
    'echo.cjs',
    'process.on("message", (message) => { process.send(message); if (message === "last") process.disconnect(); });',
  );

  async function exchange(running: RunningProgram): Promise<unknown[]> {
    const sent = [...Array.from({ length: 50 }, (_, i) => ({ number: i })), 'last'];
    const received: unknown[] = [];
    running.child.on('message', (message) => received.push(message));
    for (const message of sent) running.child.send(message);
    await running.finished;
    expect(received).toEqual(sent);
    return received;
  }

  test.each(
    NODE_MAJORS.flatMap((major) =>
      (['json', 'advanced'] as const).map((serialization) => [major, serialization] as const),
    ),
  )('to Node %i with %s messages sent at once loses none', async (major, serialization) => {
    const node = nodeBinary(major);
    await exchange(
      openProgram(node, [JEM, 'run', '--', node, ECHO], {
        env,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        serialization,
      }),
    );
  });
});

describe('nested', () => {
  test('the inner one changes nothing', async () => {
    const show = ['sh', '-c', 'echo "$LD_PRELOAD|$MALLOC_CONF"'];
    const once = await jem(['run', '--', ...show], { env });
    const twice = await jem(
      ['run', '--', process.execPath, JEM, 'run', '--', process.execPath, JEM, 'run', '--', ...show],
      { env },
    );
    expect(twice).toEqual(once);
    expect(once.stdout.split('|')[0]).toBe(`${jemallocLibrary()}:${AGENT}`);
  });
});
