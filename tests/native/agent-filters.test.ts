import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseProbeOutput } from '../../src/sources/process/probe-output.js';
import { openAgentOf, openBareClient, readPayload, until } from '../support/agent-client.js';
import { type AgentHosts, agentThread, plainHosts, sanitizedHosts } from '../support/agent-hosts.js';
import { compile } from '../support/compile.js';
import { AGENT, folderForFile } from '../support/launching.js';
import { jemallocLibrary, ROOT, runProgram, temporaryFolder, testEnvironment } from '../support/programs.js';
import { openProgram, type RunningProgram } from '../support/running-program.js';

const folder = folderForFile();
const ADDON = join(ROOT, 'prebuilds', `linux-${process.arch}-glibc`, 'jemkit.node');
let filtered: string;
let all: Record<'plain' | 'sanitized', AgentHosts>;
beforeAll(() => {
  const source = readFileSync(join(ROOT, 'tests', 'native', 'filtered.c'), 'utf8');
  filtered = compile(folder, 'filtered', source, ['-I', join(ROOT, 'tests', 'native')]);
  all = { plain: plainHosts(folder), sanitized: sanitizedHosts(folder) };
});

const fine = { code: 7, signal: null, stderr: '' };

/** What containers' filters do to the calls that come near the agent. */
const CONTAINER = ['eperm:unshare,setns,mount,keyctl,ptrace,userfaultfd,pidfd_getfd', 'enosys:clone3'];

/** The words that start a program under filters, with these variables from there on. */
function under(
  filters: readonly string[],
  env: Record<string, string | undefined>,
  words: readonly string[],
): string[] {
  const set = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return [...filters, '--', 'env', ...set, ...words];
}

/** The answers of a probe under these filters. */
function probeUnder(filters: readonly string[], env: Record<string, string>): string {
  return execFileSync(filtered, under(filters, env, [all.plain.path]), { encoding: 'utf8', env: testEnvironment() });
}

/** What a trial under these filters shows, as `jem run` has it made. */
function trialUnder(filters: readonly string[]) {
  const preload = `${AGENT} ${jemallocLibrary()}`;
  const answer = parseProbeOutput(probeUnder(filters, { LD_PRELOAD: preload, JEMKIT_PROBE: 's:version,filters' }));
  expect(answer).toMatchObject({ serving: 'jemalloc', version: expect.stringMatching(/^\d/) });
  return answer?.filters;
}

function proofUnder(filters: readonly string[]): string {
  const trial = trialUnder(filters);
  if (trial?.kind !== 'works') throw new Error(`no proof: ${JSON.stringify(trial)}`);
  return trial.proof;
}

/** A host under inherited filters, with this proof of them. */
function openFiltered(
  hosts: AgentHosts,
  filters: readonly string[],
  mode: readonly string[],
  proof: string | undefined = proofUnder(filters),
): RunningProgram {
  const env = { ...hosts.env, JEMKIT_AGENT_FILTERS: proof };
  return openProgram(filtered, under(filters, env, [hosts.path, ...mode]));
}

/** Ready, without an agent for longer than one would take, and unharmed. */
async function expectNone(hosts: AgentHosts, host: RunningProgram): Promise<void> {
  expect(await host.line()).toBe('ready');
  await until(() => agentThread(host.pid) === undefined, 'no thread');
  expect(await host.end()).toMatchObject(fine);
  expect(existsSync(hosts.socketOf(host.pid))).toBe(false);
}

describe('the trial', () => {
  test('says nothing where there is no filter', () => {
    const stdout = execFileSync(all.plain.path, {
      encoding: 'utf8',
      env: testEnvironment({ LD_PRELOAD: AGENT, JEMKIT_PROBE: 'filters' }),
    });
    expect(stdout).toBe('jemkit-probe 1\nserving=system\nend\n');
  });

  test('is not made where nobody asks', () => {
    const stdout = probeUnder(['kill:socket'], { LD_PRELOAD: AGENT, JEMKIT_PROBE: 's:version,b:filters,s:xfilters' });
    expect(stdout).toBe('jemkit-probe 1\nserving=system\nend\n');
  });

  test.each([
    [['allow']],
    [['allow', 'allow', 'allow']],
    [CONTAINER],
    // What it does not call at all, or can do without.
    [['kill:unshare,umask,fork']],
    [['eperm:signalfd4,tgkill,pidfd_open,madvise,connect,unlinkat']],
  ])('%j: it can act, and the proof tells their number', (filters) => {
    expect(proofUnder(filters)).toMatch(new RegExp(`^${filters.length}-[0-9a-f]{16}$`));
  });

  test.each(['kill', 'kill-thread'])('%s: the call is named, and nothing else of the probe is lost', (action) => {
    for (const call of ['socket', 'bind', 'close_range', 'signalfd4', 'accept4', 'ppoll', 'pidfd_getfd', 'mremap'])
      expect(trialUnder([`${action}:${call}`])).toEqual({ kind: 'fatal', call });
  });

  test.each([
    ['eperm', 1],
    ['enosys', 38],
  ])('%s: of what it needs the first call is named', (action, errno) => {
    for (const call of ['socket', 'bind', 'close_range', 'accept4', 'ppoll'])
      expect(trialUnder([`${action}:${call},sendto`])).toEqual({ kind: 'refused', call, errno });
  });

  test('knows every call that the agent makes', async () => {
    const file = join(temporaryFolder(), 'trace');
    const { env, path, directory } = all.plain;
    const traced = openProgram(
      'strace',
      ['-f', '-qq', '-o', file, '-E', `LD_PRELOAD=${env['LD_PRELOAD']}`, path, 'wait'],
      {
        env: { ...env, LD_PRELOAD: undefined },
      },
    );
    expect(await traced.line()).toBe('ready');
    const pid = Number(readFileSync(file, 'utf8').split(' ')[0]);
    const thread = await until(() => agentThread(pid), 'its thread');
    const client = await openAgentOf(all.plain.socketOf(pid));
    const arena = Buffer.alloc(4, 0xff);
    await client.ask('hello');
    await client.ask('read', readPayload(4, 'stats.allocated'));
    await client.ask('stats', Buffer.from('J'));
    await client.ask('sample');
    await client.ask('purge', arena);
    await client.ask('decay', arena);
    await client.ask('profActive', Buffer.of(1));
    expect((await client.ask('profDump', Buffer.from(join(directory, 'traced.heap')))).status).toBe(0);
    await client.ask('profReset', Buffer.alloc(8, 0xff));
    client.socket.destroy();
    expect(await traced.end()).toMatchObject({ code: 7 });
    const made = readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => /^(\d+) +(\w+)\(/.exec(line))
      .flatMap((match) => (match && Number(match[1]) === thread ? [match[2] ?? ''] : []));
    // Without a filter it has a working directory of its own, and under one it does without. The C library's own are in pthread_create.
    const spared = ['unshare', 'umask', 'chdir', 'fchdir', 'set_robust_list', 'rseq', 'exit'];
    const source = readFileSync(join(ROOT, 'native', 'agent', 'trial.c'), 'utf8');
    const tried = [...source.matchAll(/^ {6}\{"(\w+)", JM_/gm)].map(([, name]) => name);
    expect(made.length).toBeGreaterThan(30);
    expect([...new Set(made)].filter((name) => !tried.includes(name) && !spared.includes(name))).toEqual([]);
  });
});

describe.each(['plain', 'sanitized'] as const)('under inherited filters, %s', (build) => {
  test.each([[['allow']], [CONTAINER], [['kill:unshare']]])('%j: it answers', async (filters) => {
    const hosts = all[build];
    const host = openFiltered(hosts, filters, ['umask']);
    expect(await host.line()).toBe('ready');
    const path = hosts.socketOf(host.pid);
    const client = await openAgentOf(path);
    expect((await client.ask('hello')).payload.readUInt32LE(0)).toBe(host.pid);
    if (build === 'plain') expect((await client.ask('stats', Buffer.from('J'))).status).toBe(0);
    // Neither of which is its own there.
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
    expect(execFileSync('readlink', [`/proc/${host.pid}/cwd`], { encoding: 'utf8' })).toBe('/usr\n');
    expect(readFileSync(`/proc/${host.pid}/status`, 'utf8')).toMatch(/^Umask:\t0000$/m);
    const { code, signal, stderr } = await host.end();
    expect({ code, signal, stderr }).toEqual(fine);
    expect(existsSync(path)).toBe(false);
  });

  test('without a proof, or with that of others, it stays out', async () => {
    const hosts = all[build];
    const proof = proofUnder(['allow']);
    for (const claim of [
      '',
      '0',
      '1',
      'x'.repeat(5000),
      proof.replace(/^1/, '2'),
      proof.replace(/.$/, 'g'),
      `${proof} `,
    ])
      await expectNone(hosts, openFiltered(hosts, ['kill:socket,clone,readlinkat,prctl'], ['wait'], claim));
    // A filter more than was tried, as of a sandbox on the way, which forbids even threads.
    await expectNone(
      hosts,
      openFiltered(hosts, ['allow', 'kill:socket,clone,clone3,readlinkat,prctl'], ['wait'], proof),
    );
  });

  test('children and other programs in its place have their own', async () => {
    const hosts = all[build];
    const host = openFiltered(hosts, CONTAINER, ['fork-one']);
    const child = Number(await host.line());
    const client = await openAgentOf(hosts.socketOf(child));
    expect((await client.ask('hello')).payload.readUInt32LE(0)).toBe(child);
    expect(await host.end()).toMatchObject({ code: 7, stderr: '' });
    const other = openFiltered(hosts, CONTAINER, ['exec']);
    const before = await openAgentOf(hosts.socketOf(other.pid));
    other.child.stdin?.write('\n');
    await before.ended;
    expect((await (await openAgentOf(hosts.socketOf(other.pid))).ask('hello')).status).toBe(0);
    expect(await other.end()).toMatchObject(fine);
  });
});

describe.each([
  ['no filter', []],
  ['a filter', ['allow']],
])('a program that adds filters of its own to %s', (_, filters) => {
  const open = (mode: string, filter: string) =>
    filters.length === 0 ? all.plain.open([mode, filter]) : openFiltered(all.plain, filters, [mode, filter]);

  test.each(['allow', 'kill:socket', 'kill:clock_nanosleep,mkdirat,prctl', 'eperm:socket'])(
    '%s, before the opening',
    async (filter) => {
      await expectNone(all.plain, open('filter', filter));
    },
  );

  test.each(['allow', 'kill:accept4', 'kill:recvfrom,sendto,accept4,unlinkat,tgkill,prctl', 'eperm:socket'])(
    '%s, for all its threads, after it: nobody is answered any more',
    async (filter) => {
      const host = open('filter-later', filter);
      expect(await host.line()).toBe('ready');
      const path = all.plain.socketOf(host.pid);
      const [client, other] = [await openAgentOf(path), await openAgentOf(path)];
      expect((await client.ask('hello')).status).toBe(0);
      expect((await other.ask('hello')).status).toBe(0);
      host.child.stdin?.write('\n');
      expect(await host.line()).toBe('ready');
      await expect(client.ask('hello')).rejects.toThrow('closed');
      await Promise.all([client.ended, other.ended]);
      await expect(openBareClient(path)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      expect(agentThread(host.pid)).toBeUndefined();
      expect(await host.end()).toMatchObject(fine);
    },
  );

  const ending = filters.length === 0 ? ['kill:unlinkat,tgkill,futex', 'kill:openat'] : ['kill:unlinkat,tgkill,futex'];
  test.each(ending)('%s for the thread that ends it: its socket stays, and it ends as it would', async (filter) => {
    const host = open('filter-thread', filter);
    expect(await host.line()).toBe('ready');
    const path = all.plain.socketOf(host.pid);
    const client = await openAgentOf(path);
    host.child.stdin?.write('\n');
    expect(await host.line()).toBe('ready');
    expect((await client.ask('hello')).status).toBe(0);
    expect(await host.end()).toMatchObject(fine);
    await expect(openBareClient(path)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('for the thread that forks: its children have no agent', async () => {
    const host = open('filter-fork', 'kill:clone3,socket');
    const child = Number(await host.line());
    await until(() => existsSync(all.plain.socketOf(host.pid)), 'the parent’s');
    expect(agentThread(child)).toBeUndefined();
    const { code, stderr } = await host.end();
    expect({ code, stderr }).toEqual({ code: 7, stderr: '' });
  });
});

describe('the addon', () => {
  const script = (
    directory: string,
  ) => `const started = require(${JSON.stringify(ADDON)}).startAgent(${JSON.stringify(directory)});
    console.log(JSON.stringify(started)); process.stdin.resume();`;

  test.each([[['allow']], [CONTAINER], [['kill:unshare']]])('%j: it answers where that was tried', async (filters) => {
    const directory = temporaryFolder();
    const node = openProgram(filtered, [...filters, '--', process.execPath, '-e', script(directory)], {
      env: { JEMKIT_AGENT_FILTERS: proofUnder(filters) },
    });
    const { path } = JSON.parse(await node.line()) as { path: string };
    expect((await (await openAgentOf(path)).ask('hello')).status).toBe(0);
    expect(await node.end()).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(path)).toBe(false);
  });

  test('else it stays out, and says why', async () => {
    for (const filters of [['kill:close_range,unshare,signalfd4'], ['allow', 'kill:signalfd4']]) {
      const { code, signal, stdout, stderr } = await runProgram(
        filtered,
        [...filters, '--', process.execPath, '-e', script(temporaryFolder())],
        { env: { JEMKIT_AGENT_FILTERS: proofUnder(['allow']).replace(/.$/, 'g') } },
      );
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
      expect(JSON.parse(stdout)).toEqual({ reason: expect.stringMatching(/filtered \(seccomp\).*jem run/) });
    }
  });
});
