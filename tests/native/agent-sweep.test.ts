import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { openAgentOf, openBareClient, until } from '../support/agent-client.js';
import { type AgentHosts, plainHosts, sanitizedHosts } from '../support/agent-hosts.js';
import { folderForFile } from '../support/launching.js';
import { finished, runProgram, temporaryFolder, testEnvironment } from '../support/programs.js';
import { mayChangeUser } from '../support/stranger.js';

const folder = folderForFile();
let all: Record<'plain' | 'sanitized', AgentHosts>;
beforeAll(() => {
  all = { plain: plainHosts(folder), sanitized: sanitizedHosts(folder) };
});

/** A number that no process has. */
const NOBODY = 99_999_999;

const age = (path: string, seconds: number) => {
  const moment = Date.now() / 1000 - seconds;
  utimesSync(path, moment, moment);
};

/** A socket that nobody answers, as a killed process leaves it. */
async function leaveSocket(path: string, seconds: number): Promise<void> {
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  expect((await runProgram(process.execPath, ['-e', code])).signal).toBe('SIGKILL');
  age(path, seconds);
}

/** Starts a host in this place, waits until it is open, and ends it. */
async function passBy(hosts: AgentHosts, directory: string): Promise<void> {
  const host = hosts.open(['wait'], { env: { JEMKIT_AGENT_DIR: directory } });
  const path = join(directory, `jemkit-${process.geteuid!()}`, `${host.pid}.sock`);
  expect((await (await openAgentOf(path)).ask('hello')).status).toBe(0);
  expect(await host.end()).toMatchObject({ code: 7, stderr: '' });
}

test.each(['plain', 'sanitized'] as const)('%s: what nobody is behind goes, and nothing else', async (build) => {
  const directory = temporaryFolder();
  const own = join(directory, `jemkit-${process.geteuid!()}`);
  mkdirSync(own, { mode: 0o700 });
  for (const name of [`${NOBODY}.sock`, `${NOBODY}.node.sock`]) await leaveSocket(join(own, name), 61);
  const kept = [
    `0${NOBODY}.sock`,
    `${NOBODY}99.sock`,
    `${NOBODY}.socket`,
    `${NOBODY}.sock.sock`,
    `${NOBODY - 1}.sock`,
    `${process.pid}.sock`,
    `x${NOBODY}.sock`,
    `${NOBODY - 2}.sock`,
    `${NOBODY - 3}.sock`,
  ].sort();
  for (const name of kept) {
    const path = join(own, name);
    // Too young; of a process; live, as of another process namespace; no socket at all.
    if (name === `${NOBODY - 2}.sock`) {
      const server = createServer().listen(path);
      onTestFinished(() => void server.close());
      await new Promise((resolve) => server.once('listening', resolve));
      age(path, 1000);
    } else if (name === `${NOBODY - 3}.sock`) {
      writeFileSync(path, '');
      age(path, 1000);
    } else await leaveSocket(path, name === `${NOBODY - 1}.sock` ? 30 : 1000);
  }
  await passBy(all[build], directory);
  expect(readdirSync(own).sort()).toEqual(kept);
});

test('few are looked at, so that an opening costs the same among thousands', async () => {
  const directory = temporaryFolder();
  const own = join(directory, `jemkit-${process.geteuid!()}`);
  mkdirSync(own, { mode: 0o700 });
  const paths = Array.from({ length: 100 }, (_, at) => join(own, `${NOBODY - at}.sock`));
  const code = `const paths = ${JSON.stringify(paths)}; let left = paths.length;
    for (const path of paths) require('node:net').createServer().listen(path, () => --left || process.kill(process.pid, 'SIGKILL'))`;
  await runProgram(process.execPath, ['-e', code]);
  for (const path of paths) age(path, 1000);
  await passBy(all.plain, directory);
  const left = readdirSync(own).length;
  expect(left).toBeGreaterThanOrEqual(100 - 64);
  expect(left).toBeLessThan(100);
  for (let round = 0; readdirSync(own).length > 0 && round < 3; round++) await passBy(all.plain, directory);
  expect(readdirSync(own)).toEqual([]);
});

test.runIf(mayChangeUser)('the agent of a process in another process namespace, which shares the folder', async () => {
  const { path, env, directory } = all.plain;
  const shell = `echo 4000000 > /proc/sys/kernel/ns_last_pid; LD_PRELOAD="$PRELOAD" JEMKIT_AGENT=1 ${path} wait`;
  const child = spawn('unshare', ['--pid', '--fork', '--mount-proc', 'sh', '-c', `${shell}; exit $?`], {
    env: testEnvironment({ PRELOAD: env['LD_PRELOAD'], JEMKIT_AGENT_DIR: directory, MALLOC_CONF: env['MALLOC_CONF'] }),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const end = finished(child);
  const own = join(directory, `jemkit-${process.geteuid!()}`);
  const name = await until(
    () => existsSync(own) && readdirSync(own).find((file) => /^40000\d\d\.sock$/.test(file)),
    'its socket',
  );
  expect(existsSync(`/proc/${Number.parseInt(name, 10)}`)).toBe(false);
  await until(() => openBareClient(join(own, name)).catch(() => undefined), 'it listens');
  age(join(own, name), 1000);
  await passBy(all.plain, directory);
  expect((await (await openBareClient(join(own, name))).ask('hello')).status).toBe(0);
  child.stdin.end();
  expect((await end).code).toBe(7);
  rmSync(join(own, name), { force: true });
});
