import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { agentOf, isAlive, socketFolder, until } from '../support/observed-program.js';
import { JEM, jem, ROOT, runProgram } from '../support/programs.js';
import { readAll } from '../support/recordings.js';
import { openJem, openProgram } from '../support/running-program.js';

const folder = folderForFile();
const sockets = socketFolder(folder);
const env = { ...launchEnvironment(folder), JEMKIT_AGENT_DIR: sockets };
const PYTHON = '/usr/bin/python3';
const HOLDER = [PYTHON, join(ROOT, 'tests', 'support', 'agent', 'ready.py')] as const;
const NODE = process.execPath;

let files = 0;
const freshPath = () => join(folder, `run-${++files}.jemrec`);

/** True once the file is there with its head. */
const isBegun = (path: string) => existsSync(path) && statSync(path).size > 0;

/** Waits until a recording has so many samples. */
const samplesIn = (path: string, count: number) =>
  until(`${count} samples in ${path}`, () => isBegun(path) && readAll(path).samples >= count);

/** Starts a holder of memory with the agent, and waits until that answers. */
async function startHolder() {
  const holder = openJem(['run', '--agent', '--', ...HOLDER], { env });
  expect(await holder.line()).toBe('ready');
  (await agentOf(holder.pid)).close();
  return holder;
}

describe('a program that is started for it', () => {
  test('keeps its streams and exit code, and is recorded from start to end, jemalloc included', async () => {
    const path = freshPath();
    const script =
      'const kept = []; process.stdin.on("data", (text) => { kept.push(Buffer.alloc(2e7, 1)); console.log(String(text)); }).on("end", () => process.exit(7))';
    const program = openJem(['record', '-i', '50ms', '-o', path, '--', NODE, '-e', script], { env });
    await samplesIn(path, 3);
    await until('the agent in the recording', () => readAll(path).all.some(({ jemalloc }) => jemalloc !== undefined));
    program.child.stdin?.write('hello\n');
    expect(await program.line()).toBe('hello');
    await samplesIn(path, readAll(path).samples + 3);
    const { code, stderr } = await program.end();
    expect(code).toBe(7);
    expect(stderr).toMatch(
      /^jem: \d+ samples of pid \d+ \(node -e …\) in .* \(it ended\): RSS .* MiB → .* MiB, peak .*\n {2}look at it: jem plot /,
    );

    const { head, events, completeness, all } = readAll(path);
    expect(head).toMatchObject({ command: 'node -e …', intervalMs: 50, host: { architecture: process.arch } });
    expect(events[0]).toMatchObject({ kind: 'agent', jemallocVersion: expect.stringMatching(/^5\./) });
    expect(events.at(-1)).toMatchObject({ kind: 'end', reason: 'target-ended', exitCode: 7 });
    expect(completeness).toEqual({ kind: 'whole', reason: 'target-ended' });
    const allocated = all.flatMap(({ jemalloc }) => jemalloc?.allocatedBytes ?? []);
    expect((allocated.at(-1) ?? 0) - (allocated[0] ?? 0)).toBeGreaterThan(1.9e7);
    for (const { process: memory } of all) expect(memory.residentBytes).toBeGreaterThan(1e6);
    for (const [at, { monotonicMs }] of all.entries()) {
      if (at > 0) expect(monotonicMs).toBeGreaterThan(all[at - 1]?.monotonicMs ?? 0);
    }
    // Whole arguments may hold secrets.
    expect(readFileSync(path, 'latin1')).not.toContain('Buffer.alloc');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('gets the signals that are sent to jem, and jem ends as it does', async () => {
    const caught = openJem(
      [
        'record',
        '-i',
        '20ms',
        '-o',
        freshPath(),
        '--',
        'sh',
        '-c',
        'trap "echo caught; exit 5" TERM; echo ready; while :; do sleep 0.02; done',
      ],
      { env },
    );
    expect(await caught.line()).toBe('ready');
    caught.child.kill('SIGTERM');
    expect(await caught.line()).toBe('caught');
    expect(await caught.finished).toMatchObject({ code: 5, signal: null });

    const path = freshPath();
    const killed = openJem(['record', '-i', '20ms', '-o', path, '--', ...HOLDER], { env });
    expect(await killed.line()).toBe('ready');
    await samplesIn(path, 2);
    process.kill(readAll(path).head.pid, 'SIGKILL');
    expect(await killed.finished).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(readAll(path).events.at(-1)).toMatchObject({ reason: 'target-ended', exitCode: 137 });
  });

  test('is followed through exec, and its new agent is found', async () => {
    const path = freshPath();
    const program = openJem(
      ['record', '-i', '50ms', '-o', path, '--', 'sh', '-c', `read go; exec ${HOLDER.join(' ')}`],
      { env },
    );
    await until(
      'the agent in the shell',
      () => isBegun(path) && readAll(path).events.some(({ kind }) => kind === 'agent'),
    );
    program.child.stdin?.write('go\n');
    expect(await program.line()).toBe('ready');
    await until('a second agent', () => readAll(path).events.filter(({ kind }) => kind === 'agent').length === 2);
    await samplesIn(path, readAll(path).samples + 2);
    expect((await program.end()).code).toBe(0);
    const { events, all } = readAll(path);
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'exec', command: expect.stringMatching(/^python3.* .*ready\.py$/) }),
    );
    expect(all.at(-1)?.jemalloc?.allocatedBytes).toBeGreaterThan(0);
  });

  test('is not started where the recording could not be written, and is not harmed where its time is over', async () => {
    const there = freshPath();
    writeFileSync(there, 'precious');
    const refused = await jem(['record', '-o', there, '--', 'touch', join(folder, 'started')], { env });
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/it is there already\n {2}hint: .*--force/);
    expect(existsSync(join(folder, 'started'))).toBe(false);
    expect(readFileSync(there, 'utf8')).toBe('precious');

    const program = openJem(['record', '-f', '-d', '200ms', '-i', '50ms', '-o', there, '--', ...HOLDER], { env });
    expect(await program.line()).toBe('ready');
    await until('the end of the recording', () => readAll(there).completeness.kind === 'whole');
    expect(readAll(there).completeness).toEqual({ kind: 'whole', reason: 'duration' });
    expect((await program.end()).code).toBe(0);
  });

  test('takes options of jemalloc as jem run does, and starts nothing with wrong ones', async () => {
    const path = freshPath();
    const options = ['--preset', 'low-memory', '--conf', 'narenas:1'];
    const started = await jem(['record', ...options, '-o', path, '--', 'sh', '-c', 'echo "$MALLOC_CONF"'], { env });
    const plan = await jem(['run', ...options, '--agent', '--print', '--json', '--', 'sh'], { env });
    const { environment } = JSON.parse(plan.stdout) as { environment: Record<string, string> };
    expect(environment['MALLOC_CONF']).toMatch(/,narenas:1\b/);
    expect(started).toMatchObject({ code: 0, stdout: `${environment['MALLOC_CONF']}\n` });
    const mark = join(folder, 'started-with-wrong-options');
    for (const [wrong, message] of [
      [['--conf', 'narnas:1'], /no option 'narnas'/],
      [['--preset', 'tiny'], /no preset 'tiny'/],
    ] as const) {
      const refused = await jem(['record', ...wrong, '-o', freshPath(), '--', 'touch', mark], { env });
      expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    }
    expect(existsSync(mark)).toBe(false);
  });

  test('that does not exist, and --json, are said beforehand', async () => {
    expect(await jem(['record', '-o', freshPath(), '--', 'no-such-program'], { env })).toMatchObject({ code: 127 });
    const json = await jem(['record', '--json', '--', 'true'], { env });
    expect(json.code).toBe(2);
    expect(json.stderr).toMatch(/--json prints to stdout, which is the program’s own here/);
  });
});

describe('a program that runs', () => {
  test('redis under load, until Ctrl-C', async () => {
    const socket = join(folder, 'redis.sock');
    const redis = openJem(
      ['run', '--agent', '--', 'redis-server', '--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder],
      { env },
    );
    await until('redis to listen', () => existsSync(socket));
    (await agentOf(redis.pid)).close();
    const path = freshPath();
    const recorder = openJem(['record', String(redis.pid), '-i', '20ms', '-o', path], { env });
    await samplesIn(path, 2);
    const load = runProgram(
      'redis-benchmark',
      ['-s', socket, '-q', '-n', '20000', '-r', '20000', '-d', '500', '-t', 'set'],
      { env },
    );
    expect((await load).code).toBe(0);
    await samplesIn(path, 5);
    recorder.child.kill('SIGINT');
    const { code, stderr, stdout } = await recorder.finished;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/samples of pid \d+ \(redis-server\) .*\(stopped\)/);
    const { completeness, all } = readAll(path);
    expect(completeness).toEqual({ kind: 'whole', reason: 'stopped' });
    const allocated = all.map(({ jemalloc }) => jemalloc?.allocatedBytes ?? 0);
    expect(Math.max(...allocated) - (allocated[0] ?? 0)).toBeGreaterThan(5e6);
    expect(isAlive(redis.pid)).toBe(true);
  });

  test('without an agent gives what the kernel tells, and says so', async () => {
    const program = openProgram(PYTHON, [HOLDER[1]]);
    expect(await program.line()).toBe('ready');
    const path = freshPath();
    const { code, stderr } = await jem(['record', String(program.pid), '-i', '20ms', '-d', '100ms', '-o', path], {
      env,
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^jem: only what the kernel tells is recorded: .*\n {2}hint: .*jem run --agent/);
    const { all } = readAll(path);
    expect(all.length).toBeGreaterThanOrEqual(3);
    for (const { jemalloc, process: memory } of all) {
      expect(jemalloc).toBeUndefined();
      expect(memory.residentBytes).toBeGreaterThan(1e6);
    }
  });

  test('prints samples as lines of JSON, and ends with the process', async () => {
    const holder = await startHolder();
    const recorder = openJem(['record', String(holder.pid), '-i', '20ms', '--json'], { env, cwd: folder });
    const sample = JSON.parse(await recorder.line()) as { process: object; jemalloc: object };
    expect(sample).toMatchObject({
      process: { residentBytes: expect.any(Number) },
      jemalloc: { allocatedBytes: expect.any(Number) },
    });
    await holder.end();
    expect(await recorder.finished).toMatchObject({ code: 0, stderr: '' });
  });

  test('is found by its default file name', async () => {
    const holder = await startHolder();
    const { code, stderr } = await jem(['record', String(holder.pid), '-d', '50ms', '-i', '20ms'], {
      env,
      cwd: folder,
    });
    const name = /; (run-\d+-\d{8}T\d{6}\.jemrec) \(/.exec(stderr)?.[1] ?? '';
    expect(code).toBe(0);
    expect(readAll(join(folder, name)).head.pid).toBe(holder.pid);
  });
});

describe('what goes wrong', () => {
  test('a recorder that is killed leaves all samples up to then, and the program alone', async () => {
    const holder = await startHolder();
    const path = freshPath();
    const recorder = openJem(['record', String(holder.pid), '-i', '10ms', '-o', path], { env });
    await samplesIn(path, 20);
    recorder.child.kill('SIGKILL');
    await recorder.finished;
    const { completeness, samples } = readAll(path);
    expect(completeness).toEqual({ kind: 'open' });
    expect(samples).toBeGreaterThanOrEqual(20);
    const shown = await jem(['plot', path], { env });
    expect(shown.stdout).toContain('without an end: its recorder was killed, or is still at work');
    (await agentOf(holder.pid)).close();
  });

  /** A file system of one page that only this program sees; the recording is copied out of it at the end. */
  const onSmallDisk = (line: string) => {
    const flags = process.geteuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
    const place = join(folder, 'disk');
    const script = `mkdir -p ${place} && mount -t tmpfs -o size=4k tmpfs ${place} && cd ${place} && ${line}; echo "code $?"; cat full.jemrec > ${folder}/full.jemrec`;
    return openProgram('unshare', [...flags, 'sh', '-c', script], { env });
  };

  test('a full disk ends the recording with an error, and what is written is whole', async () => {
    const holder = await startHolder();
    const { stdout, stderr } = await onSmallDisk(`${NODE} ${JEM} record ${holder.pid} -i 10ms -o full.jemrec`).finished;
    expect(stdout).toBe('code 3\n');
    expect(stderr).toMatch(
      /cannot write full\.jemrec: the disk is full \(ENOSPC\)\n {2}the \d+ samples before are whole/,
    );
    const { completeness, samples } = readAll(join(folder, 'full.jemrec'));
    expect(completeness).toEqual({ kind: 'open' });
    expect(samples).toBeGreaterThan(10);
  });

  test('a full disk does not touch the program that is recorded', async () => {
    const script = 'input(); print("unharmed"); raise SystemExit(6)';
    const program = onSmallDisk(`${NODE} ${JEM} record -i 10ms -o full.jemrec -- ${PYTHON} -c '${script}'`);
    let said = '';
    program.child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until('the word of the full disk', () => said.includes('the disk is full (ENOSPC)'));
    expect(await program.end('\n')).toMatchObject({ code: 0, stdout: 'unharmed\ncode 6\n' });
  });

  test.each([
    [['999999999'], 2, /is no pid/],
    [['4194303'], 3, /no process 4194303/],
    [['one', 'two'], 2, /hint: jem record -- one two/],
    [['--'], 2, /there is no command after --/],
    [['1', '-i', 'soon'], 2, /expected a length of time: 500ms, 10s, 5m, 1h30m/],
    [['1', '-i', '1ms'], 2, /expected from 0.01 to 3600 seconds/],
    [['1', '-o', '/nowhere/run.jemrec'], 3, /there is no such folder \(ENOENT\)/],
  ])('%j', async (args, code, message) => {
    const result = await jem(['record', ...args], { env, cwd: folder });
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(code);
  });
});
