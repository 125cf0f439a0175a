import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openAgent } from '../../src/sources/agent/open-agent.js';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import {
  childrenOf,
  expectNothingLeft,
  expectNothingToStay,
  observe,
  observeAtWork,
  socketFolder,
  socketsIn,
} from '../support/observed-program.js';
import type { Finished } from '../support/programs.js';
import { openJem, type RunningProgram } from '../support/running-program.js';

const PYTHON = '/usr/bin/python3';
const folder = folderForFile();
const sockets = socketFolder(folder);
const env = { ...launchEnvironment(join(folder, 'cache')), JEMKIT_AGENT_DIR: sockets };

const OPTIONS = ['--agent', '--no-agent'] as const;
type Option = (typeof OPTIONS)[number];

/** Plays the same with the agent and without, and expects the same of both. */
async function compare<Outcome>(play: (option: Option) => Promise<Outcome>): Promise<Outcome> {
  const within = await play('--agent');
  expect(within).toEqual(await play('--no-agent'));
  return within;
}

describe('python3 with a pool of processes', () => {
  const program = join(folder, 'pool.py');

  beforeAll(() => {
    writeFileSync(
      program,
      `
import hashlib, multiprocessing, os, sys, threading
told = threading.Event()
def wait():
    sys.stdin.read()
    told.set()
def work(number):
    blocks = [bytes([number]) * 2000 for _ in range(2000)]
    return hashlib.sha256(b"".join(blocks)).hexdigest()[:8]
if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print("pids", os.getpid(), *(process.pid for process in pool._pool), flush=True)
        threading.Thread(target=wait).start()
        seen = set()
        while True:
            seen.update(pool.map(work, range(6)))
            seen.add(work(9))
            if told.is_set(): break
        pool.close()
        pool.join()
    print(sorted(seen))
    sys.exit(7)
`,
    );
  });

  test.each(['fork', 'spawn', 'forkserver'])('started by %s', async (method) => {
    const play = async (option: Option) => {
      const running = openJem(['run', option, '--', PYTHON, program, method], { env });
      const pids = (await running.line()).split(' ').slice(1).map(Number);
      if (option === '--agent') for (const pid of pids) await observeAtWork(pid);
      const end = await running.end();
      // multiprocessing ends its children by os._exit.
      await expectNothingToStay(sockets, pids);
      return { ...end, pids: pids.length, stdout: end.stdout.replace(/^pids .*\n/, '') };
    };
    expect(await compare(play)).toMatchObject({ code: 7, stderr: '', pids: 3, stdout: expect.stringMatching(/^\['/) });
  });
});

describe('puma, two processes with two threads each', () => {
  const listen = join(folder, 'puma.sock');
  const rackup = join(folder, 'config.ru');

  beforeAll(() => {
    writeFileSync(
      rackup,
      `require 'digest'
run ->(env) { [200, { 'Content-Type' => 'text/plain' }, [Digest::SHA256.hexdigest((1..2000).map { |i| "item #{i} " * 20 }.join)]] }
`,
    );
  });

  const get = () =>
    new Promise<string>((resolve, reject) => {
      // Without an agent of Node's: a connection that is kept would stay with one process.
      request({ socketPath: listen, path: '/', agent: false }, (response) => {
        let text = `${response.statusCode} `;
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      })
        .on('error', reject)
        .end();
    });

  /** Asks without pause until it is told to stop; gives all the different answers. */
  function load(): { stop(): Promise<string[]> } {
    let told = false;
    const answers = new Set<string>();
    const client = async () => {
      while (!told) answers.add(await get());
    };
    const clients = Promise.all([client(), client(), client()]);
    return {
      async stop() {
        told = true;
        await clients;
        return [...answers];
      },
    };
  }

  async function ready(running: RunningProgram): Promise<number[]> {
    let line = '';
    for (let booted = 0; booted < 2; ) {
      line = await running.line();
      if (/Worker \d \(PID: \d+\) booted/.test(line)) booted++;
    }
    return childrenOf(running.pid);
  }

  test('serves, is observed in each process, and ends as it does alone', async () => {
    const play = async (option: Option) => {
      const command = ['puma', '--quiet', '-e', 'production', '-w', '2', '-t', '2:2', '-b', `unix://${listen}`, rackup];
      const running = openJem(['run', option, '--', ...command], { env, cwd: folder });
      const workers = await ready(running);
      const clients = load();
      if (option === '--agent') {
        for (const pid of workers) await observeAtWork(pid);
        await observe(running.pid);
      } else await get();
      const answers = await clients.stop();
      running.child.kill('SIGTERM');
      const { code, signal, stderr } = await running.finished;
      // Its master ends itself by the signal it was sent.
      await expectNothingToStay(sockets, [running.pid, ...workers]);
      return { code, signal, stderr, answers, workers: workers.length };
    };
    expect(await compare(play)).toMatchObject({ workers: 2, answers: [expect.stringMatching(/^200 [0-9a-f]{64}$/)] });
  });
});

describe('java', () => {
  beforeAll(() => {
    writeFileSync(
      join(folder, 'Work.java'),
      `
import java.util.*;
import java.util.concurrent.*;
import java.util.zip.*;
public class Work {
  static volatile boolean told = false;
  static long work(int seed) {
    byte[] in = new byte[1 << 18];
    Arrays.fill(in, (byte) seed);
    Deflater deflater = new Deflater();
    deflater.setInput(in);
    deflater.finish();
    byte[] out = new byte[1 << 16];
    int length = deflater.deflate(out);
    deflater.end();
    CRC32 crc = new CRC32();
    crc.update(out, 0, length);
    return crc.getValue();
  }
  public static void main(String[] args) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(3);
    Set<Long> seen = ConcurrentHashMap.newKeySet();
    System.out.println("pids " + ProcessHandle.current().pid());
    for (int thread = 0; thread < 3; thread++) {
      int first = thread;
      pool.submit(() -> { for (int i = first; !told || i < 12; i++) seen.add(work(i % 4)); });
    }
    while (System.in.read() != -1) {}
    told = true;
    pool.shutdown();
    pool.awaitTermination(20, TimeUnit.SECONDS);
    System.out.println(new TreeSet<>(seen));
    System.exit(7);
  }
}`,
    );
    execFileSync('javac', ['-d', folder, join(folder, 'Work.java')]);
  });

  test('works, is observed, and ends as it does alone', async () => {
    const play = async (option: Option): Promise<Finished> => {
      const running = openJem(['run', option, '--', 'java', '-Xmx64m', '-cp', folder, 'Work'], { env });
      const pid = Number((await running.line()).split(' ')[1]);
      expect(pid).toBe(running.pid);
      if (option === '--agent') await observeAtWork(pid);
      const end = await running.end();
      await expectNothingLeft(sockets, [pid]);
      return { ...end, stdout: end.stdout.replace(/^pids .*\n/, '') };
    };
    expect(await compare(play)).toMatchObject({ code: 7, stderr: '', stdout: expect.stringMatching(/^\[\d+, /) });
  });

  test('what ends it abruptly leaves no more than a socket, which the next command of jem collects', async () => {
    const running = openJem(['run', '--agent', '--', 'java', '-Xmx64m', '-cp', folder, 'Work'], { env });
    await running.line();
    await observeAtWork(running.pid);
    running.child.kill('SIGKILL');
    expect(await running.finished).toMatchObject({ signal: 'SIGKILL' });
    expect(socketsIn(sockets).length).toBe(1);
    expect(await openAgent(running.pid)).toEqual({ kind: 'gone' });
    await expectNothingToStay(sockets, [running.pid]);
  });
});
