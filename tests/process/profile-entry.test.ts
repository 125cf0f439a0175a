import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applicationFolder, PROFILE_HOOK, type ProfiledStart, runProfiled } from '../support/profiled-program.js';
import { NODE_MAJORS } from '../support/programs.js';

const HOLD = `
  const held = [];
  function holdBuffers(count) { for (let i = 0; i < count; i++) held.push(Buffer.allocUnsafeSlow(65536).fill(1)); }
  holdBuffers(200);
`;
const CONF = 'prof:true,prof_active:false,lg_prof_sample:14';

/** Runs a program that is profiled from its start to its end, and gives the capture that it left. */
async function capturedAtExit(body: string, { env, ...start }: ProfiledStart = {}) {
  const folder = start.folder ?? applicationFolder();
  const path = join(folder, 'exit.heap');
  const finished = await runProfiled(body, {
    flags: ['--require', 'jemkit/profile'],
    conf: CONF,
    ...start,
    folder,
    env: { JEMKIT_PROFILE: '1', JEMKIT_PROFILE_AT_EXIT: path, ...env },
  });
  return { ...finished, path, text: existsSync(path) ? readFileSync(path, 'utf8') : undefined };
}

/** What a capture must be; the capture itself is too long for a message. */
const WHOLE = /^heap_v2\/16384\n[\s\S]*\nJEMKIT_CAPTURE 1\n[\s\S]*\nJEMKIT_END\n$/;
const NAMED = /^[0-9a-f]+\tjs\t.*\tholdBuffers\t.*app\.mjs$/m;

describe.each(NODE_MAJORS)('jemkit/profile on Node %i', (major) => {
  test.each([
    ['--require', ['--require', 'jemkit/profile'], {}],
    ['--import', ['--import', 'jemkit/profile'], {}],
    ['a path in NODE_OPTIONS', [], { NODE_OPTIONS: `--require ${PROFILE_HOOK}` }],
  ])('by %s: a whole capture with names, and nothing is said', async (_how, flags, env) => {
    const { code, stdout, stderr, text, path } = await capturedAtExit(`${HOLD} console.log('ran');`, {
      major,
      flags,
      env,
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'ran\n', stderr: '' });
    expect([WHOLE.test(text ?? ''), NAMED.test(text ?? '')]).toEqual([true, true]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('functions of a worker have names too, and its end leaves no file', async () => {
    const folder = applicationFolder();
    writeFileSync(
      join(folder, 'worker.mjs'),
      `import { parentPort } from 'node:worker_threads';
       const held = [];
       function holdInWorker() { for (let i = 0; i < 200; i++) held.push(Buffer.allocUnsafeSlow(65536).fill(1)); }
       holdInWorker();
       parentPort.postMessage(held.length);
       parentPort.once('message', () => {});`,
    );
    const { code, stderr, text } = await capturedAtExit(
      `import { Worker } from 'node:worker_threads';
       import { existsSync } from 'node:fs';
       const held = new Worker('./worker.mjs');
       const passing = new Worker('./worker.mjs');
       const told = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
       await Promise.all([told(held), told(passing)]);
       await passing.terminate();
       if (existsSync('exit.heap')) throw new Error('written too early');
       process.exit();`,
      { major, folder },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect([WHOLE.test(text ?? ''), /\tholdInWorker\t.*worker\.mjs$/m.test(text ?? '')]).toEqual([true, true]);
  });
});

describe('the capture at the end', () => {
  test.each([
    ['process.exit()', 'process.exit(3);', 3],
    ['process.exitCode', 'process.exitCode = 4;', 4],
    [
      'a handler of SIGTERM',
      "process.on('SIGTERM', () => process.exit(5)); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000);",
      5,
    ],
  ])('by %s', async (_name, end, expected) => {
    const { code, stderr, text } = await capturedAtExit(`${HOLD} ${end}`);
    expect({ code, stderr }).toEqual({ code: expected, stderr: '' });
    expect(WHOLE.test(text ?? '')).toBe(true);
  });

  test('by an uncaught exception, which is told as ever', async () => {
    const { code, stderr, text } = await capturedAtExit(`${HOLD} throw new Error('on purpose');`);
    expect(code).toBe(1);
    expect(stderr).toContain('Error: on purpose');
    expect(stderr).not.toContain('jem:');
    expect(WHOLE.test(text ?? '')).toBe(true);
  });

  test('is the process’s own: children neither see the variable nor write', async () => {
    const { code, stdout, stderr, text } = await capturedAtExit(
      `import { spawnSync } from 'node:child_process';
       import { existsSync } from 'node:fs';
       const { stdout, stderr } = spawnSync(process.execPath, ['--require', 'jemkit/profile', '-e', 'console.log(process.env.JEMKIT_PROFILE_AT_EXIT)'], { encoding: 'utf8' });
       console.log(stdout.trim(), stderr, existsSync('exit.heap'), process.env.JEMKIT_PROFILE_AT_EXIT);`,
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'undefined  false undefined\n', stderr: '' });
    expect(WHOLE.test(text ?? '')).toBe(true);
  });

  test('of another process, by the pid in front, is left alone', async () => {
    const folder = applicationFolder();
    const path = join(folder, 'other.heap');
    const { code, stdout, stderr } = await capturedAtExit('console.log(process.env.JEMKIT_PROFILE_AT_EXIT);', {
      folder,
      env: { JEMKIT_PROFILE_AT_EXIT: `1:${path}` },
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `1:${path}\n`, stderr: '' });
    expect(existsSync(path)).toBe(false);
  });

  test.each([
    [
      'a file is there already',
      'exit.heap',
      (folder: string) => writeFileSync(join(folder, 'exit.heap'), 'mine'),
      /EEXIST/,
    ],
    ['the folder is not', 'nowhere/exit.heap', () => {}, /ENOENT/],
  ])('where %s: one line, and the program ends as it would', async (_name, name, prepare, reason) => {
    const folder = applicationFolder();
    prepare(folder);
    const path = join(folder, name);
    const { code, stderr } = await capturedAtExit('process.exitCode = 6;', {
      folder,
      env: { JEMKIT_PROFILE_AT_EXIT: path },
    });
    expect(code).toBe(6);
    expect(stderr).toMatch(/^jem: no heap profile of process \d+ in \/\S+: .*\n$/);
    expect(stderr).toMatch(reason);
    if (name === 'exit.heap') expect(readFileSync(path, 'utf8')).toBe('mine');
  });
});

describe('where nothing can be profiled', () => {
  test.each([
    [
      'jemalloc began without profiling',
      'narenas:2',
      /^jem: process \d+ cannot be profiled: it was started without prof:true in MALLOC_CONF\n$/,
    ],
    ['there is no jemalloc', null, /^jem: process \d+ cannot be profiled: .*jemalloc.*\n$/],
  ])('because %s: one line from the first process, none from its children', async (_why, conf, line) => {
    const body = `
      import { spawnSync } from 'node:child_process';
      const { stderr } = spawnSync(process.execPath, ['--require', 'jemkit/profile', '-e', '0'], { encoding: 'utf8' });
      console.log(JSON.stringify(stderr));`;
    const { code, stdout, stderr } = await capturedAtExit(body, { conf });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '""\n' });
    expect(stderr).toMatch(line);
  });

  test('nothing is said where nothing was asked for', async () => {
    const { code, stderr } = await runProfiled('', { conf: null, flags: ['--require', 'jemkit/profile'] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
