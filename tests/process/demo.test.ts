import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DemoReport } from '../../src/model/demo.js';
import { readProcessStat } from '../../src/sources/procfs/process-stat.js';
import { finished, JEM, jem, jemallocLibrary, temporaryFolder, testEnvironment } from '../support/programs.js';

const TIMEOUT_MS = 120_000;
const SHORT = ['demo', '--quick', '--requests', '60'];

/** A demo with folders of its own, so that what it leaves behind shows. */
function surroundings() {
  const folder = temporaryFolder('jemkit-demo-test-');
  const library = jemallocLibrary();
  return { folder, library, env: { TMPDIR: folder, JEMKIT_CACHE_DIR: `${folder}/cache`, LC_ALL: 'C' } };
}

const leftIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('jem-demo-'));

function isGone(pid: number): boolean {
  try {
    return readProcessStat(pid)?.state === 'Z';
  } catch {
    return true;
  }
}

/** Starts a demo and comes back with its server's pid once requests flow. */
async function startedDemo(library: string, env: NodeJS.ProcessEnv): Promise<{ demo: ChildProcess; server: number }> {
  const demo = spawn(process.execPath, [JEM, 'demo', '--seconds', '60', '--library', library], {
    env: testEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void demo.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    demo.stderr?.on('data', (text: Buffer) => {
      said += text;
      if (said.includes('under load')) resolve();
    });
    demo.on('close', () => reject(new Error(`the demo ended: ${said}`)));
  });
  const children = readFileSync(`/proc/${demo.pid}/task/${demo.pid}/children`, 'utf8').trim().split(' ').map(Number);
  expect(children).toHaveLength(1);
  return { demo, server: children[0] as number };
}

async function untilGone(pid: number): Promise<void> {
  while (!isGone(pid)) await sleep(20);
}

describe('jem demo', () => {
  it(
    'measures the same server under three allocators, proved, and leaves nothing behind',
    async () => {
      const { folder, library, env } = surroundings();
      // What the user has in the environment must not reach the servers.
      const mine = { MALLOC_ARENA_MAX: '1', MALLOC_CONF: 'narenas:1', NODE_OPTIONS: '--max-http-header-size=9000' };
      const { code, stdout, stderr } = await jem(['demo', '--quick', '--json', '--library', library], {
        env: { ...env, ...mine },
        timeoutMs: TIMEOUT_MS,
      });
      expect(stderr).not.toMatch(/bug|Warning/);
      expect(code).toBe(0);
      const report = JSON.parse(stdout) as DemoReport;
      expect(report.library).toBe(library);
      expect(report.runs.map(({ variant }) => variant)).toEqual(['system', 'jemalloc', 'tuned-glibc']);
      const [system, jemalloc, tuned] = report.runs;
      expect(system?.environment).toEqual({});
      expect(jemalloc?.environment).toMatchObject({ LD_PRELOAD: library });
      expect(jemalloc?.environment['MALLOC_CONF']).toContain('background_thread:true');
      expect(tuned?.environment).toEqual({ MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' });
      expect(report.runs.map(({ proof }) => proof.allocator)).toEqual(['system', 'jemalloc', 'system']);
      expect(jemalloc?.proof.how).toHaveLength(2);
      expect(jemalloc?.proof.how.join()).toContain("moved jemalloc's own counter");

      for (const run of report.runs) {
        expect(run.requests).toBe(system?.requests);
        expect(run.requests).toBeGreaterThan(0);
        expect(run.failedRequests).toBe(0);
        expect(run.latenciesMs).toHaveLength(run.requests);
        expect(run.processorSeconds).toBeGreaterThan(0);
        expect(run.idleEndMs - run.loadEndMs).toBeGreaterThanOrEqual(1000);
        expect(run.samples.length).toBeGreaterThan(20);
        expect(
          run.samples.every(({ elapsedMs }, i) => i === 0 || elapsedMs >= (run.samples[i - 1]?.elapsedMs ?? 0)),
        ).toBe(true);
        expect(isGone(run.pid)).toBe(true);
      }
      for (const summary of report.comparison.summaries) {
        const {
          peakBytes = 0,
          afterLoadBytes = 0,
          settledBytes = 0,
          restBytes = 0,
          knownBytes,
          p99LatencyMs = 0,
          medianLatencyMs = 0,
        } = summary;
        expect(peakBytes).toBeGreaterThanOrEqual(afterLoadBytes);
        expect(afterLoadBytes).toBeGreaterThan(0);
        expect(settledBytes).toBeGreaterThan(knownBytes);
        expect(restBytes).toBe(settledBytes - knownBytes);
        expect(p99LatencyMs).toBeGreaterThanOrEqual(medianLatencyMs);
      }
      expect(report.comparison.settled?.verdict).toMatch(/^(less|more|no-difference)$/);
      expect(report.comparison.sentences[0]).toContain('Memory at the end');
      expect(leftIn(folder)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'prints figures, chart and method, in ASCII where the locale is not UTF-8',
    async () => {
      const { library, env } = surroundings();
      const { code, stdout } = await jem([...SHORT, '--conf', 'narenas:2', '--library', library], {
        env,
        timeoutMs: TIMEOUT_MS,
      });
      expect(code).toBe(0);
      expect(stdout).toMatch(/^[\x20-\x7e\n]*$/);
      for (const line of stdout.split('\n')) if (!line.includes('/')) expect(line.length).toBeLessThanOrEqual(85);
      expect(stdout).toMatch(/RSS: peak +\d+ MiB +\d+ MiB +\d+ MiB/);
      expect(stdout).toContain('g glibc   j jemalloc   t tuned glibc');
      expect(stdout).toContain('^ load ends');
      expect(stdout.replace(/\s+/g, ' ')).toContain('the same 60 requests');
      expect(stdout).toContain('narenas:2');
      expect(stdout.replace(/\s+/g, ' ')).toContain(`node ${process.versions.node}`);
    },
    TIMEOUT_MS,
  );

  it(
    'uses a loopback port where the path of a socket would be too long',
    async () => {
      const { library, env } = surroundings();
      const long = temporaryFolder(`jemkit-${'long'.repeat(25)}-`);
      const { code, stdout } = await jem([...SHORT, '--json', '--library', library], {
        env: { ...env, TMPDIR: long },
        timeoutMs: TIMEOUT_MS,
      });
      expect(code).toBe(0);
      expect((JSON.parse(stdout) as DemoReport).runs.every(({ failedRequests }) => failedRequests === 0)).toBe(true);
    },
    TIMEOUT_MS,
  );

  it('stops its server at Ctrl-C and exits as a shell expects', async () => {
    const { folder, library, env } = surroundings();
    const { demo, server } = await startedDemo(library, env);
    const end = finished(demo);
    demo.kill('SIGINT');
    const { code, stderr } = await end;
    expect(code).toBe(130);
    expect(stderr).toContain('stopped by SIGINT');
    expect(isGone(server)).toBe(true);
    expect(leftIn(folder)).toEqual([]);
  });

  it('leaves no server behind when it is killed itself', async () => {
    const { folder, library, env } = surroundings();
    const { demo, server } = await startedDemo(library, env);
    demo.kill('SIGKILL');
    await untilGone(server);
    expect(leftIn(folder)).toEqual([]);
  });

  it('says how its server ended', async () => {
    const { library, env } = surroundings();
    const { demo, server } = await startedDemo(library, env);
    const end = finished(demo);
    process.kill(server, 'SIGKILL');
    const { code, stderr } = await end;
    expect(code).toBe(3);
    expect(stderr).toContain('under glibc was ended by SIGKILL in the middle of the run');
    expect(stderr).toMatch(/hint: /);
  });

  it.each([
    [['--seconds', '0'], 2, /'0' is invalid: expected a whole number from 1 to 3600/],
    [['--seconds', 'abc'], 2, /'abc' is invalid/],
    [['--seconds', '1', '--requests', '1'], 2, /cannot be used with/],
    [['--concurrency', '0'], 2, /from 1 to 256/],
    [['--preset', 'fastest'], 2, /no preset 'fastest'/],
    [['--conf', 'dirty_decay:5'], 2, /dirty_decay_ms:5/],
    [
      ['--library', '/nowhere/libjemalloc.so.2'],
      3,
      /nowhere\/libjemalloc\.so\.2 cannot be used: there is no such file/,
    ],
    [['--library', '/etc/hostname'], 3, /not an ELF file/],
  ])('refuses %j before it starts anything', async (args, exitCode, message) => {
    const { folder, env } = surroundings();
    const { code, stdout, stderr } = await jem(['demo', ...args], { env });
    expect(stderr).toMatch(message);
    expect(code).toBe(exitCode);
    expect(stdout).toBe('');
    expect(stderr).not.toContain('run 1');
    expect(existsSync(folder) && leftIn(folder)).toEqual([]);
  });
});
