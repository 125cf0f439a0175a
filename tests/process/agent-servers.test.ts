import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import {
  childrenOf,
  expectNothingLeft,
  isAlive,
  observeAtWork,
  socketFolder,
  socketsIn,
  until,
  usersOf,
} from '../support/observed-program.js';
import { jem, runProgram } from '../support/programs.js';
import { openJem } from '../support/running-program.js';
import { mayChangeUser } from '../support/stranger.js';

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

/** A folder that servers of every user can look into. */
function openFolder(name: string): string {
  const path = mkdtempSync(join(folder, name));
  chmodSync(path, 0o755);
  return path;
}

describe('redis-server', () => {
  const cli = async (socket: string, ...args: string[]) =>
    (await runProgram('redis-cli', ['-s', socket, ...args])).stdout.trim();

  const CONTENT = Array.from({ length: 500 }, (_, i) => `SET key:${i} ${'value'.repeat(1 + (i % 50))}\n`).join('');

  function serverIn(place: string, daemonize: 'yes' | 'no'): { socket: string; args: string[] } {
    const socket = join(place, 's');
    const files = ['--dir', place, '--pidfile', join(place, 'pid'), '--logfile', join(place, 'log')];
    const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--daemonize', daemonize, ...files];
    return { socket, args: ['redis-server', ...args, '--enable-debug-command', 'local'] };
  }

  /** Runs the benchmark until the end of what is done meanwhile. */
  async function underLoad(socket: string, meanwhile: () => Promise<unknown>): Promise<void> {
    const args = ['-s', socket, '-t', 'set,get,lpush', '-d', '200', '-r', '20000', '-P', '16', '-l', '-q'];
    const load = spawn('redis-benchmark', args, { stdio: 'ignore' });
    const end = new Promise((resolve) => load.once('exit', resolve));
    onTestFinished(() => void load.kill('SIGKILL'));
    try {
      await meanwhile();
    } finally {
      load.kill('SIGKILL');
      await end;
    }
  }

  /** What it holds after the same commands, as a checksum over keys and values. */
  async function digest(socket: string): Promise<string> {
    await cli(socket, 'FLUSHALL');
    await runProgram('redis-cli', ['-s', socket], { input: CONTENT });
    return `${await cli(socket, 'DBSIZE')} ${await cli(socket, 'DEBUG', 'DIGEST')}`;
  }

  async function saveInBackground(socket: string): Promise<string> {
    await cli(socket, 'BGSAVE');
    return until('the end of BGSAVE', async () => {
      const info = await cli(socket, 'INFO', 'persistence');
      return info.includes('rdb_bgsave_in_progress:0') && /rdb_last_bgsave_status:(\w+)/.exec(info)?.[1];
    });
  }

  test('under redis-benchmark, with BGSAVE', async () => {
    const play = async (option: Option) => {
      const { socket, args } = serverIn(openFolder('redis-'), 'no');
      const running = openJem(['run', option, '--', ...args], { env });
      await until('redis', async () => (await cli(socket, 'PING')) === 'PONG');
      let saved = '';
      await underLoad(socket, async () => {
        if (option === '--agent') await observeAtWork(running.pid);
        saved = await saveInBackground(socket);
        if (option === '--agent') await observeAtWork(running.pid);
      });
      const content = await digest(socket);
      running.child.kill('SIGTERM');
      const { code, signal, stderr } = await running.finished;
      await expectNothingLeft(sockets, [running.pid]);
      return { code, signal, stderr, saved, content };
    };
    expect(await compare(play)).toMatchObject({
      code: 0,
      saved: 'ok',
      content: expect.stringMatching(/^500 [0-9a-f]+$/),
    });
  });

  test('as a daemon', async () => {
    const play = async (option: Option) => {
      const place = openFolder('redis-');
      const { socket, args } = serverIn(place, 'yes');
      const { code, stdout, stderr } = await jem(['run', option, '--', ...args], { env });
      await until('redis', async () => (await cli(socket, 'PING')) === 'PONG');
      const pid = Number(readFileSync(join(place, 'pid'), 'utf8'));
      onTestFinished(() => {
        if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      });
      await underLoad(socket, async () => option === '--agent' && observeAtWork(pid));
      const saved = await saveInBackground(socket);
      const content = await digest(socket);
      await cli(socket, 'SHUTDOWN', 'NOSAVE');
      await expectNothingLeft(sockets, [pid]);
      const last = readFileSync(join(place, 'log'), 'utf8')
        .trimEnd()
        .split('\n')
        .at(-1)
        ?.replace(/^.* # /, '');
      return { code, stdout, stderr, saved, content, last };
    };
    expect(await compare(play)).toMatchObject({ code: 0, saved: 'ok', last: 'Redis is now ready to exit, bye bye...' });
  });
});

describe('nginx', () => {
  const page = 'A page that is worth compressing. '.repeat(2000);

  const get = (socketPath: string) =>
    new Promise<string>((resolve, reject) => {
      request({ socketPath, path: '/page.txt', agent: false, headers: { 'accept-encoding': 'gzip' } }, (response) => {
        let bytes = 0;
        response.on('data', (chunk) => {
          bytes += chunk.length;
        });
        response.on('end', () => resolve(`${response.statusCode} ${response.headers['content-encoding']} ${bytes}`));
      })
        .on('error', reject)
        .end();
    });

  function configure(place: string): string {
    mkdirSync(join(place, 'html'));
    writeFileSync(join(place, 'html', 'page.txt'), page);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    writeFileSync(
      join(place, 'nginx.conf'),
      `${mayChangeUser ? 'user www-data;' : ''}
worker_processes 2;
pid ${place}/pid;
error_log ${place}/error.log warn;
events {}
http {
  access_log off;
  types { text/plain txt; }
  gzip on;
  gzip_types text/plain;
  ${temporary.map((name) => `${name}_temp_path ${place}/${name};`).join('\n  ')}
  server { listen unix:${place}/s; root ${place}/html; }
}
`,
    );
    return join(place, 's');
  }

  test('a master with two workers of another user, through a reload', async () => {
    const place = openFolder('nginx-');
    const socket = configure(place);
    const command = ['nginx', '-p', place, '-c', join(place, 'nginx.conf'), '-e', join(place, 'error.log')];
    const play = async (option: Option) => {
      const running = openJem(['run', option, '--', ...command, '-g', 'daemon off;'], { env });
      const workers = () => childrenOf(running.pid);
      await until('nginx', async () => workers().length === 2 && (await get(socket).catch(() => undefined)));
      let told = false;
      const answers = new Set<string>();
      const client = async () => {
        while (!told) answers.add(await get(socket));
      };
      const clients = Promise.all([client(), client()]);
      const observe = async () => {
        if (option !== '--agent') return;
        for (const pid of workers()) await observeAtWork(pid);
      };
      await observe();
      const before = workers();
      if (mayChangeUser) expect(new Set(before.flatMap(usersOf)).size).toBe(1);
      running.child.kill('SIGHUP');
      await until('new workers', () => workers().length === 2 && workers().every((pid) => !before.includes(pid)));
      await observe();
      const after = workers();
      told = true;
      await clients;
      if (option === '--agent') await until('three sockets', () => socketsIn(sockets).length === 3);
      running.child.kill('SIGQUIT');
      const { code, signal, stdout, stderr } = await running.finished;
      await expectNothingLeft(sockets, [running.pid, ...before, ...after]);
      return {
        code,
        signal,
        stdout,
        stderr,
        answers: [...answers],
        log: readFileSync(join(place, 'error.log'), 'utf8'),
      };
    };
    expect(await compare(play)).toMatchObject({ code: 0, answers: [expect.stringMatching(/^200 gzip \d+$/)], log: '' });
  });
});

describe('mariadbd', () => {
  // The user of Debian's package, which the tests' set-up makes.
  const user = mayChangeUser ? ['--user=mysql'] : [];
  const data = openFolder('mariadb-');
  const small = ['--innodb-log-file-size=4M', '--innodb-buffer-pool-size=8M', '--innodb-flush-log-at-trx-commit=0'];

  beforeAll(() => {
    const args = ['--no-defaults', `--datadir=${data}`, '--skip-test-db', ...small, ...user];
    execFileSync('mariadb-install-db', [...args, '--auth-root-authentication-method=normal'], { stdio: 'ignore' });
    chmodSync(data, 0o755);
  });

  test('which gives root up at its start', async () => {
    const socket = join(data, 's');
    const query = (text: string) =>
      runProgram('mariadb', [
        '--no-defaults',
        '-u',
        'root',
        '-S',
        socket,
        '--batch',
        '--skip-column-names',
        '-e',
        text,
      ]);
    const play = async (option: Option) => {
      const files = [`--datadir=${data}`, `--socket=${socket}`, `--pid-file=${join(data, 'pid')}`];
      const running = openJem(
        ['run', option, '--', 'mariadbd', '--no-defaults', ...files, '--skip-networking', ...small, ...user],
        { env },
      );
      await until('mariadbd', async () => (await query('SELECT 1')).code === 0);
      if (mayChangeUser) expect(usersOf(running.pid)).not.toContain(0);
      let told = false;
      const answers = new Set<string>();
      const client = async () => {
        while (!told) {
          const { stdout, stderr } = await query(
            'SELECT COUNT(DISTINCT MD5(seq)), SUM(LENGTH(REPEAT(seq, 9))) FROM mysql.seq_1_to_30000',
          );
          answers.add(stdout + stderr);
        }
      };
      const clients = Promise.all([client(), client()]);
      if (option === '--agent') await observeAtWork(running.pid);
      told = true;
      await clients;
      running.child.kill('SIGTERM');
      const { code, signal, stdout, stderr } = await running.finished;
      await expectNothingLeft(sockets, [running.pid]);
      const complaints = stderr.match(/\[(ERROR|Warning)\].*/g);
      return { code, signal, stdout, complaints, answers: [...answers] };
    };
    expect(await compare(play)).toMatchObject({
      code: 0,

      answers: [expect.stringMatching(/^30000\t\d+\n$/)],
    });
  });
});
