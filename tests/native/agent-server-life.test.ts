import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  type BareClient,
  openAgentOf,
  openBareClient,
  readPayload,
  until,
  wireQuestion,
} from '../support/agent-client.js';
import { type AgentHosts, agentDescriptors, agentThread, plainHosts, sanitizedHosts } from '../support/agent-hosts.js';
import { folderForFile } from '../support/launching.js';
import { finished, runProgram, temporaryFolder, testEnvironment } from '../support/programs.js';
import { mayChangeUser, STRANGER } from '../support/stranger.js';

const folder = folderForFile();
let all: Record<'plain' | 'sanitized', AgentHosts>;
beforeAll(() => {
  // Other users have sockets of their own there, as in /tmp.
  chmodSync(folder, 0o755);
  all = { plain: plainHosts(folder), sanitized: sanitizedHosts(folder) };
  for (const { directory } of Object.values(all)) chmodSync(directory, 0o1777);
});

const MY_ID = process.geteuid!();
const fine = { code: 7, signal: null, stderr: '' };

/** Asks without end until the connection does. */
async function keepAsking(path: string): Promise<void> {
  try {
    const client = await openBareClient(path);
    for (;;) await client.ask('read', readPayload(4, 'stats.allocated'));
  } catch {
    // The process ended.
  }
}

/** All sockets of a host's folder. */
function socketsOf({ directory }: AgentHosts): string[] {
  return readdirSync(directory).flatMap((name) => readdirSync(join(directory, name)).map((file) => join(name, file)));
}

describe.each(['plain', 'sanitized'] as const)('%s', (build) => {
  test('hundreds of forks under queries: their exit codes are right, and no socket is left', async () => {
    const hosts = all[build];
    // The sanitizers make a fork a hundred times as dear.
    const host = hosts.open(['fork-many', build === 'plain' ? '500' : '50']);
    await openAgentOf(hosts.socketOf(host.pid));
    const asking = [keepAsking(hosts.socketOf(host.pid)), keepAsking(hosts.socketOf(host.pid))];
    expect(await host.line()).toBe('ready');
    expect(await host.line()).toBe('ready');
    const { code, signal, stderr } = await host.end();
    expect({ code, signal, stderr }).toEqual(fine);
    await Promise.all(asking);
    expect(socketsOf(hosts)).toEqual([]);
  });

  test('a child that lives on has its own socket, a second after the fork', async () => {
    const hosts = all[build];
    const host = hosts.open(['fork-one']);
    const child = Number(await host.line());
    expect(existsSync(hosts.socketOf(child))).toBe(false);
    const [parentClient, childClient] = await Promise.all(
      [host.pid, child].map((pid) => openAgentOf(hosts.socketOf(pid))),
    );
    expect((await parentClient!.ask('hello')).payload.readUInt32LE(0)).toBe(host.pid);
    expect((await childClient!.ask('hello')).payload.readUInt32LE(0)).toBe(child);
    const { code, stderr } = await host.end();
    expect({ code, stderr }).toEqual({ code: 7, stderr: '' });
    expect(socketsOf(hosts)).toEqual([]);
  });

  test('a daemon, which forks twice and closes everything', async () => {
    const hosts = all[build];
    const file = join(folder, `daemon-${build}`);
    const host = hosts.open(['daemonize', file, build === 'sanitized' ? '300' : '0']);
    const { code, stderr } = await host.finished;
    expect({ code, stderr }).toEqual({ code: 7, stderr: '' });
    // It ended by _exit, and late enough to have one.
    rmSync(hosts.socketOf(host.pid), { force: true });
    const pid = await until(() => existsSync(file) && (Number(readFileSync(file, 'utf8')) || undefined), 'it runs');
    onTestFinished(() => {
      if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
    });
    const client = await openAgentOf(hosts.socketOf(pid));
    expect((await client.ask('hello')).payload.readUInt32LE(0)).toBe(pid);
    expect(readdirSync(`/proc/${pid}/fd`).sort()).toEqual(['0', '1', '2']);
    process.kill(pid, 'SIGTERM');
    await client.ended;
    await until(() => !existsSync(hosts.socketOf(pid)), 'its socket goes with it');
  });

  test('a program that closes all descriptors, and counts on the numbers of new ones', async () => {
    const hosts = all[build];
    const host = hosts.open(['close-all']);
    const client = await openAgentOf(hosts.socketOf(host.pid));
    expect(await host.line()).toBe('ready');
    expect(await host.line()).toBe('ready');
    expect((await client.ask('hello')).status).toBe(0);
    expect(agentDescriptors(host.pid).slice(0, 3)).toEqual(Array(3).fill('anon_inode:[eventpoll]'));
    expect(await host.end()).toMatchObject(fine);
  });

  test('a program that may open nothing more', async () => {
    const hosts = all[build];
    const host = hosts.open(['no-descriptors']);
    expect(await host.line()).toBe('ready');
    expect(await host.end()).toMatchObject(fine);
    expect(socketsOf(hosts)).toEqual([]);
  });

  test('another program in its place', async () => {
    const hosts = all[build];
    const host = hosts.open(['exec']);
    const path = hosts.socketOf(host.pid);
    const before = await openAgentOf(path);
    const started = async (client: BareClient) => (await client.ask('hello')).payload.readBigUInt64LE(8);
    const first = await started(before);
    host.child.stdin?.write('\n');
    await before.ended;
    // Until then the socket of before is there, and nobody behind it, or who is just ending.
    const again = async () => started(await openAgentOf(path)).catch(() => undefined);
    expect(await until(again, 'the next one answers')).toBeGreaterThan(first);
    expect(await host.end()).toMatchObject(fine);
    expect(existsSync(path)).toBe(false);
  });

  test('the process ends with its last own thread, though the first ended before', async () => {
    const hosts = all[build];
    const host = hosts.open(['leave-main']);
    const path = hosts.socketOf(host.pid);
    const { code, signal, stderr } = await host.finished;
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(existsSync(path)).toBe(false);
  });

  test('what stdout still holds is written, though the first thread leaves while the agent sleeps', async () => {
    const { code, signal, stdout, stderr } = await all[build].open(['leave-main-at-once']).finished;
    expect({ code, signal, stdout, stderr }).toEqual({
      code: 0,
      signal: null,
      stdout: 'still in the buffer\n',
      stderr: '',
    });
  });

  test('thread-local variables of the program, which lie in every thread’s stack, leave the agent room for its answers', async () => {
    const host = all[build].open(['thread-locals']);
    const client = await openAgentOf(all[build].socketOf(host.pid));
    // The sanitized host's small jemalloc has no printer.
    expect((await client.ask('stats', Buffer.from('J'))).status).toBe(build === 'plain' ? 0 : -3);
    expect(await host.end()).toMatchObject({ code: 7, signal: null, stderr: '' });
  });

  test('150 exits at every moment around the opening, some under queries', async () => {
    const hosts = all[build];
    const moments = Array.from({ length: 150 }, (_, at) => 90_000 + at * 200);
    const next = async () => {
      for (let moment = moments.pop(); moment !== undefined; moment = moments.pop()) {
        const host = hosts.open(['exit-after', String(moment)]);
        const path = hosts.socketOf(host.pid);
        const asking = until(() => existsSync(path) || host.child.exitCode !== null, 'open or over').then(() =>
          keepAsking(path),
        );
        const { code, signal, stderr } = await host.finished;
        expect({ code, signal, stderr, moment }).toEqual({ ...fine, moment });
        await asking;
      }
    };
    await Promise.all([next(), next(), next(), next()]);
    expect(socketsOf(hosts)).toEqual([]);
  });

  test('killed in mid-answer: what is left is replaced by the next of that number, or found to be nobody’s', async () => {
    const hosts = all[build];
    const host = hosts.open(['wait']);
    const path = hosts.socketOf(host.pid);
    const client = await openAgentOf(path);
    client.send(Buffer.concat(Array.from({ length: 50 }, () => wireQuestion('stats', Buffer.from('J')))));
    host.child.kill('SIGKILL');
    expect((await host.finished).signal).toBe('SIGKILL');
    await client.ended;
    await expect(openBareClient(path)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    rmSync(path);
  });
});

/** Waits for the end of the agent's thread: a host that is ready has one, under whatever name, and none of its own. */
async function agentIsOver(pid: number): Promise<void> {
  await until(() => readdirSync(`/proc/${pid}/task`).length === 1, 'the thread ends');
}

describe('where it may not open', () => {
  /** A host that waits, in a folder of this test's making; it has no agent, and what it says on standard error is given back. */
  async function saidWithout(directory: string, changes: Record<string, string> = {}): Promise<string> {
    const host = all.plain.open(['wait'], { env: { JEMKIT_AGENT_DIR: directory, ...changes } });
    expect(await host.line()).toBe('ready');
    await agentIsOver(host.pid);
    const { code, stderr } = await host.end();
    expect(code).toBe(7);
    return stderr;
  }

  test.each([
    [
      'a symbolic link',
      (path: string) => symlinkSync('/tmp', path),
      /is a symbolic link, or no folder \(errno \d+\)$/m,
    ],
    ['a file', (path: string) => writeFileSync(path, ''), /is a symbolic link, or no folder \(errno 20\)$/m],
    ['open to others', (path: string) => mkdirSync(path, { mode: 0o755 }), /is open to other users$/m],
  ])('its folder is %s: one line, and silence where it was not asked for', async (_, make, message) => {
    const directory = temporaryFolder();
    make(join(directory, `jemkit-${MY_ID}`));
    const stderr = await saidWithout(directory);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^jemkit: process \d+ runs without an agent: \/[^\n]*\n$/);
    expect(readdirSync(directory)).toEqual([`jemkit-${MY_ID}`]);
  });

  test('there is no such folder', async () => {
    expect(await saidWithout('/no/such/folder')).toMatch(
      /^jemkit: .*\/no\/such\/folder\/jemkit-\d+ cannot be made \(errno 2\)\n$/,
    );
  });

  test.runIf(mayChangeUser)('its folder is another user’s', async () => {
    const directory = temporaryFolder();
    mkdirSync(join(directory, 'jemkit-0'), { mode: 0o700 });
    chownSync(join(directory, 'jemkit-0'), STRANGER, STRANGER);
    expect(await saidWithout(directory)).toMatch(/belongs to another user$/m);
  });

  test.each([
    ['full from the beginning', 'size=4k,nr_inodes=1', /cannot be made \(errno 28\)/],
    ['full when the socket comes', 'size=4k,nr_inodes=2', /takes no socket \(errno 28\)/],
    ['read-only', 'ro', /cannot be made \(errno 30\)/],
  ])('a file system that is %s', async (_, options, message) => {
    const directory = temporaryFolder();
    const { path, env } = all.plain;
    const mount = `mount -t tmpfs -o ${options} tmpfs ${directory} && LD_PRELOAD="$PRELOAD" JEMKIT_AGENT=1 exec ${path} wait`;
    // Where the tests are not root's, in a user namespace where they are.
    const namespace = mayChangeUser ? ['-m'] : ['-m', '--map-root-user'];
    const child = spawn('unshare', [...namespace, 'sh', '-c', mount], {
      env: testEnvironment({ PRELOAD: env['LD_PRELOAD'], JEMKIT_AGENT_DIR: directory }),
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const end = finished(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await agentIsOver(child.pid!);
    child.stdin.end();
    const { code, stderr } = await end;
    expect(code).toBe(7);
    expect(stderr).toMatch(message);
  });

  test.each(['seccomp-errno', 'seccomp-kill'])('%s: sockets are forbidden after the start', async (mode) => {
    const host = all.plain.open([mode]);
    expect(await host.line()).toBe('ready');
    await agentIsOver(host.pid);
    expect(await host.end()).toMatchObject(fine);
    expect(existsSync(all.plain.socketOf(host.pid))).toBe(false);
  });

  test.each(['seccomp-errno', 'seccomp-kill'])('%s: and before it', async (mode) => {
    const host = all.plain.open([mode, all.plain.path]);
    expect(await host.line()).toBe('ready');
    expect(agentThread(host.pid)).toBeUndefined();
    expect(await host.end()).toMatchObject(fine);
  });

  test('a short-lived program leaves no trace, nor does one that was not asked', async () => {
    const { path } = all.plain;
    const directory = temporaryFolder();
    const env = { ...all.plain.env, JEMKIT_AGENT_DIR: directory };
    for (let at = 0; at < 20; at++) {
      expect(await runProgram(path, ['exit-after', '1000'], { env })).toMatchObject(fine);
    }
    for (const wish of ['0', '', 'auto', 'yes', undefined]) {
      const host = all.plain.open(['wait'], { env: { ...env, JEMKIT_AGENT: wish } });
      expect(await host.line()).toBe('ready');
      expect(agentThread(host.pid)).toBeUndefined();
      expect(await host.end()).toMatchObject(fine);
    }
    expect(socketsOf({ ...all.plain, directory })).toEqual([]);
  });

  test('auto: in programs that were proven', async () => {
    const host = all.plain.open(['wait'], { env: { JEMKIT_AGENT: 'auto' } });
    expect(await host.line()).toBe('ready');
    expect(agentThread(host.pid)).toBeUndefined();
    expect(await host.end()).toMatchObject(fine);
    const proven = join(temporaryFolder(), 'ruby3.1');
    execFileSync('cp', [all.plain.path, proven]);
    const ruby = spawn(proven, ['wait'], { env: testEnvironment({ ...all.plain.env, JEMKIT_AGENT: 'auto' }) });
    onTestFinished(() => void ruby.kill('SIGKILL'));
    const end = finished(ruby);
    expect((await (await openAgentOf(all.plain.socketOf(ruby.pid!))).ask('hello')).status).toBe(0);
    ruby.stdin.end();
    expect(await end).toMatchObject(fine);
  });
});

describe.runIf(mayChangeUser)('users', () => {
  /** Talks to a socket as another user, with Node: what the connection gave, or why there was none. */
  async function askAs(user: number, path: string): Promise<string> {
    const code = `const socket = require('node:net').connect(${JSON.stringify(path)});
      socket.on('connect', () => socket.write(Buffer.from(${JSON.stringify(wireQuestion('hello').toString('hex'))}, 'hex')));
      socket.on('data', (data) => { console.log('answered'); socket.destroy(); });
      socket.on('error', (error) => console.log(error.code));
      socket.on('end', () => console.log('closed'));`;
    return (
      await runProgram('setpriv', [
        `--reuid=${user}`,
        `--regid=${user}`,
        '--clear-groups',
        process.execPath,
        '-e',
        code,
      ])
    ).stdout.trim();
  }

  test('another user cannot reach the socket, and is not answered where it can', async () => {
    const host = all.plain.open(['wait']);
    const path = all.plain.socketOf(host.pid);
    await openAgentOf(path);
    expect(await askAs(STRANGER, path)).toBe('EACCES');
    chmodSync(dirname(path), 0o755);
    chmodSync(path, 0o666);
    expect(await askAs(STRANGER, path)).toMatch(/^(closed|ECONNRESET|EPIPE)$/);
    chmodSync(dirname(path), 0o700);
    expect(await host.end()).toMatchObject(fine);
  });

  test.each([
    ['at its start', 'setuid'],
    ['later', 'setuid-later'],
  ])(
    'a program that becomes another user %s has its socket there; that user and root are answered',
    async (_, mode) => {
      const host = all.plain.open([mode, String(STRANGER)]);
      expect(await host.line()).toBe('ready');
      const asRoot = all.plain.socketOf(host.pid, 0);
      let client: BareClient | undefined;
      if (mode === 'setuid-later') {
        client = await openAgentOf(asRoot);
        host.child.stdin?.write('\n');
        expect(await host.line()).toBe('ready');
      }
      const path = all.plain.socketOf(host.pid, STRANGER);
      expect((await (await openAgentOf(path)).ask('hello')).status).toBe(0);
      expect(statSync(path).uid).toBe(STRANGER);
      expect(await askAs(STRANGER, path)).toBe('answered');
      await client?.ended;
      // It may not take away what lies in the folder of who it was; nobody answers there.
      if (client) await expect(openBareClient(asRoot)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      expect(await host.end()).toMatchObject(fine);
      expect(existsSync(path)).toBe(false);
      rmSync(asRoot, { force: true });
    },
  );

  test('a program that goes into another root is found there', async () => {
    const root = temporaryFolder();
    const inside = join(root, all.plain.directory);
    mkdirSync(inside, { recursive: true });
    const host = all.plain.open(['chroot', root]);
    expect(await host.line()).toBe('ready');
    const client = await openAgentOf(join(inside, `jemkit-0`, `${host.pid}.sock`));
    expect((await client.ask('hello')).status).toBe(0);
    expect(await host.end()).toMatchObject(fine);
    expect(readdirSync(join(inside, 'jemkit-0'))).toEqual([]);
  });

  test('with more rights than who starts it, it takes nobody’s wishes', async () => {
    const program = join(folder, 'setuid-host');
    execFileSync('cp', [all.plain.path, program]);
    chownSync(program, 1, 1);
    chmodSync(program, 0o4755);
    // A library of the system's own folders is preloaded there; ours is not, so the folder says it all.
    const child = spawn('setpriv', [`--reuid=${STRANGER}`, `--regid=${STRANGER}`, '--clear-groups', program, 'wait'], {
      env: testEnvironment(all.plain.env),
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const end = finished(child);
    child.stdin.end();
    expect((await end).code).toBe(7);
    expect(existsSync(join(all.plain.directory, 'jemkit-1'))).toBe(false);
  });
});
