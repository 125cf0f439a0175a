import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agentLibraryPath } from '../../src/native.js';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { agentOf, childrenOf, socketFolder, until } from '../support/observed-program.js';
import { type Finished, JEM, jem, nodeBinary, ROOT, runProgram, temporaryFolder } from '../support/programs.js';
import { openJem, openProgram, type RunningProgram } from '../support/running-program.js';
import { installForStrangers, mayChangeUser } from '../support/stranger.js';

const folder = folderForFile();
const sockets = socketFolder(folder);
const SUPPORT = join(ROOT, 'tests', 'support', 'agent');
const PYTHON = '/usr/bin/python3';
const HOLDER = [PYTHON, join(SUPPORT, 'ready.py')] as const;
const uid = process.geteuid?.() ?? 0;

const environment = (more: Record<string, string | undefined> = {}) => ({
  ...launchEnvironment(folder),
  JEMKIT_AGENT_DIR: sockets,
  ...more,
});

/** Starts a program under `jem run --agent` that says `ready`, and waits until its agent answers. */
async function startObserved(
  words: readonly string[] = HOLDER,
  env: Record<string, string | undefined> = {},
): Promise<RunningProgram> {
  const program = openJem(['run', '--agent', '--', ...words], { env: environment(env) });
  expect(await program.line()).toBe('ready');
  (await agentOf(program.pid)).close();
  return program;
}

async function tell(program: RunningProgram, order: string): Promise<void> {
  program.child.stdin?.write(`${order}\n`);
  expect(await program.line()).toBe('ready');
}

interface Got {
  readonly pid: number;
  readonly command: string;
  readonly values: readonly {
    readonly key: string;
    readonly kind: string;
    readonly value?: unknown;
    readonly unit?: string;
  }[];
}

async function get(pid: number, ...keys: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await jem(['ctl', String(pid), 'get', ...keys, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const got = JSON.parse(stdout) as Got;
  expect(got.pid).toBe(pid);
  return Object.fromEntries(got.values.map(({ key, value }) => [key, value]));
}

/** A refusal is one message and one hint for a person, and no trace of where in our code it came from. */
function expectRefusal({ code, stdout, stderr }: Finished, exitCode: number, message: RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^jem: /);
  expect(stderr).not.toMatch(/a bug of jemkit|\n\s+at |node:internal/);
  expect(stdout).toBe('');
  expect(code).toBe(exitCode);
}

describe('jem ctl get', () => {
  test.each<[string, readonly string[]]>([
    ['python', HOLDER],
    ['node', [nodeBinary(24), '-e', 'console.log("ready"); process.stdin.resume()']],
  ])('reads the jemalloc in %s', async (_name, words) => {
    const { pid } = await startObserved(words);
    const values = await get(
      pid,
      'stats.allocated',
      'stats.active',
      'stats.arenas.all.small.nmalloc',
      'version',
      'opt.retain',
    );
    expect(values['version']).toMatch(/^\d+\.\d+\.\d+/);
    expect(values['stats.allocated']).toBeGreaterThan(0);
    expect(values['stats.active']).toBeGreaterThanOrEqual(values['stats.allocated'] as number);
    expect(values['stats.arenas.4096.small.nmalloc']).toBeGreaterThan(0);
    expect(values['opt.retain']).toBe(true);
    const { stdout } = await jem(['ctl', String(pid), 'get', 'stats.allocated', 'arenas.page']);
    expect(stdout).toMatch(/^stats\.allocated {2}\d+ B \(\d[\d.]* [KM]iB\)\narenas\.page {6}\d+ B \(\d[\d.]* KiB\)\n$/);
  });

  test('reads the jemalloc in redis-server', async () => {
    const own = temporaryFolder();
    const words = ['redis-server', '--port', '0', '--unixsocket', join(own, 'redis.sock'), '--save', ''];
    const redis = openJem(['run', '--agent', '--', ...words], { env: environment(), cwd: own });
    (await agentOf(redis.pid)).close();
    expect((await get(redis.pid, 'stats.allocated'))['stats.allocated']).toBeGreaterThan(100_000);
    redis.child.kill('SIGTERM');
    expect((await redis.finished).code).toBe(0);
  });

  test('says what this jemalloc does not have, beside what it has', async () => {
    const { pid } = await startObserved();
    const { code, stdout } = await jem(['ctl', String(pid), 'get', 'arenas.narenas', 'arena.4000.dirty_decay_ms']);
    expect(stdout).toMatch(/^arenas\.narenas +\d+$/m);
    expect(stdout).toMatch(
      /^arena\.4000\.dirty_decay_ms +- +\(there is nothing at this index \(arenas\.narenas is \d+\)\)$/m,
    );
    expect(code).toBe(3);
  });

  test('--watch goes on until the process ends, and says so', async () => {
    const program = await startObserved();
    const watching = openJem(['ctl', String(program.pid), 'get', 'stats.allocated', '--watch', '0.1', '--json']);
    for (const _round of [1, 2]) expect(JSON.parse(await watching.line())).toMatchObject({ pid: program.pid });
    program.child.kill('SIGKILL');
    const { code, stderr } = await watching.finished;
    expect(stderr).toBe(`jem: process ${program.pid} ended before it answered\n`);
    expect(code).toBe(3);
  });
});

describe('jem ctl set', () => {
  test('sets, says what it was, and how to set it back', async () => {
    const { pid } = await startObserved();
    const key = 'arena.0.dirty_decay_ms';
    const before = (await get(pid, key))[key] as number;
    const dry = await jem(['ctl', String(pid), 'set', key, '7s', '--dry-run']);
    expect(dry.stdout).toBe(`${key}  ${before} ms → 7000 ms  (dry run: nothing was changed)\n`);
    expect((await get(pid, key))[key]).toBe(before);
    const set = await jem(['ctl', String(pid), 'set', key, '7s']);
    expect(set).toMatchObject({ code: 0, stdout: `${key}  ${before} ms → 7000 ms\n` });
    expect((await get(pid, key))[key]).toBe(7000);
    const [, undo = ''] = /^to undo: jem (.+)$/m.exec(set.stderr) ?? [];
    expect(await jem(undo.split(' '))).toMatchObject({ code: 0 });
    expect((await get(pid, key))[key]).toBe(before);
  });

  test('says that new arenas alone take it, and which command is for all', async () => {
    const { pid } = await startObserved();
    const { code, stderr } = await jem(['ctl', String(pid), 'set', 'arenas.dirty_decay_ms', '-1']);
    expect(stderr).toMatch(/^only arenas that are made from now on take it; .*: jem decay \d+ --dirty-ms -1$/m);
    expect(code).toBe(0);
    expect((await get(pid, 'arenas.dirty_decay_ms'))['arenas.dirty_decay_ms']).toBe(-1);
  });

  const REFUSED: ReadonlyArray<readonly [what: string, words: readonly string[], message: RegExp]> = [
    [
      'an unknown key',
      ['set', 'arena.0.dirty_decay', '5'],
      /no key 'arena\.0\.dirty_decay'[\s\S]*did you mean 'arena\.<i>\.dirty_decay_ms'/,
    ],
    ['a key without its beginning', ['get', 'pdirty'], /no key 'pdirty'[\s\S]*'stats\.arenas\.<i>\.pdirty'/],
    ['no index', ['get', 'arena.<i>.decay'], /needs an index in place of <i>: 0, 1, … or 'all'/],
    [
      'all arenas where that is none',
      ['get', 'arena.all.dirty_decay_ms'],
      /is of one arena[\s\S]*jem decay PID --dirty-ms/,
    ],
    ['a word for a number', ['set', 'arena.0.dirty_decay_ms', 'soon'], /received 'soon', expected milliseconds/],
    ['a time that is none', ['set', 'arena.0.dirty_decay_ms', '-5'], /received '-5', expected milliseconds/],
    [
      'what was not switched on',
      ['set', 'prof.active', 'true'],
      /was not switched on at the start: jem run --agent --conf/,
    ],
    ['what has a safer way', ['set', 'prof.dump'], /alone[\s\S]*jem watch \d+ --limit 1 --once --do dump/],
    ['a number for a truth value', ['set', 'background_thread', '2'], /received '2', expected true or false/],
    [
      'a number too large',
      ['set', 'arena.0.retain_grow_limit', '99999999999999999999'],
      /expected a whole number from 0/,
    ],
    ['no value', ['set', 'background_thread'], /received none, expected true or false/],
    ['a value for what takes none', ['set', 'arena.0.purge', '1'], /received '1', expected no value/],
    ['what can only be read', ['set', 'stats.allocated', '5'], /'stats\.allocated' can only be read/],
    ['what can only be triggered', ['get', 'arena.0.purge'], /holds no value[\s\S]*jem ctl \d+ set arena\.0\.purge/],
    ['what frees live memory', ['set', 'arena.0.reset'], /jemkit leaves 'arena\.0\.reset' alone: it frees memory/],
    ['what is of one thread', ['get', 'thread.allocated'], /it is one thread's/],
  ];

  test('refuses what is unknown, of another type, or dangerous', async () => {
    const { pid } = await startObserved(HOLDER, { MALLOC_CONF: 'prof:false' });
    const outcomes = await Promise.all(REFUSED.map(([, words]) => jem(['ctl', String(pid), ...words])));
    REFUSED.forEach(([what, , message], at) => {
      expect(outcomes[at]?.stderr, what).toMatch(message);
      expectRefusal(outcomes[at]!, 2, message);
    });
    expect((await get(pid, 'background_thread'))['background_thread']).toBeTypeOf('boolean');
  });
});

describe('jem ctl', () => {
  test('without words says what to type', async () => {
    expectRefusal(await jem(['ctl']), 2, /Expected get, set or list\n {2}hint: jem ctl get stats\.allocated/);
    expectRefusal(await jem(['ctl', '1', 'set', 'x', 'y', '--watch']), 2, /--watch is for jem ctl get/);
  });

  test('list shows the keys of a pattern', async () => {
    const { code, stdout } = await jem(['ctl', 'list', 'arena.*decay*']);
    expect(stdout.split('\n')[1]).toMatch(/^arena\.<i>\.decay +set +void/);
    expect(stdout).toMatch(/^arena\.<i>\.dirty_decay_ms +get, set +ssize_t +ms +5\.0\.0 +How long/m);
    expect(code).toBe(0);
    expectRefusal(await jem(['ctl', 'list', 'alocated']), 2, /no key of jemalloc has 'alocated'/);
  });
});

const KEEP_ALL = { MALLOC_CONF: 'dirty_decay_ms:-1,muzzy_decay_ms:-1,background_thread:false' };
const MIB = 2 ** 20;

interface Reclaimed {
  readonly before: { readonly residentBytes: number; readonly dirtyBytes: number; readonly muzzyBytes: number };
  readonly after: Reclaimed['before'];
  readonly verdict: { readonly kind: string; readonly returnedBytes: number };
  readonly undo?: readonly string[];
}

async function reclaim(...words: string[]): Promise<Reclaimed> {
  const { code, stdout, stderr } = await jem([...words, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Reclaimed;
}

describe('jem purge', () => {
  test('gives back what is unused, as measured; then says that there is nothing', async () => {
    const program = await startObserved(HOLDER, KEEP_ALL);
    await tell(program, 'hold 64');
    await tell(program, 'free');
    const pid = String(program.pid);
    const dry = await jem(['purge', pid, '--dry-run']);
    expect(dry.stdout).toMatch(/would be given back\n[\s\S]*dirty/);
    const { before, after, verdict } = await reclaim('purge', pid);
    expect(before.dirtyBytes + before.muzzyBytes).toBeGreaterThan(50 * MIB);
    expect(after.dirtyBytes + after.muzzyBytes).toBeLessThan(MIB);
    expect(verdict.kind).toBe('returned');
    expect(verdict.returnedBytes).toBe(before.residentBytes - after.residentBytes);
    expect(verdict.returnedBytes).toBeGreaterThan(50 * MIB);
    const again = await jem(['purge', pid]);
    expect(again.stdout).toMatch(/^Nothing came back: jemalloc kept no unused pages\. What is left is in use: /m);
    expect(again.code).toBe(0);
    expect(await program.end()).toMatchObject({ code: 0, stderr: '' });
  });

  test('of one arena; and of one that is not there', async () => {
    const { pid } = await startObserved();
    expect((await jem(['purge', String(pid), '--arena', '0'])).stdout).toMatch(/: purged arena 0 in \d/);
    expectRefusal(
      await jem(['purge', String(pid), '--arena', '4000']),
      2,
      /has no arena 4000: there are \d+, from 0 to \d+/,
    );
  });
});

describe('jem decay', () => {
  test('says that what is not due stays, and sets times for all arenas, and back', async () => {
    const program = await startObserved(HOLDER, KEEP_ALL);
    await tell(program, 'hold 32');
    await tell(program, 'free');
    const pid = String(program.pid);
    expect((await reclaim('decay', pid)).verdict.kind).toBe('not-due');
    const keys = ['arenas.dirty_decay_ms', 'arena.0.dirty_decay_ms', 'arenas.muzzy_decay_ms', 'arena.0.muzzy_decay_ms'];
    const times = await get(program.pid, ...keys);
    const dry = await jem(['decay', pid, '--dirty-ms', '0', '--dry-run']);
    expect(dry.stdout).toMatch(/dirty_decay_ms +arenas made from now on +-1 ms \(for ever\) → 0 ms/);
    expect(await get(program.pid, ...keys)).toEqual(times);
    const { verdict, undo } = await reclaim('decay', pid, '--dirty-ms', '0', '--muzzy-ms', '0');
    expect(verdict.kind).toBe('returned');
    expect(verdict.returnedBytes).toBeGreaterThan(25 * MIB);
    expect(Object.values(await get(program.pid, ...keys))).toEqual([0, 0, 0, 0]);
    expect(undo?.length).toBeGreaterThan(0);
    for (const command of undo ?? []) {
      const { code, stderr } = await jem(command.split(' ').slice(1));
      expect(code, stderr).toBe(0);
    }
    expect(await get(program.pid, ...keys)).toEqual(times);
  });

  test('does not take what is no time', async () => {
    expectRefusal(await jem(['decay', '1', '--dirty-ms', 'soon']), 2, /expected milliseconds/);
  });
});

describe('which process', () => {
  test('none of this number', async () => {
    const short = openProgram('/bin/true', []);
    await short.finished;
    for (const verb of [['purge'], ['decay']])
      expectRefusal(await jem([...verb, String(short.pid)]), 3, /no process \d+: it does not exist/);
    expectRefusal(await jem(['purge', '4194305']), 2, /is no pid \(expected a number from 1 to 4194304\)/);
    expectRefusal(await jem(['purge', 'no-such-program']), 3, /no process that this user may see is called/);
  });

  test('a zombie', async () => {
    const code = 'import os,sys\npid = os.fork()\nif pid == 0: os._exit(0)\nprint(pid, flush=True)\nsys.stdin.read()';
    const parent = openProgram(PYTHON, ['-c', code]);
    expectRefusal(await jem(['purge', await parent.line()]), 3, /\(zombie\)/);
  });

  test('a thread of one', async () => {
    const { pid } = await startObserved();
    const thread = readdirSync(`/proc/${pid}/task`).find((name) => name !== String(pid));
    expectRefusal(
      await jem(['purge', String(thread)]),
      3,
      new RegExp(`is a thread of process ${pid}[\\s\\S]*jem purge ${pid}`),
    );
  });

  test('one without an agent: which allocator it has, and how to start it', async () => {
    const plain = openProgram(PYTHON, [join(SUPPORT, 'ready.py')]);
    await plain.line();
    expectRefusal(
      await jem(['purge', String(plain.pid)]),
      3,
      /has no agent of jemkit that could be asked; it is served by glibc's malloc, not jemalloc\n {2}hint: start it with one: jem run --agent -- python3 /,
    );
    const node = openProgram(process.execPath, ['-e', 'console.log("ready"); process.stdin.resume()']);
    await node.line();
    expectRefusal(
      await jem(['purge', String(node.pid)]),
      3,
      /jem run --agent -- node[\s\S]*createMemory\(\) of 'jemkit'/,
    );
  });

  test('one with an agent, and without jemalloc', async () => {
    const [path, ...args] = HOLDER;
    const env = { LD_PRELOAD: agentLibraryPath(), JEMKIT_AGENT: '1', JEMKIT_AGENT_DIR: sockets };
    const program = openProgram(path, args, { env });
    await program.line();
    (await agentOf(program.pid)).close();
    expectRefusal(
      await jem(['ctl', String(program.pid), 'get', 'stats.allocated']),
      3,
      /is served by glibc's malloc, not jemalloc\n {2}hint: start it with one: jem run --agent -- python3/,
    );
  });

  test("another user's", async () => {
    const place = temporaryFolder();
    chmodSync(place, 0o755);
    const asStranger = installForStrangers(place);
    const { pid } = await startObserved();
    const outcome = await asStranger(['ctl', String(pid), 'get', 'stats.allocated']);
    if (mayChangeUser) {
      expectRefusal(
        outcome,
        3,
        /belongs to user root \(0\); only that user and root may ask its agent\n {2}hint: sudo env PATH="\$PATH" jem ctl \d+ get stats\.allocated\n/,
      );
    } else {
      expect(outcome.code).toBe(0);
    }
  });

  test('one in another namespace, with other files and another pid', async () => {
    const hidden = temporaryFolder();
    const inside = `mount -t tmpfs none '${hidden}' && exec "$@"`;
    const start = ['sh', '-c', inside, 'sh', process.execPath, JEM, 'run', '--agent', '--', ...HOLDER];
    const unshare = openProgram('unshare', ['--mount', '--pid', '--fork', '--', ...start], {
      env: environment({ JEMKIT_AGENT_DIR: hidden }),
    });
    expect(await unshare.line()).toBe('ready');
    const [pid = 0] = childrenOf(unshare.pid);
    const agent = await agentOf(pid);
    expect(agent.hello.pid).toBe(1);
    agent.close();
    expect(readdirSync(hidden)).toEqual([]);
    expect((await get(pid, 'stats.allocated'))['stats.allocated']).toBeGreaterThan(0);
    expect((await jem(['purge', String(pid)])).stdout).toMatch(new RegExp(`\\(${pid}\\): purged all arenas`));
    unshare.child.stdin?.end();
    expect((await unshare.finished).code).toBe(0);
  });

  test('one whose folder has a path longer than a socket’s may be', async () => {
    const deep = join(sockets, 'd'.repeat(120));
    mkdirSync(deep, { mode: 0o755 });
    const { pid } = await startObserved(HOLDER, { JEMKIT_AGENT_DIR: deep });
    expect(readdirSync(join(deep, `jemkit-${uid}`))).toEqual([`${pid}.sock`]);
    expect((await get(pid, 'stats.active'))['stats.active']).toBeGreaterThan(0);
  });
});

describe('by name, or the only one', () => {
  /** Runs a script of the shell where no other process is: what it starts is all there is. */
  const alone = (script: string) =>
    runProgram('unshare', ['--mount-proc', '--pid', '--fork', '--', 'bash', '-c', script], {
      env: {
        ...environment(),
        ...{ JEM, NODE: process.execPath, READY: join(SUPPORT, 'ready.py') },
      },
    });
  const SETUP = `
jem() { "$NODE" "$JEM" "$@"; }
start() { mkfifo "$1.fifo" "$1.out"; "$NODE" "$JEM" run --agent -- python3 "$READY" <"$1.fifo" >"$1.out" & eval "exec $2>$1.fifo"; read _ <"$1.out"; }
wait_for() { for _ in $(seq 200); do jem ctl "$1" get version >/dev/null 2>&1 && return; sleep 0.02; done; }
cd "$(mktemp -d)"
jem purge 2>none.err; echo "none $?"
start one 5; wait_for $!
jem ctl get opt.retain; echo "only $?"
jem ctl ready.py get opt.retain; echo "script $?"
jem ctl python3 get opt.retain; echo "program $?"
start two 6; second=$!; wait_for $second
jem ctl get opt.retain 2>several.err; echo "several $?"
jem ctl ready.py get opt.retain 2>named.err; echo "named $?"
jem ctl $second get opt.retain; echo "pid $?"
cat none.err several.err named.err
exec 5>&- 6>&-; wait
`;

  test('chosen where it is clear, listed where it is not', async () => {
    const { stdout, stderr } = await alone(SETUP);
    const lines = stdout.split('\n');
    expect(
      lines.filter((line) => /^\w+ \d$/.test(line)),
      stdout + stderr,
    ).toEqual(['none 3', 'only 0', 'script 0', 'program 0', 'several 2', 'named 2', 'pid 0']);
    expect(stdout).toMatch(
      /no process here has an agent of jemkit that could be asked\n {2}hint: start one with it: jem run --agent/,
    );
    expect(stdout).toMatch(
      /2 processes have an agent of jemkit\n +PID +USER +RSS +COMMAND\n +\d+ +\S+ +\d.* MiB +python3 .*ready\.py\n/,
    );
    expect(stdout).toMatch(
      /2 processes are called 'ready\.py'[\s\S]*hint: say which by its pid: jem ctl \d+ get opt\.retain\n/,
    );
  });

  test('a person at a terminal is asked', async () => {
    const programs = [await startObserved(), await startObserved()];
    const ask = async (type: string) => {
      const { stdout } = await runProgram(
        PYTHON,
        [
          join(ROOT, 'tests', 'support', 'pty-run.py'),
          process.execPath,
          JEM,
          'ctl',
          'ready.py',
          'get',
          'arenas.narenas',
        ],
        { env: { TYPE: type, TERM: 'xterm' } },
      );
      return JSON.parse(stdout) as { code: number; output: string };
    };
    const chosen = await ask('nonsense\n2\n');
    expect(chosen.output).toMatch(/\n2\) +\d+ /);
    expect(chosen.output.match(/Which one\? \(1 to \d+, q to quit\)/g)).toHaveLength(2);
    expect(chosen.output).toMatch(/arenas\.narenas +\d+/);
    expect(chosen.code).toBe(0);
    const quit = await ask('q\n');
    expect(quit.output).toContain('no process was chosen');
    expect(quit.code).toBe(2);
    for (const program of programs) expect((await program.end()).code).toBe(0);
  });
});

describe('what holds the socket', () => {
  async function startFalse(behaviour: string): Promise<RunningProgram> {
    const program = openProgram(process.execPath, [join(SUPPORT, 'false-agent.mjs'), behaviour, sockets], {
      env: { JEMKIT_AGENT_DIR: sockets },
    });
    expect(await program.line()).toBe('ready');
    return program;
  }

  test.each<[string, string, RegExp]>([
    [
      'speaks another version',
      'version',
      /speaks version 2 of the protocol, this jemkit version 1\n {2}hint: upgrade this jemkit/,
    ],
    ['sends garbage', 'garbage', /did not answer: it sent bytes that are no answer \("HTTP\/1\.1 400 Bad"\)/],
    ['announces too much', 'huge', /announced an answer of 4294967295 bytes/],
    ['hangs up', 'hangs_up', /it closed the connection before it answered/],
    ['is another process', 'other_pid', /is not trusted: the process that answers says its pid is \d+/],
  ])('%s', async (_name, behaviour, message) => {
    const { pid } = await startFalse(behaviour);
    expectRefusal(await jem(['purge', String(pid)]), 3, message);
  });

  test('says nothing, stops in the middle, or was stopped', async () => {
    const cases = [
      ['silent', /it took the connection, and gave no answer in \d/],
      ['half', /it stopped in the middle of an answer/],
    ] as const;
    const programs = await Promise.all(cases.map(([behaviour]) => startFalse(behaviour)));
    const stopped = await startObserved();
    stopped.child.kill('SIGSTOP');
    // Each takes the time that an agent has to answer.
    const [ofStopped, ...outcomes] = await Promise.all(
      [stopped, ...programs].map(({ pid }) => jem(['purge', String(pid)])),
    );
    cases.forEach(([, message], at) => {
      expectRefusal(outcomes[at]!, 3, message);
    });
    expectRefusal(ofStopped!, 3, /the process is stopped \(by SIGSTOP or a debugger\)/);
    stopped.child.kill('SIGCONT');
    expect((await jem(['purge', String(stopped.pid)])).code).toBe(0);
  });

  test('is killed while a command waits for it', async () => {
    const program = await startFalse('silent');
    const waiting = jem(['purge', String(program.pid)]);
    expect(await program.line()).toBe('asked');
    program.child.kill('SIGKILL');
    expectRefusal(await waiting, 3, /process \d+(: it does not exist, or ended| \(node\) has ended)/);
  });

  test('lies in a folder that others may use, or that is a symbolic link', async () => {
    const directory = temporaryFolder();
    const own = join(directory, `jemkit-${uid}`);
    mkdirSync(own);
    chmodSync(own, 0o755);
    const program = openProgram('/bin/cat', [], { env: { JEMKIT_AGENT_DIR: directory } });
    expectRefusal(
      await jem(['purge', String(program.pid)]),
      3,
      /is not trusted: others than its owner may use its folder \(mode 755\)/,
    );
    const elsewhere = temporaryFolder();
    const linked = temporaryFolder();
    symlinkSync(elsewhere, join(linked, `jemkit-${uid}`));
    const second = openProgram('/bin/cat', [], { env: { JEMKIT_AGENT_DIR: linked } });
    expectRefusal(await jem(['purge', String(second.pid)]), 3, /is no folder, or is reached by a symbolic link/);
  });

  test('was left behind by a killed process: it is collected, what is used or new stays', async () => {
    const directory = temporaryFolder();
    const killed = openProgram(process.execPath, [join(SUPPORT, 'false-agent.mjs'), 'silent', directory]);
    await killed.line();
    const alive = openProgram(process.execPath, [join(SUPPORT, 'false-agent.mjs'), 'silent', directory]);
    await alive.line();
    killed.child.kill('SIGKILL');
    await killed.finished;
    const left = join(directory, `jemkit-${uid}`, `${killed.pid}.sock`);
    const used = join(directory, `jemkit-${uid}`, `${alive.pid}.sock`);
    const other = join(directory, `jemkit-${uid}`, 'notes.txt');
    writeFileSync(other, '');
    await jem(['purge'], { env: { JEMKIT_AGENT_DIR: directory } });
    expect(existsSync(left)).toBe(true);
    for (const path of [left, used, other]) utimesSync(path, 1, 1);
    await jem(['purge'], { env: { JEMKIT_AGENT_DIR: directory } });
    await until('the collection', () => !existsSync(left));
    expect([existsSync(used), existsSync(other)]).toEqual([true, true]);
  });
});
