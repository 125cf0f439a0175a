import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEFAULT_PRESET, PRESETS } from '../../src/model/malloc-conf-presets.js';
import { compileLibrary } from '../support/compile.js';
import { AGENT, folderForFile, launchEnvironment, libraryOf, PYTHON_OPT } from '../support/launching.js';
import { JEM, jem, jemallocLibrary, ROOT, runProgram } from '../support/programs.js';
import { openJem, servedBy } from '../support/running-program.js';

const PYTHON = '/usr/bin/python3';
const folder = folderForFile();
const env = launchEnvironment(join(folder, 'cache'));
const HOOK = compileLibrary(folder, 'libhook.so', 'int jm_test_hook(void) { return 1; }');

describe('MALLOC_CONF, as jemalloc itself has it then', () => {
  const show = `${PYTHON_OPT}
print(opt('narenas', c_uint), opt('dirty_decay_ms', c_ssize_t), opt('muzzy_decay_ms', c_ssize_t), opt('background_thread', c_bool))`;

  async function effective(options: readonly string[], conf?: string): Promise<string> {
    const { stdout, stderr, code } = await jem(['run', ...options, '--', PYTHON, '-c', show], {
      env: { ...env, MALLOC_CONF: conf },
    });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    return stdout.trim();
  }

  test('without options the default preset', async () => {
    expect(DEFAULT_PRESET).toBe('balanced');
    expect(await effective([])).toBe('4 1000 0 True');
  });

  test('another preset, or none', async () => {
    expect(await effective(['--preset', 'low-memory'])).toBe('2 500 0 True');
    expect(await effective(['--preset=none'])).toMatch(/^\d+ 10000 0 False$/);
  });

  test('the environment counts more than the preset, --conf more than both, each option by itself', async () => {
    expect(await effective([], 'narenas:3')).toBe('3 1000 0 True');
    expect(await effective(['--conf', 'dirty_decay_ms:7,narenas:1'], 'narenas:3,muzzy_decay_ms:9')).toBe('1 7 9 True');
    expect(await effective(['--preset', 'none', '--conf', 'narenas:1'], 'narenas:3')).toMatch(/^1 10000 0 False$/);
  });

  test('a preset that does not exist', async () => {
    expect(await jem(['run', '--preset', 'balaced', '--', 'true'], { env })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^jem: no preset 'balaced' \(expected balanced, .*\)\n {2}hint: jem conf presets\n$/,
      ),
    });
  });

  test.each([
    ['narena:2', /no option 'narena'/, 'narenas:2'],
    ['narenas:two', /narenas received 'two'/, ''],
    ['narenas: 2,tcache:flase', /tcache received 'flase'/, ''],
    [',narenas:2', /comma/, ''],
  ])('--conf %s is refused before anything starts', async (conf, message, remedy) => {
    const { code, stdout, stderr } = await jem(['run', '--conf', conf, '--', 'echo', 'started'], { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toContain(remedy);
    expect(stderr).toContain(`jem conf check ${/[ ]/.test(conf) ? `'${conf}'` : conf}`);
  });

  test('--conf is jemalloc’s', async () => {
    expect(await jem(['run', '--allocator', 'system', '--conf', 'narenas:2', '--', 'true'], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not of system'),
    });
  });
});

describe('LD_PRELOAD', () => {
  test('is prepended to, never overwritten', async () => {
    const { stdout } = await jem(['run', '--', 'sh', '-c', 'echo "$LD_PRELOAD"; grep -c libhook /proc/self/maps'], {
      env: { ...env, LD_PRELOAD: HOOK },
    });
    const [value, mapped] = stdout.split('\n');
    expect(value).toBe(`${jemallocLibrary()}:${AGENT}:${HOOK}`);
    expect(Number(mapped)).toBeGreaterThan(0);
  });

  test('another allocator in it is taken out, with a line: grep aborts under two', async () => {
    const mimalloc = libraryOf('mimalloc');
    const both = { ...env, LD_PRELOAD: `${mimalloc}:${HOOK}` };
    const running = openJem(['run', '--', 'sh', '-c', 'echo "$LD_PRELOAD"; read -r x'], { env: both });
    expect(await running.line()).toBe(`${jemallocLibrary()}:${AGENT}:${HOOK}`);
    expect(servedBy(running.pid)).toMatchObject({ allocator: 'jemalloc' });
    await running.end();
    expect(await jem(['run', '--', 'grep', '-c', 'jemkit', join(ROOT, 'package.json')], { env: both })).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`jem: ${mimalloc} is taken out of LD_PRELOAD`),
    });
  });

  test('the same library by another name is not added again', async () => {
    const link = join(folder, 'libjemalloc.so.2');
    symlinkSync(jemallocLibrary(), link);
    const { stdout } = await jem(['run', '--', 'sh', '-c', 'echo "$LD_PRELOAD"'], {
      env: { ...env, LD_PRELOAD: link },
    });
    expect(stdout).toBe(`${link}:${AGENT}\n`);
  });
});

describe('--agent', () => {
  const SHOW = 'echo "[$LD_PRELOAD][$JEMKIT_AGENT]"';

  async function shown(options: readonly string[], more: Record<string, string> = {}): Promise<string> {
    const { stdout, stderr, code } = await jem(['run', ...options, '--', 'sh', '-c', SHOW], {
      env: { ...env, ...more },
    });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    return stdout.trim();
  }

  const both = (hook = '') => `${jemallocLibrary()}:${AGENT}${hook}`;

  test('by default it is preloaded, and acts only in the programs it was proven on', async () => {
    expect(await shown([])).toBe(`[${both()}][auto]`);
  });

  test('--agent, --no-agent and JEMKIT_AGENT, of which the option counts more', async () => {
    expect(await shown(['--agent'])).toBe(`[${both()}][1]`);
    expect(await shown(['--no-agent'])).toBe(`[${jemallocLibrary()}][0]`);
    expect(await shown([], { JEMKIT_AGENT: '1' })).toBe(`[${both()}][1]`);
    expect(await shown([], { JEMKIT_AGENT: '0' })).toBe(`[${jemallocLibrary()}][0]`);
    expect(await shown([], { JEMKIT_AGENT: '' })).toBe(`[${both()}][auto]`);
    expect(await shown(['--agent'], { JEMKIT_AGENT: '0' })).toBe(`[${both()}][1]`);
    expect(await shown(['--no-agent'], { JEMKIT_AGENT: '1' })).toBe(`[${jemallocLibrary()}][0]`);
  });

  test('a jem run inside keeps what the outer one was told', async () => {
    const inner = [process.execPath, JEM, 'run', '--', 'sh', '-c', SHOW];
    for (const [option, seen] of [
      ['--agent', `[${both()}][1]`],
      ['--no-agent', `[${jemallocLibrary()}][0]`],
    ] as const)
      expect((await jem(['run', option, '--', ...inner], { env })).stdout.trim()).toBe(seen);
  });

  test('an agent of another jemkit that is preloaded already makes room: two would want one socket', async () => {
    const other = join(folder, 'libjemkit.so');
    copyFileSync(AGENT, other);
    expect(await shown([], { LD_PRELOAD: `${other}:${HOOK}` })).toBe(`[${both(`:${HOOK}`)}][auto]`);
    expect(await shown(['--no-agent'], { LD_PRELOAD: `${other}:${HOOK}` })).toBe(`[${jemallocLibrary()}:${HOOK}][0]`);
  });

  test('asked for without jemalloc to tell of, it says so, and fails only with --fallback=fail', async () => {
    const options = ['--agent', '--allocator', 'system'];
    expect(await jem(['run', ...options, '--', 'echo', 'ran'], { env })).toMatchObject({
      code: 0,
      stdout: 'ran\n',
      stderr: expect.stringMatching(/^jem: started without the agent: it tells of jemalloc, .*; remedy: .*\n$/),
    });
    expect(await jem(['run', ...options, '--fallback=silent', '--', 'echo', 'ran'], { env })).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await jem(['run', ...options, '--fallback=fail', '--', 'echo', 'ran'], { env })).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/^jem: not started, as the agent would be missing: /),
    });
    expect(await shown(['--allocator', 'system'])).toBe('[][]');
  });

  test('a fallback to the system’s allocator takes it along, with one line for both', async () => {
    const { stdout, stderr } = await jem(['run', '--agent', '--library', '/none.so', '--', 'sh', '-c', SHOW], { env });
    expect(stdout).toBe('[][]\n');
    expect(stderr).toMatch(/^jem: started without jemalloc: [^\n]*\n$/);
  });

  test('a value that is none is refused before anything starts', async () => {
    expect(await jem(['run', '--', 'echo', 'ran'], { env: { ...env, JEMKIT_AGENT: 'yes' } })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: "jem: JEMKIT_AGENT is 'yes' (expected 1, auto or 0)\n  hint: leave it out for auto\n",
    });
  });

  test('--print and --json say what becomes of it, and why', async () => {
    const print = async (...options: string[]) =>
      (await jem(['run', '--print', ...options, '--', 'sh'], { env })).stdout;
    expect(await print()).toContain(`\n# ${AGENT} is the agent, which acts in the programs it was proven on\n`);
    expect(await print('--agent')).toContain('which acts in every program\n');
    expect(await print('--no-agent')).not.toContain('# without the agent');
    expect(await print('--allocator', 'system')).toContain('# without the agent: it tells of jemalloc');
    expect(JSON.parse(await print('--json')).agent).toEqual({ kind: 'preloaded', mode: 'auto', path: AGENT });
    expect(JSON.parse(await print('--json', '--no-agent')).agent).toEqual({ kind: 'off' });
  });
});

describe('--no-children', () => {
  const SHOW =
    'echo "[$LD_PRELOAD][$MALLOC_CONF][$(env | grep -cE "^JEMKIT_(SCOPE|AGENT)")][$(grep -c libjemalloc /proc/self/maps)]"';
  const node = `const { execFileSync } = require('child_process'); const own = require('fs').readFileSync('/proc/self/maps', 'latin1').includes('libjemalloc');`;
  const parents: Record<string, readonly string[]> = {
    bash: ['bash', '-c', `echo "own=$(grep -c libjemalloc /proc/$$/maps)"; sh -c '${SHOW}'`],
    'a shell without own environment': ['sh', '-c', `echo "own=$(grep -c libjemalloc /proc/$$/maps)"; sh -c '${SHOW}'`],
    node: [
      process.execPath,
      '-e',
      `${node} console.log('own=' + Number(own)); process.stdout.write(execFileSync('sh', ['-c', process.argv[1]]))`,
      SHOW,
    ],
    ruby: [
      'ruby',
      '-e',
      `puts "own=" + File.read("/proc/self/maps").scan("libjemalloc").size.to_s; $stdout.flush; system("sh", "-c", ARGV[0])`,
      SHOW,
    ],
    python3: [
      PYTHON,
      '-c',
      'import subprocess, sys; print("own=%d" % open("/proc/self/maps").read().count("libjemalloc"), flush=True); subprocess.run(["sh", "-c", sys.argv[1]])',
      SHOW,
    ],
    'grandchildren of bash': [
      'bash',
      '-c',
      `echo "own=$(grep -c libjemalloc /proc/$$/maps)"; bash -c 'sh -c "$0"' '${SHOW}'`,
    ],
  };

  test.each(Object.keys(parents))('%s itself has jemalloc, what it starts has nothing of it', async (name) => {
    const { stdout, stderr, code } = await jem(['run', '--no-children', '--', ...(parents[name] ?? [])], { env });
    const [own, child] = stdout.split('\n');
    expect({ stderr, code, child }).toEqual({ stderr: '', code: 0, child: '[][][0][0]' });
    expect(Number(own?.replace('own=', ''))).toBeGreaterThan(0);
  });

  test('what was in the variables before stays in them', async () => {
    const before = { LD_PRELOAD: HOOK, MALLOC_CONF: 'narenas:3', JEMKIT_AGENT: '0' };
    for (const option of ['--agent', '--no-agent']) {
      const { stdout } = await jem(
        ['run', option, '--no-children', '--', 'bash', '-c', `sh -c '${SHOW}; echo $JEMKIT_AGENT'`],
        { env: { ...env, ...before } },
      );
      expect(stdout).toBe(`[${HOOK}][narenas:3][1][0]\n0\n`);
    }
  });

  test('an interpreter on the way still hands them on', async () => {
    const tool = join(folder, 'tool');
    writeFileSync(tool, `#!/usr/bin/env bash\necho "own=$(grep -c libjemalloc /proc/$$/maps)"; sh -c '${SHOW}'\n`);
    chmodSync(tool, 0o755);
    for (const command of [[tool], ['env', 'A=b', 'bash', tool]]) {
      const { stdout } = await jem(['run', '--no-children', '--', ...command], { env });
      expect(stdout).toMatch(/^own=[1-9]\d*\n\[\]\[\]\[0\]\[0\]\n$/);
    }
  });
});

describe('--print', () => {
  test('shows a line that does the same, and runs nothing', async () => {
    const marker = join(folder, 'a b');
    mkdirSync(marker, { recursive: true });
    const command = ['sh', '-c', 'echo "$LD_PRELOAD|$MALLOC_CONF|$*"; pwd', 'x', "it's", '', '$HOME', 'é'];
    const printed = await jem(['run', '--print', '--', ...command], { env, cwd: marker });
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(printed.stdout).toContain(`# ${jemallocLibrary()} (found by: JEMKIT_LIBRARY)`);
    const run = await jem(['run', '--', ...command], { env, cwd: marker });
    expect(run.stdout).toContain("|it's  $HOME é");
    expect(await runProgram('sh', ['-c', printed.stdout], { cwd: marker })).toEqual(run);
  });

  test('of a program that falls back, with the reason as a comment', async () => {
    const { code, stdout, stderr } = await jem(['run', '--print', '--library', '/none.so', '--', 'echo', 'x'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^# without jemalloc: \/none\.so cannot be used: there is no such file; remedy: .*\n\/\S*\/echo x\n$/,
    );
  });

  test('--json is the whole plan', async () => {
    const { stdout } = await jem(['run', '--print', '--json', '--', 'sh'], { env });
    expect(JSON.parse(stdout)).toMatchObject({
      allocator: 'jemalloc',
      librarySource: 'JEMKIT_LIBRARY',
      library: { path: jemallocLibrary(), architecture: process.arch, libc: 'glibc' },
      probe: { kind: 'works', serving: 'jemalloc' },
      environment: { MALLOC_CONF: `${PRESETS.balanced.conf},prof:true,prof_active:false` },
      profiling: { kind: 'ready' },
      program: { throughShell: false },
    });
  });

  test('--json alone is a mistake', async () => {
    expect(await jem(['run', '--json', '--', 'true'], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--print'),
    });
  });
});

describe('--allocator', () => {
  test.each(['mimalloc', 'tcmalloc'] as const)('%s serves', async (allocator) => {
    const running = openJem(
      ['run', '--allocator', allocator, '--', 'sh', '-c', 'echo ready "$MALLOC_CONF"; read -r x; exit 0'],
      { env: { ...env, JEMKIT_LIBRARY: libraryOf(allocator) } },
    );
    expect(await running.line()).toBe('ready ');
    expect(servedBy(running.pid)).toMatchObject({ allocator, evidence: 'got', standing: 'serving' });
    expect(await running.end()).toMatchObject({ code: 0, stderr: '' });
  });

  test('the probe knows each of them', async () => {
    for (const allocator of ['mimalloc', 'tcmalloc'] as const) {
      const { stdout } = await jem(
        ['run', '--print', '--json', '--allocator', allocator, '--library', libraryOf(allocator), '--', 'sh'],
        { env },
      );
      expect(JSON.parse(stdout).probe).toMatchObject({
        kind: 'works',
        serving: allocator,
        version: expect.stringMatching(/^\d+\.\d+/),
      });
    }
  });

  test('system takes an allocator out', async () => {
    const running = openJem(['run', '--allocator=system', '--', 'sh', '-c', 'echo "[$LD_PRELOAD]"; read -r x'], {
      env: { ...env, LD_PRELOAD: jemallocLibrary() },
    });
    expect(await running.line()).toBe('[]');
    expect(servedBy(running.pid)).toMatchObject({ allocator: 'system' });
    await running.end();
  });

  test('one that does not exist', async () => {
    expect(await jem(['run', '--allocator', 'dlmalloc', '--', 'true'], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Allowed choices are jemalloc, mimalloc, tcmalloc, system'),
    });
  });
});

describe('--fallback', () => {
  const none = ['--library', '/no/such/library.so'];
  test('warn is the default: one line with cause and remedy, and the program runs', async () => {
    expect(await jem(['run', ...none, '--', 'sh', '-c', 'echo ran; exit 5'], { env })).toEqual({
      code: 5,
      signal: null,
      stdout: 'ran\n',
      stderr:
        'jem: started without jemalloc: /no/such/library.so cannot be used: there is no such file; remedy: name another file with --library, or leave the option out to search\n',
    });
  });

  test('silent', async () => {
    expect(await jem(['run', ...none, '--fallback', 'silent', '--', 'echo', 'ran'], { env })).toMatchObject({
      code: 0,
      stdout: 'ran\n',
      stderr: '',
    });
  });

  test('fail', async () => {
    const { code, stdout, stderr } = await jem(['run', ...none, '--fallback=fail', '--', 'echo', 'ran'], { env });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^jem: not started: .*there is no such file\n {2}hint: name another file/);
  });

  test('no library at all', async () => {
    const { stderr } = await jem(['run', '--allocator', 'mimalloc', '--', 'true'], {
      env: { ...env, JEMKIT_LIBRARY: undefined, JEMKIT_CACHE_DIR: folder, JEMKIT_TEST: '1' },
    });
    // Where the machine has one, there is nothing to say.
    if (stderr !== '')
      expect(stderr).toBe(
        'jem: started without mimalloc: no mimalloc library was found; remedy: jem install --allocator mimalloc\n',
      );
  });
});

describe('the command line itself', () => {
  test('help, and what commander says of mistakes', async () => {
    expect(await jem(['run', '--help'], { env })).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('Usage: jem run [options] <command...>'),
    });
    expect(await jem(['run'], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("missing required argument 'command'"),
    });
    expect(await jem(['run', '--confg', 'x', '--', 'true'], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean --conf?'),
    });
  });
});
