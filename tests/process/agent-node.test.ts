import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import {
  expectNothingLeft,
  observeAtWork,
  socketFolder,
  socketsIn,
  threadsOf,
  until,
} from '../support/observed-program.js';
import { type Finished, NODE_MAJORS, nodeBinary } from '../support/programs.js';
import { openJem } from '../support/running-program.js';

const folder = folderForFile();
const sockets = socketFolder(folder);
const env = { ...launchEnvironment(join(folder, 'cache')), JEMKIT_AGENT_DIR: sockets };

function script(content: string): string {
  const path = join(mkdtempSync(join(folder, 'script-')), 'program.cjs');
  writeFileSync(path, content);
  return path;
}

/** Compresses, which allocates natively, and gives a text that is the same in each run. */
const WORK = `
const work = (round) => require('node:zlib').gzipSync(Buffer.alloc(1 << 18, 'round ' + (round % 5))).subarray(-8).toString('hex');
`;

const PROGRAMS: Readonly<Record<string, string>> = {
  'one process': `${WORK}
const seen = new Set();
let told = false;
process.stdin.on('end', () => { told = true; }).resume();
console.log('pids', process.pid);
(function turn(round) {
  seen.add(work(round));
  if (told && round > 10) { console.log([...seen].sort().join()); process.exitCode = 7; return; }
  setImmediate(turn, round + 1);
})(0);`,

  'a cluster': `${WORK}
const cluster = require('node:cluster');
if (cluster.isPrimary) {
  const workers = [cluster.fork(), cluster.fork()];
  const codes = [];
  console.log('pids', process.pid, ...workers.map((worker) => worker.process.pid));
  (function turn() { work(1); if (codes.length < 2) setTimeout(turn, 5); })();
  cluster.on('exit', (worker, code, signal) => {
    codes.push(signal ?? code);
    if (codes.length === 2) { console.log(codes.sort().join()); process.exitCode = 5; }
  });
  process.stdin.on('end', () => { for (const worker of workers) worker.send('stop'); }).resume();
} else {
  let told = false;
  process.on('message', () => { told = true; });
  (function turn(round) {
    work(round);
    if (told) process.exit(2 + cluster.worker.id);
    setImmediate(turn, round + 1);
  })(0);
}`,

  'worker threads': `${WORK}
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
if (isMainThread) {
  const workers = [1, 2, 3].map(() => new Worker(__filename));
  const seen = [];
  console.log('pids', process.pid);
  for (const worker of workers) {
    worker.on('message', (text) => seen.push(text));
    worker.on('exit', (code) => {
      seen.push(code);
      if (seen.length === 6) { console.log(seen.sort().join(' ')); process.exitCode = 9; }
    });
  }
  process.stdin.on('end', () => { for (const worker of workers) worker.postMessage('stop'); }).resume();
} else {
  const seen = new Set();
  let told = false;
  parentPort.on('message', () => { told = true; });
  (function turn(round) {
    seen.add(work(round));
    if (told && round > 10) { parentPort.postMessage([...seen].sort().join()); parentPort.close(); return; }
    setImmediate(turn, round + 1);
  })(0);
}`,
};

async function play(
  node: string,
  program: string,
  option: string,
  meanwhile: (pids: readonly number[]) => Promise<void>,
): Promise<Finished> {
  const running = openJem(['run', option, '--', node, script(PROGRAMS[program] ?? '')], { env });
  const pids = (await running.line()).split(' ').slice(1).map(Number);
  await meanwhile(pids);
  const end = await running.end();
  await expectNothingLeft(sockets, pids);
  return { ...end, stdout: end.stdout.replace(/^pids .*\n/, '') };
}

const nothing = async () => {};

describe('Node with the agent works, ends and says what it does without it, and tells of itself meanwhile', () => {
  test.each(Object.keys(PROGRAMS))('%s', async (program) => {
    let observed = 0;
    const within = await play(process.execPath, program, '--agent', async (pids) => {
      for (const pid of pids) {
        await observeAtWork(pid);
        observed++;
      }
    });
    expect(observed).toBe(program === 'a cluster' ? 3 : 1);
    expect(within.stdout).not.toBe('');
    expect(within).toEqual(await play(process.execPath, program, '--no-agent', nothing));
  });

  test.each(NODE_MAJORS)('Node %i', async (major) => {
    const within = await play(nodeBinary(major), 'one process', '--agent', async ([pid = 0]) => {
      await observeAtWork(pid);
    });
    expect(within).toMatchObject({ code: 7, signal: null, stderr: '' });
  });
});

describe('where nobody asks for it', () => {
  test('it is in Node, and one thread is all there is of it', async () => {
    const threads: string[][] = [];
    for (const option of [[], ['--no-agent']]) {
      const running = openJem(['run', ...option, '--', process.execPath, script(PROGRAMS['one process'] ?? '')], {
        env,
      });
      const pid = Number((await running.line()).split(' ')[1]);
      if (option.length === 0) await observeAtWork(pid);
      else expect(socketsIn(sockets)).toEqual([]);
      threads.push(threadsOf(pid));
      await running.end();
      await expectNothingLeft(sockets, [pid]);
    }
    const [within, without] = threads;
    expect(without).not.toContain('jemkit-agent');
    expect(within).toEqual([...(without ?? []), 'jemkit-agent'].sort());
  });

  test('it is in no program it was not proven on: no thread, no socket', async () => {
    const wait = 'import sys; print("ready", flush=True); sys.stdin.read()';
    const threads: string[][] = [];
    for (const option of [[], ['--no-agent'], ['--agent']]) {
      const running = openJem(['run', ...option, '--', '/usr/bin/python3', '-c', wait], { env });
      await running.line();
      if (option.includes('--agent')) await until('its socket', () => socketsIn(sockets).length === 1);
      threads.push(threadsOf(running.pid));
      await running.end();
      await expectNothingLeft(sockets, [running.pid]);
    }
    expect(threads).toEqual([['python3'], ['python3'], ['jemkit-agent', 'python3']]);
  });

  test('programs that end at once never show a socket, whoever asks', async () => {
    const line = 'i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done; exit 4';
    // Where stdin is a socket, bash takes itself for a remote shell's, and reads the user's start-up file, which may take its time.
    const running = openJem(['run', '--agent', '--', 'bash', '--norc', '-c', line], {
      env: { ...env, BASH_ENV: undefined },
    });
    const seen = new Set<string>();
    const { code, stderr } = await Promise.race([
      running.finished,
      (async () => {
        for (;;) {
          for (const path of socketsIn(sockets)) seen.add(path);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })(),
    ]);
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    // The shell itself may have lived long enough.
    expect([...seen].filter((path) => !path.endsWith(`/${running.pid}.sock`))).toEqual([]);
    await expectNothingLeft(sockets, [running.pid]);
  });
});

describe('--no-children', () => {
  test('the program itself can be asked, what it starts has no agent', async () => {
    const program = script(`${WORK}
const child = require('node:child_process').spawn(process.execPath, ['-e', 'console.log("pids", process.pid); setInterval(() => {}, 1e6); process.stdin.on("end", () => process.exit(3)).resume()'], { stdio: ['pipe', 'inherit', 'inherit'] });
child.on('exit', (code) => { console.log(code, process.env.JEMKIT_AGENT, process.env.LD_PRELOAD); process.exit(6); });
process.stdin.on('end', () => child.stdin.end()).resume();
(function turn(round) { work(round); setImmediate(turn, round + 1); })(0);`);
    const running = openJem(['run', '--agent', '--no-children', '--', process.execPath, program], { env });
    const child = Number((await running.line()).split(' ')[1]);
    await observeAtWork(running.pid);
    expect(socketsIn(sockets).filter((path) => path.includes(String(child)))).toEqual([]);
    const { code, stdout } = await running.end();
    expect({ code, stdout: stdout.split('\n').slice(1) }).toEqual({ code: 6, stdout: ['3 undefined undefined', ''] });
    await expectNothingLeft(sockets, [running.pid, child]);
  });
});
