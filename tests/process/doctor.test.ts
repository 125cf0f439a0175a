import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/model/finding.js';
import { jem, jemallocLibrary, type RunOptions, temporaryFolder } from '../support/programs.js';
import { type OpenOptions, openProgram, type RunningProgram } from '../support/running-program.js';
import { installForStrangers, mayChangeUser, STRANGER } from '../support/stranger.js';

const SOURCE = `
#include <stdio.h>
#include <stdlib.h>
CONF
int main(void) {
  void *volatile block = malloc(100);
  free(block);
  puts("ready");
  fflush(stdout);
  getchar();
  return 0;
}`;

let folder: string;
const built = (name: string) => join(folder, name);
const mimalloc = () => join(dirname(jemallocLibrary()), 'libmimalloc.so.2');

function compile(name: string, conf = '', ...flags: string[]): void {
  writeFileSync(built(`${name}.c`), SOURCE.replace('CONF', conf));
  execFileSync(flags[0] === 'musl' ? 'musl-gcc' : 'gcc', [
    built(`${name}.c`),
    '-o',
    built(name),
    ...flags.filter((flag) => flag !== 'musl'),
  ]);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jemkit-doctor-'));
  chmodSync(folder, 0o755);
  compile('plain');
  compile('fixed', '', '-static');
  compile('musl', '', 'musl');
  const rpath = `-Wl,-rpath,${dirname(jemallocLibrary())}`;
  compile(
    'configured',
    'const char *malloc_conf = "narenas:3,tcache:false";',
    '-rdynamic',
    '-Wl,--no-as-needed',
    jemallocLibrary(),
    rpath,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(path: string, options: OpenOptions = {}): Promise<RunningProgram> {
  const program = openProgram(path, [], options);
  expect(await program.line()).toBe('ready');
  return program;
}

interface Report {
  readonly code: number | null;
  readonly facts: {
    readonly identity?: Record<string, unknown>;
    readonly conf: {
      readonly effective: { key: string; value: string; origin: { source: string } }[];
      readonly ignored: { key: string }[];
    };
    readonly smoke?: Record<string, unknown>;
    readonly [name: string]: unknown;
  };
  readonly findings: Finding[];
}

async function report(args: readonly string[], options: RunOptions = {}): Promise<Report> {
  const [first, ...rest] = args;
  const words = first === '--' ? ['--json', '--', ...rest] : [...args, '--json'];
  const { code, stdout, stderr } = await jem(['doctor', ...words], options);
  expect(stdout, stderr).not.toBe('');
  return { code, ...(JSON.parse(stdout) as Omit<Report, 'code'>) };
}

const problems = ({ findings }: Report) => findings.filter(({ severity }) => severity === 'problem');

/** Holds the report to one problem, which has a cause and a remedy, and to the exit code for it. */
function expectOneProblem(found: Report, id: string): Finding {
  expect(problems(found).map((finding) => finding.id)).toEqual([id]);
  expect(found.code).toBe(1);
  const [problem] = problems(found);
  expect(problem?.cause).toBeTruthy();
  expect(problem?.remedy).toBeTruthy();
  return problem!;
}

describe('this machine', () => {
  test('with a library everything is in order', async () => {
    const found = await report([], { env: { JEMKIT_LIBRARY: jemallocLibrary() } });
    expect(problems(found)).toEqual([]);
    expect(found.code).toBe(0);
    expect(found.facts).toMatchObject({
      kind: 'machine',
      native: { kind: 'loaded' },
      search: { kind: 'found', library: { path: jemallocLibrary() } },
      probe: {
        kind: 'works',
        serving: 'jemalloc',
        answers: { 'arenas.page': expect.any(String), 'config.prof': expect.any(String) },
      },
      host: { pageBytes: expect.any(Number), overcommit: expect.any(Number) },
    });
  });

  test('a library that cannot be used is a problem', async () => {
    const found = await report([], { env: { JEMKIT_LIBRARY: '/nonexistent/libjemalloc.so.2' } });
    expectOneProblem(found, 'library-unusable');
  });

  test('the page is for people: signs, words, findings with cause and remedy', async () => {
    const good = await jem(['doctor'], { env: { JEMKIT_LIBRARY: jemallocLibrary() } });
    expect(good.code).toBe(0);
    expect(good.stdout).toContain(`✓ library`);
    expect(good.stdout).toContain('jemalloc serves malloc');
    expect(good.stdout).toMatch(/^Findings: no problem/m);
    const bad = await jem(['doctor'], { env: { JEMKIT_LIBRARY: '/nonexistent/libjemalloc.so.2' } });
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/✗ problem: .*\n {6}cause: {2}.*\n {6}remedy: /);
  });

  test('a typo in MALLOC_CONF is a problem, and what is right takes effect', async () => {
    const env = { JEMKIT_LIBRARY: jemallocLibrary(), MALLOC_CONF: 'narenas:2,dirty_decay:5' };
    const found = await report([], { env });
    expect(expectOneProblem(found, 'unknown-option').remedy).toContain('dirty_decay_ms:5');
    expect(found.facts.conf.effective).toMatchObject([
      { key: 'narenas', value: '2', origin: { source: 'environment' } },
    ]);
    expect(found.facts.conf.ignored).toMatchObject([{ key: 'dirty_decay' }]);
  });

  test('an LD_PRELOAD that names nothing', async () => {
    const env = { JEMKIT_LIBRARY: jemallocLibrary(), LD_PRELOAD: '/nonexistent/libjemalloc.so.2' };
    expectOneProblem(await report([], { env }), 'preload-unusable');
  });

  test('shows where the shell sets the variables, and nothing else of the environment', async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, '.bashrc'), 'export LD_PRELOAD=/elsewhere.so\nexport API_TOKEN=hunter2\n');
    const { stdout } = await jem(['doctor', '--json'], {
      env: { HOME: home, JEMKIT_LIBRARY: jemallocLibrary(), API_TOKEN: 'hunter2' },
    });
    expect(stdout).toContain('/elsewhere.so');
    expect(stdout).not.toContain('hunter2');
  });
});

describe('a process', () => {
  test('under jemalloc', async () => {
    const program = await start(built('plain'), {
      env: { LD_PRELOAD: jemallocLibrary(), MALLOC_CONF: 'narenas:2', SECRET: 'hunter2' },
    });
    const { stdout, code } = await jem(['doctor', String(program.pid)]);
    expect(code).toBe(0);
    expect(stdout).toContain('serves malloc');
    expect(stdout).toContain('preloaded');
    expect(stdout).toMatch(/narenas +2 +\(MALLOC_CONF\)/);
    expect(stdout).not.toContain('hunter2');
    const found = await report([String(program.pid)]);
    expect(found.facts.identity).toMatchObject({
      allocator: 'jemalloc',
      evidence: 'got',
      standing: 'serving',
      arrival: 'preload',
    });
  });

  test('options compiled into the program, and the variable that beats one of them', async () => {
    const program = await start(built('configured'), { env: { MALLOC_CONF: 'narenas:5' } });
    const { facts } = await report([String(program.pid)]);
    expect(facts.identity).toMatchObject({ allocator: 'jemalloc', arrival: 'linked' });
    expect(facts.conf.effective).toMatchObject([
      { key: 'tcache', value: 'false', origin: { source: 'malloc_conf-symbol' } },
      { key: 'narenas', value: '5', origin: { source: 'environment' } },
    ]);
  });

  describe('without it: why', () => {
    const why = async (path: string, env: RunOptions['env'] = {}) => {
      const program = await start(path, { env });
      return report([String(program.pid)]);
    };

    test('the variable was not set', async () => {
      expectOneProblem(await why(built('plain')), 'preload-absent');
    });

    test('the library is missing', async () => {
      expectOneProblem(await why(built('plain'), { LD_PRELOAD: '/nonexistent/libjemalloc.so.2' }), 'preload-missing');
    });

    test('the library is no library', async () => {
      writeFileSync(built('libjemalloc.so.2'), 'text');
      expectOneProblem(await why(built('plain'), { LD_PRELOAD: built('libjemalloc.so.2') }), 'preload-not-a-library');
    });

    test('the library came later', async () => {
      const path = join(temporaryFolder(), 'libjemalloc.so.2');
      const program = await start(built('plain'), { env: { LD_PRELOAD: path } });
      copyFileSync(jemallocLibrary(), path);
      expectOneProblem(await report([String(program.pid)]), 'preload-came-later');
    });

    test('another comes first', async () => {
      const found = await why(built('plain'), { LD_PRELOAD: `${mimalloc()}:${jemallocLibrary()}` });
      expectOneProblem(found, 'mapped-not-serving');
    });

    test('a static program', async () => {
      expectOneProblem(await why(built('fixed'), { LD_PRELOAD: jemallocLibrary() }), 'static-program');
    });

    test('a musl program', async () => {
      expectOneProblem(await why(built('musl')), 'musl-program');
    });

    test('dropped by what started it', async () => {
      const parent = openProgram(process.execPath, ['-e', SPAWN], {
        env: { LD_PRELOAD: jemallocLibrary(), PROGRAM: built('plain') },
      });
      const child = Number(await parent.line());
      const problem = expectOneProblem(await report([String(child)]), 'preload-dropped');
      expect(problem.cause).toContain(`pid ${parent.pid}`);
    });

    test("pm2's daemon does not have it", async () => {
      const daemon = openProgram(process.execPath, ['-e', `process.title = 'PM2 v5.4.3: God Daemon (/x)'; ${SPAWN}`], {
        env: { PROGRAM: built('plain') },
      });
      const child = Number(await daemon.line());
      expect(expectOneProblem(await report([String(child)]), 'pm2-daemon').remedy).toContain('pm2 kill');
    });
  });

  test('a library that was replaced on disk', async () => {
    const path = join(temporaryFolder(), 'libjemalloc.so.2');
    copyFileSync(jemallocLibrary(), path);
    const program = await start(built('plain'), { env: { LD_PRELOAD: path } });
    rmSync(path);
    copyFileSync(jemallocLibrary(), path);
    const found = await report([String(program.pid)]);
    expect(found.code).toBe(0);
    expect(found.findings.map(({ id }) => id)).toEqual(['library-replaced']);
    expect(found.facts.identity).toMatchObject({ allocator: 'jemalloc', file: { path, deleted: true } });
  });

  test('a setuid program: the loader ignored the variable', async () => {
    if (!mayChangeUser) {
      // What an ordinary user can see of a setuid program is that he may not look into it.
      const program = openProgram('/usr/bin/su', []);
      const { code } = await jem(['doctor', String(program.pid)]);
      expect(code).toBe(3);
      return;
    }
    copyFileSync(built('plain'), built('elevated'));
    chmodSync(built('elevated'), 0o4755);
    const program = await start(built('elevated'), {
      uid: STRANGER,
      gid: STRANGER,
      env: { LD_PRELOAD: jemallocLibrary() },
    });
    expectOneProblem(await report([String(program.pid)]), 'secure-program');
  });

  test("another user's", async () => {
    const program = await start(built('plain'));
    const pid = mayChangeUser ? program.pid : 1;
    const { code, stderr, stdout } = await installForStrangers(folder)(['doctor', String(pid)]);
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toContain('may not be examined');
    expect(stderr).toContain(`sudo jem doctor ${pid}`);
  });
});

const SPAWN = `
const child = require('node:child_process').spawn(process.env.PROGRAM, [], { env: {}, stdio: ['pipe', 'pipe', 'inherit'] });
child.stdout.once('data', () => console.log(child.pid));
process.stdin.on('end', () => child.kill()).resume();`;

describe('what is no process to examine', () => {
  test.each(['0', 'abc', '-5', '1.5', '99999999', '4194305'])('%s is a usage error', async (word) => {
    const { code, stderr } = await jem(['doctor', word]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^jem: /);
  });

  test('two pids are a usage error', async () => expect((await jem(['doctor', '1', '2'])).code).toBe(2));

  test('a pid that is gone', async () => {
    const program = await start(built('plain'));
    await program.end();
    const { code, stderr } = await jem(['doctor', String(program.pid)]);
    expect(code).toBe(3);
    expect(stderr).toContain(`no process ${program.pid}`);
  });

  // In a container with processes of its own pid 2 is a process or nothing.
  test('a thread of the kernel', async () => {
    const { code, stderr } = await jem(['doctor', '2']);
    if (existsSync('/proc/2') && stderr.includes('kernel')) expect(stderr).toContain('kthreadd');
    else expect([0, 1, 3]).toContain(code);
  });
});

describe('a command', () => {
  const withLibrary = { env: { JEMKIT_LIBRARY: jemallocLibrary() } };

  test('is really started, up to its main() and no further', async () => {
    const trace = join(temporaryFolder(), 'ran');
    const found = await report(
      ['--', 'node', '-e', `require('fs').writeFileSync(${JSON.stringify(trace)}, '')`],
      withLibrary,
    );
    expect(found.code).toBe(0);
    expect(found.findings).toEqual([]);
    expect(found.facts.smoke).toMatchObject({ kind: 'works', serving: 'jemalloc' });
    expect(existsSync(trace)).toBe(false);
    const { stdout } = await jem(['doctor', '--', 'node', 'server.js'], withLibrary);
    expect(stdout).toContain('stopped before its main()');
  });

  test('a script leads to its interpreter', async () => {
    const script = join(temporaryFolder(), 'script');
    writeFileSync(script, '#!/usr/bin/env node\n', { mode: 0o755 });
    const found = await report(['--', script], withLibrary);
    expect(found.facts).toMatchObject({
      plan: { program: { target: { libc: 'glibc' } } },
      smoke: { serving: 'jemalloc' },
    });
  });

  test('options of the command are not ours', async () => {
    expect((await report(['--', 'node', '--version', '--json'], withLibrary)).facts['words']).toEqual([
      'node',
      '--version',
      '--json',
    ]);
  });

  test('a word that looks like a pid is a command behind --', async () => {
    const { code, stderr } = await jem(['doctor', '--', '4711']);
    expect(code).toBe(127);
    expect(stderr).toContain("'4711'");
  });

  test('a static program', async () => {
    expect(problems(await report(['--', built('fixed')], withLibrary))).toMatchObject([
      { id: 'program-unpreloadable', remedy: expect.any(String) },
    ]);
  });

  test('a musl program', async () => {
    const found = await report(['--', built('musl')], withLibrary);
    expect(found.code).toBe(1);
    expect(problems(found)[0]?.title).toContain('musl');
  });

  test('a library whose dependency is missing would be fatal, and is said to be', async () => {
    const broken = temporaryFolder();
    const [need, library] = [join(broken, 'libneed.so'), join(broken, 'libjemalloc.so.2')];
    writeFileSync(join(broken, 'n.c'), 'int need(void) { return 1; }');
    execFileSync('gcc', ['-shared', '-fPIC', join(broken, 'n.c'), '-o', need]);
    writeFileSync(join(broken, 'l.c'), 'extern int need(void); int use(void) { return need(); }');
    execFileSync('gcc', ['-shared', '-fPIC', join(broken, 'l.c'), '-o', library, need]);
    rmSync(need);
    const found = await report(['--', 'node'], { env: { JEMKIT_LIBRARY: library } });
    expect(found.code).toBe(1);
    expect(problems(found)[0]?.title).toContain('libneed.so');
  });

  test('no command, and a command that is not there', async () => {
    expect((await jem(['doctor', '--'])).code).toBe(2);
    expect((await jem(['doctor', '--', 'no-such-program-anywhere'])).code).toBe(127);
  });
});

test('a process that sees other files: the path does not exist there', async () => {
  if (!mayChangeUser) return void expect(mayChangeUser).toBe(false);
  const jail = temporaryFolder();
  const files = execFileSync('ldd', [built('plain')], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const file of [...files, built('plain')]) {
    mkdirSync(join(jail, dirname(file)), { recursive: true });
    copyFileSync(file, join(jail, file));
  }
  chmodSync(join(jail, built('plain')), 0o755);
  // An absolute link inside must not lead to a file of ours.
  mkdirSync(join(jail, 'opt'));
  symlinkSync(jemallocLibrary(), join(jail, 'opt/libjemalloc.so.2'));
  const program = openProgram('chroot', [jail, built('plain')], { env: { LD_PRELOAD: '/opt/libjemalloc.so.2' } });
  expect(await program.line()).toBe('ready');
  const problem = expectOneProblem(await report([String(program.pid)]), 'preload-missing');
  expect(problem.cause).toContain('container or chroot');
});
