import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { WIRE_FLAGS } from '../../src/model/agent-wire.js';
import { openAgentOf } from '../support/agent-client.js';
import { agentThread } from '../support/agent-hosts.js';
import { jemallocLibrary, NODE_MAJORS, nodeBinary, ROOT, runProgram, temporaryFolder } from '../support/programs.js';
import { openProgram } from '../support/running-program.js';

const ADDON = join(ROOT, 'prebuilds', `linux-${process.arch}-glibc`, 'jemkit.node');

let directory: string;
beforeEach(() => {
  directory = temporaryFolder();
});

/** A script that has the addon, the folder, and what tells which sockets there are. */
const script = (body: string) => `
  const addon = require(${JSON.stringify(ADDON)});
  const directory = ${JSON.stringify(directory)};
  const fs = require('node:fs');
  const { Worker } = require('node:worker_threads');
  const sockets = () => fs.readdirSync(directory).flatMap((name) => fs.readdirSync(directory + '/' + name));
  ${body}`;

async function answerOf(body: string): Promise<unknown> {
  const { code, signal, stdout, stderr } = await runProgram(process.execPath, ['-e', script(body)]);
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

const left = () => readdirSync(directory).flatMap((name) => readdirSync(join(directory, name)));

test.each(NODE_MAJORS)('Node %i: it opens, answers, and is gone after process.exit', async (major) => {
  const body = `console.log(JSON.stringify(addon.startAgent(directory)));
    process.stdin.once('data', () => process.exit(7));`;
  const node = openProgram(nodeBinary(major), ['-e', script(body)], { env: { LD_PRELOAD: jemallocLibrary() } });
  const { path } = JSON.parse(await node.line()) as { path: string };
  expect(path).toBe(join(directory, `jemkit-${process.geteuid!()}`, `${node.pid}.node.sock`));
  const { status, payload } = await (await openAgentOf(path)).ask('hello');
  const flags = WIRE_FLAGS.inAddon | WIRE_FLAGS.hasJemalloc;
  expect([status, payload.readUInt32LE(0), payload.readUInt32LE(4) & flags]).toEqual([0, node.pid, flags]);
  node.child.stdin?.write('end\n');
  expect(await node.finished).toMatchObject({ code: 7, stderr: '' });
  expect(left()).toEqual([]);
});

test('it does not keep Node alive, and leaves nothing where Node ends by itself', async () => {
  expect(await answerOf(`addon.startAgent(directory); console.log(JSON.stringify(sockets().length));`)).toBe(1);
  expect(left()).toEqual([]);
});

test('one for all threads; it goes with the last that wanted it', async () => {
  const answer = await answerOf(`
    const source = 'require(' + ${JSON.stringify(JSON.stringify(ADDON))} + ').startAgent(' + JSON.stringify(directory) + '); require("node:worker_threads").parentPort.once("message", () => process.exit())';
    const seen = [];
    const workers = Array.from({ length: 4 }, () => new Worker(source, { eval: true }));
    const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve)))).then(async () => {
      while (sockets().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      addon.startAgent(directory);
      seen.push(sockets().length);
      for (const worker of workers) worker.postMessage('end');
      await Promise.all(ended);
      seen.push(sockets().length);
      addon.stopAgent();
      addon.stopAgent();
      seen.push(sockets().length);
      console.log(JSON.stringify(seen));
    });`);
  expect(answer).toEqual([1, 1, 0]);
});

test('a worker that alone loads the addon, and is ended in the middle', async () => {
  const inWorker = `const addon = require(${JSON.stringify(ADDON)});
    addon.startAgent(${JSON.stringify(directory)});
    require('node:worker_threads').parentPort.postMessage('started');
    setInterval(() => addon.startAgent(${JSON.stringify(directory)}), 1);`;
  const program = `const { Worker } = require('node:worker_threads');
    (async () => {
      for (let at = 0; at < 20; at++) {
        const worker = new Worker(${JSON.stringify(inWorker)}, { eval: true });
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
        await worker.terminate();
      }
      console.log('done');
    })();`;
  const { code, signal, stdout } = await runProgram(process.execPath, ['-e', program]);
  expect({ code, signal, stdout }).toEqual({ code: 0, signal: null, stdout: 'done\n' });
  expect(left()).toEqual([]);
});

test('started and stopped 300 times, and beside child processes', async () => {
  const answer = await answerOf(`
    for (let at = 0; at < 300; at++) { addon.startAgent(directory); addon.stopAgent(); }
    const none = sockets().length;
    const first = addon.startAgent(directory);
    const again = addon.startAgent('/another/folder');
    const { execFileSync } = require('node:child_process');
    for (let at = 0; at < 20; at++) execFileSync('true');
    console.log(JSON.stringify([none, sockets().length, first.path === again.path]));`);
  expect(answer).toEqual([0, 1, true]);
});

test('says what is wrong with its folder, and can be tried again', async () => {
  const answer = await answerOf(`
    const wrong = ['/no/such/folder', '/dev/null', '/' + 'x'.repeat(5000)].map((path) => addon.startAgent(path).reason);
    const thrown = [[], [1], ['relative'], ['/a\\0b'], ['']].map((args) => { try { return addon.startAgent(...args); } catch (error) { return error.constructor.name; } });
    console.log(JSON.stringify([wrong, thrown, 'path' in addon.startAgent(directory)]));`);
  expect(answer).toEqual([
    [
      expect.stringMatching(/^\/no\/such\/folder\/jemkit-\d+ cannot be made \(errno 2\)$/),
      expect.stringMatching(/^\/dev\/null\/jemkit-\d+ cannot be made \(errno 20\)$/),
      "the folder's path is too long",
    ],
    Array(5).fill('TypeError'),
    true,
  ]);
});

test('beside a preloaded agent: two sockets, both answer', async () => {
  const body = `addon.startAgent(directory); console.log('ready'); process.stdin.resume();`;
  const library = join(ADDON, '..', 'libjemkit.so');
  const node = openProgram(process.execPath, ['-e', script(body)], {
    env: { LD_PRELOAD: `${jemallocLibrary()} ${library}`, JEMKIT_AGENT: 'auto', JEMKIT_AGENT_DIR: directory },
  });
  expect(await node.line()).toBe('ready');
  const folder = join(directory, `jemkit-${process.geteuid!()}`);
  for (const name of [`${node.pid}.sock`, `${node.pid}.node.sock`]) {
    expect((await (await openAgentOf(join(folder, name))).ask('hello')).payload.readUInt32LE(0)).toBe(node.pid);
  }
  expect(agentThread(node.pid)).toBeDefined();
  expect((await node.end()).code).toBe(0);
  expect(existsSync(folder)).toBe(true);
  expect(left()).toEqual([]);
});
