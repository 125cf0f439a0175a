import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readHeapProfile } from '../../src/sources/heap-dump/read-profile.js';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { agentOf, socketFolder } from '../support/observed-program.js';
import { jem, ROOT } from '../support/programs.js';
import { openJem, openProgram, type RunningProgram } from '../support/running-program.js';

const folder = folderForFile();
const sockets = socketFolder(folder);
const env = { ...launchEnvironment(folder), JEMKIT_AGENT_DIR: sockets };
const HOLDER = ['/usr/bin/python3', join(ROOT, 'tests', 'support', 'agent', 'ready.py')] as const;
const MIB = 2 ** 20;

/** Starts a holder of memory whose jemalloc gives nothing back by itself. */
async function startHolder(conf = 'dirty_decay_ms:-1,background_thread:false'): Promise<RunningProgram> {
  const holder = openJem(['run', '--agent', '--conf', conf, '--', ...HOLDER], { env });
  expect(await holder.line()).toBe('ready');
  (await agentOf(holder.pid)).close();
  return holder;
}

async function tell(holder: RunningProgram, order: string): Promise<void> {
  holder.child.stdin?.write(`${order}\n`);
  expect(await holder.line()).toBe('ready');
}

interface Event {
  readonly kind: string;
  readonly bytes?: number;
  readonly beforeBytes?: number;
  readonly afterBytes?: number;
  readonly [more: string]: unknown;
}

/** Starts a watch that prints events, and gives them one by one, those about agents left out. */
function openWatch(args: readonly string[]) {
  const program = openJem(['watch', '--json', '-i', '20ms', ...args], { env, cwd: folder });
  const next = async (): Promise<Event> => {
    const event = JSON.parse(await program.line()) as Event;
    return event.kind.startsWith('agent') ? next() : event;
  };
  return { ...program, next };
}

describe('purge', () => {
  test('each time the limit is crossed, once; what is held stays', async () => {
    const holder = await startHolder();
    await tell(holder, 'hold 100');
    const watch = openWatch([String(holder.pid), '--limit', '80MiB', '--do', 'purge', '--cooldown', '0s']);
    expect(await watch.next()).toMatchObject({ kind: 'start', pid: holder.pid, limitBytes: 80 * MIB });
    expect(await watch.next()).toMatchObject({ kind: 'over', bytes: expect.any(Number) });
    const vain = await watch.next();
    expect(vain).toMatchObject({ kind: 'action', action: 'purge', done: true });
    expect(vain.afterBytes).toBeGreaterThan(95 * MIB);

    // Dropped: RSS stays, as jemalloc keeps the pages. It is still above, and no crossing.
    await tell(holder, 'free');
    const { code } = await jem(['purge', String(holder.pid)], { env });
    expect(code).toBe(0);
    expect(await watch.next()).toMatchObject({ kind: 'under' });
    await tell(holder, 'hold 100');
    expect(await watch.next()).toMatchObject({ kind: 'over' });
    const { beforeBytes } = await watch.next();
    expect(beforeBytes).toBeGreaterThan(80 * MIB);
    await holder.end();
    const { code: ended, stderr } = await watch.finished;
    expect(ended).toBe(0);
    expect(stderr).toMatch(/jem: watching RSS of \d+ \(python3 .*ready\.py\), limit 80\.0 MiB, then: purge/);
    expect(stderr).toMatch(/purge \(purged all arenas\) in \S+ m?s: RSS \S+ MiB → \S+ MiB/);
    expect(stderr).toMatch(/: the process ended\n$/);
  });

  test('gives back what was dropped, and with --once ends after it, with exit code 1', async () => {
    const holder = await startHolder();
    await tell(holder, 'hold 50');
    await tell(holder, 'free');
    const { code, stdout, stderr } = await jem(
      ['watch', String(holder.pid), '--limit', '40MB', '--do', 'purge', '--once'],
      { env },
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const [, before = '', after = ''] = /RSS (\S+) MiB → (\S+) MiB/.exec(stderr) ?? [];
    expect(Number(before) - Number(after)).toBeGreaterThan(40);
  });
});

describe('exec', () => {
  test('gets the moment in its environment and its arguments as they are', async () => {
    const holder = await startHolder();
    const script =
      'printf "%s|%s|%s|%s" "$JEMKIT_WATCH_PID" "$JEMKIT_WATCH_SERIES" "$JEMKIT_WATCH_LIMIT_BYTES" "$1"; test "$JEMKIT_WATCH_BYTES" -gt 1000';
    const args = [
      '--limit',
      '1000',
      '--of',
      'allocated',
      '--do',
      'exec',
      '--once',
      '--',
      'sh',
      '-c',
      script,
      'sh',
      '$(id) ; *',
    ];
    const { code, stdout, stderr } = await jem(['watch', String(holder.pid), ...args], { env });
    expect(stdout).toBe(`${holder.pid}|allocated|1000|$(id) ; *`);
    expect(stderr).toMatch(/exec \(sh ended with exit code 0\)/);
    expect(code).toBe(1);
  });

  test('does not start again while it runs, and does not keep the watch from seeing the end', async () => {
    const holder = await startHolder();
    const watch = openWatch([
      String(holder.pid),
      '--limit',
      '1MB',
      '--do',
      'exec',
      '--cooldown',
      '0s',
      '--every',
      '50ms',
      '--',
      'sh',
      '-c',
      'echo run >&2; exec sleep 1',
    ]);
    expect((await watch.next()).kind).toBe('start');
    expect((await watch.next()).kind).toBe('over');
    await holder.end();
    const { code, stderr } = await watch.finished;
    expect(code).toBe(0);
    expect(stderr.match(/^run$/gm)).toHaveLength(1);
  });

  test('with --times ends after so many', async () => {
    const holder = await startHolder();
    const args = [
      '--limit',
      '1MB',
      '--do',
      'exec',
      '--cooldown',
      '0s',
      '--every',
      '10ms',
      '-i',
      '10ms',
      '--times',
      '3',
      '--',
      'echo',
      'x',
    ];
    const { code, stdout, stderr } = await jem(['watch', String(holder.pid), ...args], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'x\nx\nx\n' });
    expect(stderr).toMatch(/ended after 3 actions\n$/);
  });
});

describe('dump', () => {
  test('writes a heap profile of the process', async () => {
    const holder = await startHolder('prof:true,lg_prof_sample:12');
    await tell(holder, 'hold 10');
    const { code, stderr } = await jem(
      ['watch', String(holder.pid), '--limit', '1MB', '--do', 'dump', '--into', folder, '--once'],
      { env },
    );
    expect(code).toBe(1);
    const dumps = readdirSync(folder).filter((name) => /^jem-\d+-.*\.heap$/.test(name));
    expect(dumps).toHaveLength(1);
    expect(stderr).toContain(join(folder, dumps[0] ?? ''));
  });

  test('samples for its own time what nobody samples yet', async () => {
    const holder = await startHolder('prof:true,prof_active:false,lg_prof_sample:12');
    const active = async () => (await jem(['ctl', String(holder.pid), 'get', 'prof.active'], { env })).stdout;
    expect(await active()).toMatch(/false/);
    const watch = openWatch([String(holder.pid), '--limit', '30MiB', '--do', 'dump', '--into', folder, '--once']);
    expect((await watch.next()).kind).toBe('start');
    expect(await active()).toMatch(/true/);
    await tell(holder, 'hold 40');
    const { code, stderr } = await watch.finished;
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/are sampled no longer\n$/) });
    expect(await active()).toMatch(/false/);
    const path = join(folder, readdirSync(folder).find((name) => name.startsWith(`jem-${holder.pid}-`)) ?? '');
    const profile = await readHeapProfile(path);
    const live = profile.samples.liveBytes.reduce((sum, bytes) => sum + bytes, 0);
    expect(live).toBeGreaterThan(20 * MIB);
  });

  test('is refused beforehand where the process cannot', async () => {
    const holder = await startHolder('prof:false');
    const { code, stderr } = await jem(['watch', String(holder.pid), '--limit', '1TB', '--do', 'dump'], { env });
    expect(stderr).toMatch(
      /cannot dump a heap profile: its heap profiling was not switched on at its start\n {2}hint: .*prof:true/,
    );
    expect(code).toBe(2);
  });
});

describe('say', () => {
  test('works on any process, without an agent', async () => {
    const program = openProgram(HOLDER[0], [HOLDER[1]]);
    expect(await program.line()).toBe('ready');
    const { code, stderr } = await jem(['watch', String(program.pid), '--limit', '1MB', '--once'], { env });
    expect(stderr).toMatch(/RSS is \S+ MiB, over the limit of 1MB \(977 KiB\)/);
    expect(code).toBe(1);
  });

  test('ends with a signal, in order', async () => {
    const program = openProgram(HOLDER[0], [HOLDER[1]]);
    expect(await program.line()).toBe('ready');
    const watch = openWatch([String(program.pid), '--limit', '1TB']);
    expect((await watch.next()).kind).toBe('start');
    watch.child.kill('SIGTERM');
    const { code, stdout } = await watch.finished;
    expect(code).toBe(0);
    expect(stdout).toContain('"reason":"stopped"');
  });
});

test.each([
  [['4194303', '--limit', '1MB'], 3, /no process 4194303/],
  [['self', '--limit', '1 furlong'], 2, /expected a size \(500MB, 1\.5GiB/],
  [['self', '--limit', '+5MB'], 2, /or a growth \(\+50MB\/h\)/],
  [['self'], 2, /required option '-l, --limit <size>' not specified/],
  [['self', '--limit', '1MB', '--do', 'explode'], 2, /Allowed choices are say, purge, decay, dump, exec/],
  [['self', '--limit', '1MB', '--of', 'alocated'], 2, /did you mean allocated\?/],
  [['self', '--limit', '1MB', '--do', 'exec'], 2, /--do exec needs a command/],
  [['self', '--limit', '1MB', 'reboot'], 2, /the command 'reboot' is only for --do exec/],
  [['self', '--limit', '1MB', '--do', 'exec', '--', 'no-such-program'], 127, /no program 'no-such-program'/],
  [['self', '--limit', '1MB', '--do', 'purge'], 3, /hint: .*jem run --agent/],
  [['self', '--limit', '1MB', '--of', 'allocated'], 3, /hint: .*jem run --agent/],
  [['self', '--limit', '1MB', '--once', '--times', '2'], 2, /exclude each other/],
  [['self', '--limit', '1MB', '--into', '/tmp'], 2, /--into is for --do dump/],
  [['self', '--limit', '1MB', '--rearm', '120%'], 2, /expected a share of the limit: 90%/],
])('%j', async (args, code, message) => {
  const own = args.map((word) => (word === 'self' ? String(process.pid) : word));
  const result = await jem(['watch', ...own], { env });
  expect(result.stderr).toMatch(message);
  expect(result.code).toBe(code);
  expect(existsSync(join(folder, 'core'))).toBe(false);
});
