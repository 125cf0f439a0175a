import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SampleRates } from '../../src/model/stats-report.js';
import { openRedis, openWithAgent } from '../support/agent-programs.js';
import { driveJem, driveProgram } from '../support/driven-terminal.js';
import { folderForFile } from '../support/launching.js';
import { socketFolder, until } from '../support/observed-program.js';
import { JEM, jem as runJem } from '../support/programs.js';
import { openJem, type RunningProgram } from '../support/running-program.js';

const folder = folderForFile();
const sockets = socketFolder(folder);
const env = { JEMKIT_AGENT_DIR: sockets };
const jem = (...args: string[]) => runJem(args, { env });

interface TopEntry {
  readonly pid: number;
  readonly name: string;
  readonly user: string;
  readonly answer: string;
  readonly stopped?: boolean;
  readonly process: Record<string, number>;
  readonly jemalloc?: Record<string, number>;
  readonly fragmentation?: number;
  readonly rates?: SampleRates;
}

const parse = (line: string) => (JSON.parse(line) as { processes: TopEntry[] }).processes;
const entryOf = (processes: readonly TopEntry[], { pid }: { readonly pid: number }) =>
  processes.find((one) => one.pid === pid);

const openPython = (jemalloc = true): Promise<RunningProgram> =>
  openWithAgent(sockets, '/usr/bin/python3', ['-c', 'print("ready"); input()'], { jemalloc });

/** Allocates and frees all the time. */
const openBusyNode = (): Promise<RunningProgram> =>
  openWithAgent(sockets, process.execPath, [
    '-e',
    'setInterval(() => { for (let i = 0; i < 500; i++) Buffer.allocUnsafeSlow(20000); }, 10)',
  ]);

describe('one look', () => {
  test('at redis, node and a python without jemalloc', async () => {
    const { program: redis } = await openRedis(sockets, mkdtempSync(join(folder, 'redis-')));
    const node = await openBusyNode();
    const python = await openPython(false);
    const { code, stdout, stderr } = await jem('top', '--once', '--json');
    expect([code, stderr]).toEqual([0, '']);
    const processes = parse(stdout);
    for (const program of [redis, node]) {
      const entry = entryOf(processes, program);
      expect(entry?.answer).toBe('sample');
      expect(entry?.process['residentBytes']).toBeGreaterThan(1e6);
      expect(entry?.jemalloc?.['activeBytes']).toBeGreaterThanOrEqual(entry?.jemalloc?.['allocatedBytes'] ?? Infinity);
      expect(entry?.fragmentation).toBeGreaterThanOrEqual(0);
      expect(entry?.rates).toBeUndefined();
    }
    expect(entryOf(processes, redis)?.name).toBe('redis-server');
    expect(entryOf(processes, python)).toMatchObject({ answer: 'sample', name: 'python3 -c …' });
    expect(entryOf(processes, python)?.jemalloc).toBeUndefined();

    const table = (await jem('top', '--once', '--sort', 'pid')).stdout;
    expect(table).toMatch(/^\d\d:\d\d:\d\d {2}\d+ processes, RSS [\d.]+ [KMG]iB, allocated/);
    expect(table).toMatch(new RegExp(`^ *${redis.pid} .* redis-server$`, 'm'));
    expect(table).toMatch(new RegExp(`^ *${python.pid} +\\S+ +[\\d.]+ MiB +- +- +- .*\\(no jemalloc\\)$`, 'm'));
    expect(table).not.toContain('\u001b');
    const pids = [...table.matchAll(/^ *(\d+) /gm)].map((match) => Number(match[1]));
    expect(pids).toEqual([...pids].sort((a, b) => a - b));
  });

  test('in an order that takes two looks has them', async () => {
    const node = await openBusyNode();
    const { code, stdout } = await jem('top', '--once', '--sort', 'cpu', '-d', '0.3', '--json');
    expect(code).toBe(0);
    expect(entryOf(parse(stdout), node)?.rates).toBeDefined();
  });

  test('where nothing has an agent', async () => {
    const { code, stderr } = await runJem(['top', '--once'], {
      env: { JEMKIT_AGENT_DIR: mkdtempSync(join(folder, 'nobody-')) },
    });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^$|no process here has an agent of jemkit/)]);
  });

  test('at a hundred', async () => {
    const programs = await Promise.all(Array.from({ length: 100 }, () => openWithAgent(sockets, 'cat', [])));
    const processes = parse((await jem('top', '--once', '--json', '-d', '5')).stdout);
    for (const program of programs)
      expect(entryOf(processes, program)).toMatchObject({ answer: 'sample', name: 'cat' });
  });
});

describe('several looks', () => {
  test('have rates, and processes come and go', async () => {
    const node = await openBusyNode();
    const leaving = await openPython();
    const top = openJem(['top', '--batch', '--json', '-d', '0.3'], { env });
    expect(entryOf(parse(await top.line()), leaving)?.answer).toBe('sample');
    const coming = await openPython();
    await leaving.end('\n');
    await until('the change', async () => {
      const processes = parse(await top.line());
      const rates = entryOf(processes, node)?.rates;
      return !entryOf(processes, leaving) && entryOf(processes, coming) && (rates?.requestsPerSecond ?? 0) > 100;
    });
    top.child.kill();
    expect((await top.finished).signal).toBe('SIGTERM');
  });

  test('end after their number', async () => {
    const { stdout, code } = await jem('top', '-n', '3', '-d', '0.1');
    expect(code).toBe(0);
    expect(stdout.match(/^ +PID /gm)).toHaveLength(3);
  });

  test('one that is stopped is shown as such, and holds up nobody', async () => {
    const stopped = await openPython();
    const other = await openPython();
    stopped.child.kill('SIGSTOP');
    const top = openJem(['top', '--batch', '--json', '-d', '0.2'], { env });
    const first = parse(await top.line());
    expect(entryOf(first, stopped)).toMatchObject({ answer: 'silent', stopped: true });
    expect(entryOf(first, stopped)?.process['residentBytes']).toBeGreaterThan(0);
    expect(entryOf(first, other)?.answer).toBe('sample');
    const started = performance.now();
    for (let look = 0; look < 5; look++) expect(entryOf(parse(await top.line()), other)?.answer).toBe('sample');
    // Five times 0.2 s, and not five times the time that a silent one is given at first.
    expect(performance.now() - started).toBeLessThan(5000);
    stopped.child.kill('SIGCONT');
    await until('its answer', async () => entryOf(parse(await top.line()), stopped)?.answer === 'sample');
  });
});

describe('on a terminal', () => {
  const ENTER = '\u001b[?1049h';
  const LEAVE = '\u001b[?25h\u001b[?1049l';

  test('keys sort, help, scroll; the size may change; q gives the terminal back as it was', async () => {
    const program = await openPython();
    const end = await driveJem(
      ['top', '-d', '0.2'],
      [
        { expect: `\\*RSS.*${program.pid}.*q quit` },
        { type: 'f' },
        { expect: '\\*FRAG' },
        { type: 'f' },
        { expect: '\\+FRAG' },
        { type: 'h' },
        { expect: 'Keys that sort.*not measured' },
        { type: 'x\u001b[B' },
        { expect: 'COMMAND' },
        { resize: [50, 8] },
        { expect: '\u001b\\[H[^\n]{1,49}…\u001b' },
        { type: 'q' },
      ],
      env,
    );
    expect(end).toMatchObject({ code: 0, signal: null, sameModes: true });
    expect(end.output.startsWith(ENTER)).toBe(true);
    expect(end.output.endsWith(LEAVE)).toBe(true);
    // NO_COLOR is set: no colours, though there are movements of the cursor.
    expect(end.output).not.toMatch(/\u001b\[\d+m/);
  });

  test('colours where they are wanted', async () => {
    const { output } = await driveJem(['top'], [{ expect: 'q quit' }, { type: 'q' }], { ...env, NO_COLOR: undefined });
    expect(output).toContain('\u001b[7m');
  });

  test.each([
    ['SIGTERM', 15],
    ['SIGHUP', 1],
    ['SIGINT', 2],
  ] as const)('%s ends it by that signal, with the terminal given back', async (_name, signal) => {
    const end = await driveJem(['top'], [{ expect: 'q quit' }, { signal }], env);
    expect(end).toMatchObject({ code: null, signal, sameModes: true });
    expect(end.output.endsWith(LEAVE)).toBe(true);
  });

  test('a terminal that hangs up ends it', async () => {
    const end = await driveJem(['top', '-d', '0.2'], [{ expect: 'q quit' }, { hangup: true }], env);
    expect(end).toMatchObject({ code: null, signal: 1 });
  });

  test('Ctrl-C quits', async () => {
    expect(await driveJem(['top'], [{ expect: 'q quit' }, { type: '\u0003' }], env)).toMatchObject({
      code: 0,
      sameModes: true,
    });
  });

  test('Ctrl-Z gives the terminal to the shell, and fg takes it again', async () => {
    const shell = ['bash', '--norc', '--noprofile', '-i'];
    const end = await driveProgram(
      shell,
      [
        { expect: '\\$ ' },
        { type: `'${process.execPath}' '${JEM}' top -d 0.2\n` },
        { expect: 'q quit' },
        { type: '\u001a' },
        { expect: '\u001b\\[\\?1049l.*Stopped.*\\$ ' },
        { type: 'stty -a | tr -d "\\n"; fg\n' },
        { expect: ' icanon .*\u001b\\[\\?1049h.*q quit' },
        { type: 'f' },
        { expect: '\\*FRAG' },
        { type: 'q' },
        { expect: '\u001b\\[\\?1049l.*\\$ ' },
        { type: 'exit\n' },
      ],
      { ...env, PS1: '$ ' },
    );
    expect(end.code).toBe(0);
  });

  test('a dumb one, and one that is none, get a table', async () => {
    for (const TERM of ['dumb', undefined]) {
      const { code, output } = await driveJem(['top'], [], { ...env, TERM });
      expect(code).toBe(0);
      expect(output).toMatch(/PID {2}USER/);
      expect(output).not.toContain('\u001b');
    }
  });
});

test.each([
  [['--sort', 'size'], /Allowed choices are rss, allocated/],
  [['--delay', '0'], /expected 0\.1 to 3600 seconds/],
  [['--number', '0'], /expected a number from 1/],
  [['--once', '-n', '2'], /cannot be used with option '-n/],
  [['4711'], /too many arguments/],
])('%j is a usage error', async (args, message) => {
  const { code, stdout, stderr } = await jem('top', ...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
});
