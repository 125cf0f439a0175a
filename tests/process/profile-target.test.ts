import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AGENT, folderForFile, launchEnvironment } from '../support/launching.js';
import { agentOf, isAlive, socketFolder, until } from '../support/observed-program.js';
import { JEM, jem, jemallocLibrary, ROOT, runProgram, temporaryFolder } from '../support/programs.js';
import { type OpenOptions, openJem, openProgram, type RunningProgram } from '../support/running-program.js';
import { bytesOf, liveBytes, readSaved } from '../support/saved-profiles.js';
import { mayChangeUser, STRANGER } from '../support/stranger.js';

const folder = folderForFile();
const sockets = socketFolder(folder);
const env = { ...launchEnvironment(folder), JEMKIT_AGENT_DIR: sockets };
const HOLDER = join(ROOT, 'tests', 'support', 'profiled', 'holder.mjs');
const MIB = 2 ** 20;

/** A Node program under `jem run` whose agent answers. */
async function openHolder(options: readonly string[] = [], more: OpenOptions = {}): Promise<RunningProgram> {
  const program = openJem(['run', ...options, '--', process.execPath, HOLDER], {
    ...more,
    env: { ...env, ...more.env },
  });
  expect(await program.line()).toBe('ready');
  (await agentOf(program.pid)).close();
  return program;
}

const profile = (args: readonly string[], options: OpenOptions = {}) =>
  jem(['profile', ...args], { ...options, env: { ...env, ...options.env } });

/** What is left of captures on their way. */
const leftovers = () =>
  readdirSync(sockets, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('profile-'));

describe('jem profile PID', () => {
  test('samples a process that jem run started, and leaves it as it was', async () => {
    const out = temporaryFolder();
    const { pid, child } = await openHolder();
    const path = join(out, 'a.pb.gz');
    const { code, stdout, stderr } = await profile([
      String(pid),
      '--seconds',
      '1.5',
      '--sample-bytes',
      '64KiB',
      '-o',
      path,
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/is sampled for 1\.5 s .*once per 64\.0 KiB allocated; it goes on as before/);
    expect(stderr).toMatch(
      /jem: node \(\d+\): about [\d.]+ MiB held, estimated from \d+ samples .* with a JavaScript function/,
    );
    expect(stderr).toContain(`look at it: jem report ${path}`);
    const saved = await readSaved(path);
    expect(saved.capture).toMatchObject({ pid, sampleBytes: 65_536, unwinder: 'jemkit' });
    // Only what was allocated while it was sampled; the 20 MB before are not in it.
    expect(liveBytes(saved)).toBeGreaterThan(5 * MIB);
    expect(bytesOf(saved, /holdBuffers/) / liveBytes(saved)).toBeGreaterThan(0.9);
    const agent = await agentOf(pid);
    expect(await agent.read('prof.active')).toEqual({ kind: 'value', value: false });
    agent.close();
    expect([child.exitCode, isAlive(pid), leftovers(), readdirSync(out)]).toEqual([null, true, [], ['a.pb.gz']]);
  });

  test('--json tells of each capture of a series, and --keep-raw keeps what was written', async () => {
    const out = temporaryFolder();
    const { pid } = await openHolder();
    const args = [
      String(pid),
      '--every',
      '300ms',
      '--seconds',
      '1',
      '--json',
      '--keep-raw',
      '-o',
      join(out, 's.pb.gz'),
    ];
    const { code, stdout } = await profile(args);
    const captures = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(captures.map(({ reason }) => reason)).toEqual([...Array(captures.length - 1).fill('time'), 'end']);
    expect(captures.length).toBeGreaterThanOrEqual(3);
    expect(captures[0]).toMatchObject({
      pid,
      program: 'node',
      file: join(out, 's-001.pb.gz'),
      raw: join(out, 's-001.heap'),
    });
    const live = captures.map((capture) => capture.liveBytes as number);
    expect(live.at(-1)).toBeGreaterThan(live[0] ?? 0);
    const [raw, named] = [await readSaved(captures[0].raw), await readSaved(captures[0].file)];
    expect(liveBytes(named)).toBeCloseTo(liveBytes(raw), -2);
  });

  test('captures each so many bytes that are allocated', async () => {
    const out = temporaryFolder();
    const { pid } = await openHolder();
    const args = [String(pid), '--every', '4MiB', '--seconds', '2', '--json', '-o', join(out, 'b.heap')];
    const { stdout } = await profile(args);
    const reasons = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).reason);
    expect(reasons.filter((reason) => reason === 'bytes').length).toBeGreaterThanOrEqual(2);
  });

  test('Ctrl-C ends the time early, and what there is is captured', async () => {
    const out = temporaryFolder();
    const { pid } = await openHolder();
    const profiling = openProgram(process.execPath, [JEM, 'profile', String(pid), '-o', join(out, 'c.heap')], { env });
    const agent = await agentOf(pid);
    await until('sampling', async () => {
      const active = await agent.read('prof.active');
      return active.kind === 'value' && active.value;
    });
    profiling.child.kill('SIGINT');
    expect((await profiling.finished).code).toBe(0);
    expect(await agent.read('prof.active')).toEqual({ kind: 'value', value: false });
    agent.close();
    expect(existsSync(join(out, 'c.heap'))).toBe(true);
  });

  test('a second one is refused, one that is killed can be cleared away, and 0 seconds take what there is', async () => {
    const out = temporaryFolder();
    const { pid } = await openHolder();
    const first = openProgram(process.execPath, [JEM, 'profile', String(pid), '-o', join(out, '1.heap')], { env });
    const agent = await agentOf(pid);
    const isActive = async () => {
      const active = await agent.read('prof.active');
      return active.kind === 'value' && active.value === true;
    };
    await until('sampling', isActive);
    const second = await profile([String(pid), '-o', join(out, '2.heap')]);
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(/is being profiled already.*\n {2}hint: .*--seconds 0.*--stop/);
    expect(await profile([String(pid), '--seconds', '0', '-o', join(out, '3.heap')])).toMatchObject({ code: 0 });
    expect(await isActive()).toBe(true);
    first.child.kill('SIGKILL');
    await first.finished;
    expect(await profile([String(pid), '-o', join(out, '4.heap')])).toMatchObject({ code: 3 });
    expect(await profile([String(pid), '--stop'])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('is not sampled any more'),
    });
    expect(await isActive()).toBe(false);
    agent.close();
    expect(readdirSync(out)).toEqual(['3.heap']);
  });

  test('a process that ends in the middle takes its samples with it', async () => {
    const out = temporaryFolder();
    const program = await openHolder();
    const profiling = profile([String(program.pid), '--every', '500ms', '-o', join(out, 'e.heap')]);
    await until('the first capture', () => existsSync(join(out, 'e-001.heap')));
    program.child.kill('SIGKILL');
    const { code, stderr } = await profiling;
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /ended after [\d.]+ m?s of sampling, the last capture is \S+e-00\d\.heap\n {2}hint: .*jem profile -- PROGRAM/,
    );
    expect(readdirSync(out).every((name) => /^e-00\d\.heap$/.test(name))).toBe(true);
  });
});

describe('what cannot be profiled', () => {
  test('a process without an agent', async () => {
    const program = openProgram('sleep', ['60'], { env });
    const { code, stderr } = await profile([String(program.pid)]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringMatching(/has no agent of jemkit.*\n {2}hint: start it with one: jem run/),
    });
  });

  test('one that was started without profiling', async () => {
    const { pid } = await openHolder(['--no-profiling']);
    const { code, stderr } = await profile([String(pid)]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/started without prof:true, .* start only\n {2}hint: start it with: jem run -- node/);
  });

  test('an agent of another version, and one that is no agent', async () => {
    const falseAgent = join(ROOT, 'tests', 'support', 'agent', 'false-agent.mjs');
    const program = openProgram(process.execPath, [falseAgent, 'version', sockets], { env });
    expect(await program.line()).toBe('ready');
    const { code, stderr } = await profile([String(program.pid)]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringMatching(/speaks version 2 of the protocol, this jemkit version 1/),
    });
  });

  const REFUSED: ReadonlyArray<readonly [options: readonly string[], code: number, message: RegExp]> = [
    [['-o', '/no/such/folder/a.pb.gz'], 3, /there is no such folder \(ENOENT\)/],
    [['-o', 'a.html'], 2, /expected \.pb\.gz or \.heap/],
    [['-o', '-'], 2, /not to stdout/],
    [['--accum'], 2, /--accum is for a program that jem profile starts/],
    [['--sample-bytes', '3'], 2, /a size from 1KiB to 1GiB/],
    [['--every', 'often'], 2, /a length of time from 100ms/],
    [['--seconds', '0', '--at-peak'], 2, /one capture now/],
  ];

  test('what cannot be done is refused before anything is sampled', async () => {
    const { pid } = await openHolder();
    for (const [options, expected, message] of REFUSED) {
      const { code, stderr } = await profile([String(pid), ...options]);
      expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringMatching(message) });
      expect(stderr).not.toContain('is sampled');
    }
  });

  test('a file that is there stays, unless it is to be replaced', async () => {
    const path = join(temporaryFolder(), 'a.heap');
    writeFileSync(path, 'mine');
    const { pid } = await openHolder();
    const refused = await profile([String(pid), '--seconds', '200ms', '-o', path]);
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/it is there already\n {2}hint: .*--force/),
    });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(await profile([String(pid), '--seconds', '200ms', '--force', '-o', path])).toMatchObject({ code: 0 });
    await readSaved(path);
  });

  test('a full disk leaves no half file, on neither side', async (context) => {
    const disk = temporaryFolder();
    const { code: mounted } = await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=1777', 'tmpfs', disk]);
    expect(mounted, 'needs root').toBe(0);
    context.onTestFinished(() => void execFileSync('umount', ['-l', disk]));
    const ours = await openHolder();
    const here = await profile([String(ours.pid), '--seconds', '300ms', '-o', join(disk, 'a.pb.gz')]);
    expect(here).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`cannot write ${join(disk, 'a.pb.gz')}: the disk is full (ENOSPC)`),
    });
    expect(readdirSync(disk)).toEqual([]);

    const { pid } = await openHolder([], { env: { JEMKIT_AGENT_DIR: disk } });
    const there = await profile([String(pid), '--seconds', '300ms', '-o', join(folder, 'never.heap')]);
    expect(there).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /could not write its capture to \S+: no space left on device \(ENOSPC\)\n {2}hint: make room in/,
      ),
    });
    expect([existsSync(join(folder, 'never.heap')), readdirSync(join(disk, `jemkit-${process.geteuid?.()}`))]).toEqual([
      false,
      [`${pid}.sock`],
    ]);
  });

  test.runIf(mayChangeUser)('root profiles the process of anybody, and leaves nothing in its folder', async () => {
    const open = join(folder, 'open');
    mkdirSync(open, { mode: 0o755 });
    for (const path of [HOLDER, AGENT]) copyFileSync(path, join(open, basename(path)));
    const program = openProgram(process.execPath, [join(open, 'holder.mjs')], {
      uid: STRANGER,
      gid: STRANGER,
      env: {
        ...env,
        LD_PRELOAD: `${jemallocLibrary()}:${join(open, 'libjemkit.so')}`,
        MALLOC_CONF: 'prof:true,prof_active:false',
        JEMKIT_AGENT: '1',
      },
    });
    expect(await program.line()).toBe('ready');
    (await agentOf(program.pid)).close();
    const path = join(temporaryFolder(), 'a.heap');
    expect(await profile([String(program.pid), '--seconds', '300ms', '-o', path])).toMatchObject({ code: 0 });
    await readSaved(path);
    expect(leftovers()).toEqual([]);
  });
});
