import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { installedLibraryPath } from '../../src/sources/process/jemkit-folders.js';
import { compile, compileLibrary } from '../support/compile.js';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { type Finished, JEM, jem, jemallocLibrary, ROOT, runProgram } from '../support/programs.js';

const PYTHON = '/usr/bin/python3';
const folder = folderForFile();
const env = launchEnvironment(join(folder, 'cache'));
const RAN = { code: 0, signal: null, stdout: 'ran\n' };

/** Runs `echo ran` in a program of its own with this library, and gives the one line that says why it is not used. */
async function fallbackWith(
  library: string,
  command: readonly string[] = ['echo', 'ran'],
  changes: Record<string, string | undefined> = {},
): Promise<string> {
  const result = await jem(['run', '--library', library, '--', ...command], { env: { ...env, ...changes } });
  expect(result).toMatchObject(RAN);
  expect(result.stderr).toMatch(/^jem: started without jemalloc: [^\n]+; remedy: [^\n]+\n$/);
  return result.stderr;
}

function file(name: string, content: string | Buffer, mode = 0o755): string {
  const path = join(mkdtempSync(join(folder, 'f-')), name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

describe('programs that cannot be started: the shell’s exit codes, and nothing else happens', () => {
  test.each([
    ['no-such-program', 127, "no program 'no-such-program': it is in no folder of PATH"],
    ['./no/such/program', 127, "no program './no/such/program': it is not a file"],
    ['', 127, "no program ''"],
    ['/tmp', 126, 'cannot execute /tmp: it is not a file'],
  ])('%j', async (program, code, message) => {
    const result = await jem(['run', '--', program, 'x'], { env });
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(`jem: ${message}`) });
    expect(result.stderr).toContain('\n  hint: ');
  });

  test('a script from Windows', async () => {
    const path = file('windows', '#!/bin/sh\r\necho ran\r\n');
    expect(await jem(['run', '--', path], { env })).toMatchObject({
      code: 126,
      stderr: expect.stringContaining('its first line ends in CR LF'),
    });
  });

  test('a file without the execute bit, with the command that gives it', async () => {
    const path = file('tool', '#!/bin/sh\n', 0o644);
    expect(await jem(['run', '--', path], { env })).toMatchObject({
      code: 126,
      stderr: expect.stringContaining(`chmod +x ${path}`),
    });
  });

  test('a script whose interpreter is missing', async () => {
    const path = file('tool', '#!/no/interpreter\n');
    expect(await jem(['run', '--', path], { env })).toMatchObject({
      code: 126,
      stderr: expect.stringContaining('its first line names /no/interpreter, which does not exist'),
    });
  });

  test('a script whose env finds nothing ends as env ends', async () => {
    const path = file('tool', '#!/usr/bin/env no-such-interpreter\n');
    expect(await jem(['run', '--', path], { env })).toMatchObject({
      code: 127,
      stderr: expect.stringContaining('no-such-interpreter'),
    });
  });

  test('what is neither a program nor a script', async () => {
    const result = await jem(['run', '--fallback=silent', '--', file('data', Buffer.from([1, 0, 2, 3]))], { env });
    expect(result).toMatchObject({ code: 126, stderr: expect.stringContaining('the kernel says ENOEXEC') });
  });

  test('a program for another machine', async () => {
    const program = readFileSync('/bin/true');
    program.writeUInt16LE(183, 18);
    const result = await jem(['run', '--fallback=silent', '--', file('true', program)], { env });
    expect(result).toMatchObject({ code: 126, stderr: expect.stringContaining('ENOEXEC') });
  });

  test('arguments that are too long for the kernel', async () => {
    // As many bytes as still start jem: with what --no-children adds to the environment the program has too many.
    const caller = `import errno, os, sys
for length in range(131000, 0, -16):
    try:
        os.execv(sys.argv[1], sys.argv[1:] + ["x" * 131000] * 15 + ["y" * length])
    except OSError as error:
        if error.errno != errno.E2BIG: raise`;
    const line = 'ulimit -s 8192; exec "$@"';
    const command = [process.execPath, JEM, 'run', '--no-children', '--', 'true'];
    const result = await runProgram('sh', ['-c', line, 'sh', PYTHON, '-c', caller, ...command], { env });
    expect(result).toMatchObject({
      code: 126,
      stderr: expect.stringMatching(/E2BIG\n {2}hint: fewer or shorter arguments/),
    });
  });
});

describe('libraries that cannot be used: one line, and the system allocator', () => {
  test('for another architecture', async () => {
    const library = readFileSync(jemallocLibrary());
    library.writeUInt16LE(183, 18);
    expect(await fallbackWith(file('libjemalloc.so.2', library))).toContain(
      'it is built for arm64, the program for x64',
    );
  });

  test('cut short behind its headers, so that only a real start shows it', async () => {
    const whole = readFileSync(jemallocLibrary());
    expect(await fallbackWith(file('libjemalloc.so.2', whole.subarray(0, 40)))).toContain(
      'its ELF headers are damaged',
    );
    expect(await fallbackWith(file('libjemalloc.so.2', whole.subarray(0, Math.floor(whole.length / 3))))).toMatch(
      /does not start with|malloc stays with system|damaged/,
    );
  });

  test('text', async () => {
    expect(await fallbackWith(file('libjemalloc.so.2', 'hello\n'))).toContain('it is not an ELF file');
  });

  test.each(['a b', 'a:b'])('in a folder named %j', async (name) => {
    const path = join(folder, name, 'libjemalloc.so.2');
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(jemallocLibrary(), path);
    expect(await fallbackWith(path)).toContain('its path has a space or a colon');
    const result = await jem(['run', '--', 'echo', 'ran'], { env: { ...env, JEMKIT_LIBRARY: path } });
    expect(result).toMatchObject({ ...RAN, stderr: expect.stringContaining('unset JEMKIT_LIBRARY') });
  });

  test('of which a dependency is missing', async () => {
    const here = mkdtempSync(join(folder, 'dep-'));
    const dependency = compileLibrary(here, 'libgone.so', 'int gone(void) { return 1; }', ['-Wl,-soname,libgone.so']);
    const library = compileLibrary(here, 'libjemalloc.so.2', 'int gone(void); int use(void) { return gone(); }', [
      dependency,
    ]);
    rmSync(dependency);
    const line = await fallbackWith(library);
    expect(line).toContain('(exit code 127)');
    expect(line).toContain('install the package that has libgone.so');
  });

  test('that needs a symbol version which is not there', async () => {
    const here = mkdtempSync(join(folder, 'ver-'));
    const build = (version: string) => {
      writeFileSync(join(here, 'map'), `${version} { global: versioned; };\n`);
      return compileLibrary(here, 'libver.so', 'int versioned(void) { return 1; }', [
        '-Wl,-soname,libver.so',
        `-Wl,--version-script,${join(here, 'map')}`,
      ]);
    };
    const library = compileLibrary(
      here,
      'libjemalloc.so.2',
      'int versioned(void); int use(void) { return versioned(); }',
      [build('VER_2'), `-Wl,-rpath,${here}`],
    );
    build('VER_1');
    expect(await fallbackWith(library)).toMatch(/exit code 1\).*VER_2.*not found/);
  });

  test.each([
    ['SIGSEGV', '*(volatile int *)8 = 1;'],
    ['SIGABRT', '__builtin_trap();'],
    ['SIGKILL', 'for (;;) kill(getpid(), SIGKILL);'],
  ])('whose constructor ends in %s', async (_signal, body) => {
    const source = `#include <signal.h>\n#include <unistd.h>\n__attribute__((constructor)) static void start(void) { ${body} }`;
    const library = compileLibrary(mkdtempSync(join(folder, 'crash-')), 'libjemalloc.so.2', source);
    expect(await fallbackWith(library)).toMatch(/does not start with .* \(signal SIG[A-Z]+\)/);
  });

  test('that loads and has no malloc', async () => {
    const library = compileLibrary(mkdtempSync(join(folder, 'idle-')), 'libjemalloc.so.2', 'int idle;');
    expect(await fallbackWith(library)).toContain('loads into /usr/bin/echo, but malloc stays with system');
  });

  test('after the missing dependency came, the next start uses it: failures are not remembered', async () => {
    const here = mkdtempSync(join(folder, 'late-'));
    const dependency = compileLibrary(here, 'liblate.so', 'int late(void) { return 1; }', ['-Wl,-soname,liblate.so']);
    const kept = readFileSync(dependency);
    const library = compileLibrary(here, 'libidle.so', 'int late(void); int use(void) { return late(); }', [
      dependency,
      `-Wl,-rpath,${here}`,
    ]);
    rmSync(dependency);
    expect(await fallbackWith(library)).toContain('liblate.so');
    writeFileSync(dependency, kept);
    expect(await fallbackWith(library)).toContain('malloc stays with system');
  });
});

describe('programs that take no preloaded library: one line, and they run', () => {
  const HELLO = '#include <stdio.h>\nint main(void) { puts("ran"); return 0; }';

  test('built for musl', async () => {
    const program = compile(folder, 'musl-program', HELLO, [], 'musl-gcc');
    expect(await fallbackWith(jemallocLibrary(), [program])).toContain('it is built for glibc, the program for musl');
  });

  test('statically linked', async () => {
    const program = compile(folder, 'static-program', HELLO, ['-static']);
    expect(await fallbackWith(jemallocLibrary(), [program])).toContain(`${program} is statically linked`);
  });

  test('behind an env that drops the variable', async () => {
    expect(await fallbackWith(jemallocLibrary(), ['env', '-i', '/bin/echo', 'ran'])).toContain('drops the environment');
  });
});

describe('MALLOC_CONF of the environment', () => {
  test('with abort_conf and a bad pair would end the program: it runs without jemalloc, and the line names the pair', async () => {
    const conf = 'abort_conf:true,narena:2';
    const line = await fallbackWith(jemallocLibrary(), ['echo', 'ran'], { MALLOC_CONF: conf });
    expect(line).toMatch(/jemalloc ends \S+echo because of MALLOC_CONF .*narena:2/);
    expect(line).toContain('jem conf check');
  });

  test('with a typo jemalloc itself warns, and the program runs under it', async () => {
    const result = await jem(['run', '--', 'echo', 'ran'], { env: { ...env, MALLOC_CONF: 'narena:2' } });
    expect(result).toMatchObject({
      ...RAN,
      stderr: expect.stringContaining('<jemalloc>: Invalid conf pair: narena:2'),
    });
  });
});

describe('the cache of probes', () => {
  const started = (result: Finished) => expect(result).toMatchObject({ ...RAN, stderr: '' });
  const run = (changes: Record<string, string | undefined>, cwd?: string) =>
    jem(['run', '--', 'echo', 'ran'], { env: { ...env, ...changes }, ...(cwd ? { cwd } : {}) });

  test.each([
    '',
    '{',
    'null',
    '[]',
    '{"version":1}',
    '{"version":1,"probes":null}',
    '{"version":1,"probes":[]}',
    '{"version":9,"probes":{}}',
    '\0\0',
  ])('damaged as %j', async (content) => {
    const cache = mkdtempSync(join(folder, 'cache-'));
    writeFileSync(join(cache, 'probes.json'), content);
    started(await run({ JEMKIT_CACHE_DIR: cache }));
    expect(JSON.parse(readFileSync(join(cache, 'probes.json'), 'utf8'))).toMatchObject({ version: 1 });
  });

  test('with entries that are no probes', async () => {
    const cache = mkdtempSync(join(folder, 'cache-'));
    started(await run({ JEMKIT_CACHE_DIR: cache }));
    const path = join(cache, 'probes.json');
    const { probes } = JSON.parse(readFileSync(path, 'utf8')) as { probes: Record<string, unknown> };
    const [key = ''] = Object.keys(probes);
    writeFileSync(path, JSON.stringify({ version: 1, probes: { [key]: 'works' } }));
    const { stdout } = await jem(['run', '--print', '--json', '--', 'echo'], {
      env: { ...env, JEMKIT_CACHE_DIR: cache },
    });
    expect(JSON.parse(stdout).probe).toMatchObject({ kind: 'works', serving: 'jemalloc' });
  });

  test('in a folder that cannot be made', async () => {
    started(await run({ JEMKIT_CACHE_DIR: '/proc/none' }));
    started(await run({ JEMKIT_CACHE_DIR: join(file('plain', ''), 'below') }));
  });

  test('named relative to the working directory', async () => {
    const cwd = mkdtempSync(join(folder, 'cwd-'));
    started(await run({ JEMKIT_CACHE_DIR: 'own cache' }, cwd));
    expect(JSON.parse(readFileSync(join(cwd, 'own cache', 'probes.json'), 'utf8')).version).toBe(1);
  });

  test('without HOME', async () => {
    started(await run({ HOME: undefined, XDG_CACHE_HOME: undefined, JEMKIT_CACHE_DIR: undefined }));
    started(await run({ HOME: 'relative', XDG_CACHE_HOME: undefined, JEMKIT_CACHE_DIR: undefined }));
  });

  test('many starts at once leave it whole', async () => {
    const cache = mkdtempSync(join(folder, 'cache-'));
    const all = await Promise.all(Array.from({ length: 6 }, () => run({ JEMKIT_CACHE_DIR: cache })));
    for (const result of all) started(result);
    expect(JSON.parse(readFileSync(join(cache, 'probes.json'), 'utf8'))).toMatchObject({ version: 1 });
  });

  test('a changed library is tried again', async () => {
    const library = join(mkdtempSync(join(folder, 'changing-')), 'libjemalloc.so.2');
    copyFileSync(jemallocLibrary(), library);
    expect(await jem(['run', '--library', library, '--', 'echo', 'ran'], { env })).toMatchObject({
      ...RAN,
      stderr: '',
    });
    rmSync(library);
    symlinkSync(compileLibrary(dirname(library), 'libidle.so', 'int idle;'), library);
    expect(await fallbackWith(library)).toContain('malloc stays with system');
  });
});

/** A library that the loader cannot load, because one it depends on is gone. */
function libraryWithoutDependency(): string {
  const own = mkdtempSync(join(folder, 'dependent-'));
  const dependency = compileLibrary(own, 'libdependency.so', 'int jm_dependency(void) { return 1; }', [
    '-Wl,-soname,libdependency.so',
  ]);
  const source = 'int jm_dependency(void); int jm_test(void) { return jm_dependency(); }';
  const path = compileLibrary(own, 'libjemalloc.so.2', source, [dependency]);
  rmSync(dependency);
  return path;
}

describe('an installation of jemkit that is not whole', () => {
  /** What the package holds, elsewhere. */
  function installation(
    name: string,
    parts: readonly string[] = ['dist', 'prebuilds', 'package.json', 'node_modules/commander'],
  ): string {
    const root = join(mkdtempSync(join(folder, 'installed-')), name);
    for (const part of parts) cpSync(join(ROOT, part), join(root, part), { recursive: true });
    return root;
  }
  const run = (root: string, args: readonly string[]) =>
    runProgram(process.execPath, [join(root, 'dist/cli/main.cjs'), 'run', ...args], { env });

  /** A program that counts in a file how often it was started. */
  function countingProgram(root: string): { program: string; count: () => number } {
    const runs = join(root, 'runs');
    const source = `#include <stdio.h>
int main(void) { FILE *f = fopen("${runs}", "a"); fputc('x', f); fclose(f); puts("ran"); return 0; }`;
    return { program: compile(root, 'counting', source), count: () => readFileSync(runs).length };
  }

  test('without its native part the program runs as a child: same exit code, same signal, and a line that says so', async () => {
    const root = installation('jemkit', ['dist', 'package.json', 'node_modules/commander']);
    const show = 'echo "$LD_PRELOAD" "$1"; exit 7';
    expect(await run(root, ['--', 'sh', '-c', show, 'x', 'a b'])).toMatchObject({
      code: 7,
      stdout: `${jemallocLibrary()} a b\n`,
      stderr: expect.stringContaining('npm rebuild jemkit'),
    });
    // The loader is asked for its list instead of a start.
    expect(await run(root, ['--library', libraryWithoutDependency(), '--', 'echo', 'ran'])).toMatchObject({
      ...RAN,
      stderr: expect.stringMatching(/started without jemalloc: .*libdependency\.so: cannot open shared object file/),
    });
    expect(await run(root, ['--', 'sh', '-c', 'kill -TERM $$'])).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(await run(root, ['--no-children', '--', 'true'])).toMatchObject({
      code: 70,
      stderr: expect.stringContaining('npm rebuild jemkit'),
    });
  });

  test('in a folder with a space the library is tried all the same', async () => {
    const root = installation('a b');
    expect(await run(root, ['--', 'sh', '-c', 'echo "$LD_PRELOAD"'])).toMatchObject({
      code: 0,
      stdout: `${jemallocLibrary()}\n`,
      stderr: '',
    });
    expect(await run(root, ['--library', libraryWithoutDependency(), '--', 'echo', 'ran'])).toMatchObject({
      ...RAN,
      stderr: expect.stringContaining('cannot open shared object file'),
    });
    expect(await run(root, ['--no-children', '--', 'true'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('spaces and colons'),
    });
  });

  test('a program is started once: trying it never runs it, a damaged helper library included', async () => {
    for (const damaged of [false, true]) {
      const root = installation('jemkit');
      const { program, count } = countingProgram(root);
      const agent = join(root, 'prebuilds', `linux-${process.arch}-glibc`, 'libjemkit.so');
      if (damaged) writeFileSync(agent, readFileSync(agent).subarray(0, 500));
      expect(await run(root, ['--', program])).toMatchObject({ ...RAN, stderr: '' });
      expect(count()).toBe(1);
    }
  });
});

// Another user can only be played by root; elsewhere these two questions do not arise in a test.
describe.runIf(process.geteuid?.() === 0)('other users', () => {
  const NOBODY = 65534;
  let checkout: string;
  let home: string;

  beforeAll(() => {
    // What the package holds, where everybody can read it, whoever owns the checkout.
    checkout = join(folder, 'checkout');
    chmodSync(folder, 0o755);
    for (const name of ['dist', 'prebuilds', 'package.json', 'node_modules/commander'])
      cpSync(join(ROOT, name), join(checkout, name), { recursive: true });
    home = join(folder, 'nobody');
    mkdirSync(home);
    chownSync(home, NOBODY, NOBODY);
  });

  function asNobody(args: readonly string[], changes: Record<string, string | undefined> = {}) {
    return runProgram(process.execPath, [join(checkout, 'dist/cli/main.cjs'), 'run', ...args], {
      env: { ...env, JEMKIT_CACHE_DIR: undefined, HOME: home, ...changes },
      uid: NOBODY,
      gid: NOBODY,
    });
  }

  const readable = () => {
    const path = join(folder, 'libjemalloc.so.2');
    copyFileSync(jemallocLibrary(), path);
    chmodSync(path, 0o644);
    return path;
  };

  test('an unreadable library', async () => {
    const library = file('libjemalloc.so.2', readFileSync(jemallocLibrary()), 0o600);
    chmodSync(dirname(library), 0o755);
    expect(await asNobody(['--library', library, '--', 'echo', 'ran'])).toMatchObject({
      ...RAN,
      stderr: expect.stringContaining('it cannot be read (EACCES)'),
    });
  });

  test('a setuid program and one with file capabilities', async () => {
    const options = ['--library', readable(), '--'];
    const setuid = join(folder, 'setuid-echo');
    copyFileSync('/bin/echo', setuid);
    chmodSync(setuid, 0o4755);
    expect(await asNobody([...options, setuid, 'ran'])).toMatchObject({
      ...RAN,
      stderr: expect.stringContaining(`${setuid} is setuid or setgid`),
    });

    const capable = join(folder, 'capable-echo');
    copyFileSync('/bin/echo', capable);
    chmodSync(capable, 0o755);
    expect(spawnSync('setcap', ['cap_net_bind_service=ep', capable]).status).toBe(0);
    expect(await asNobody([...options, capable, 'ran'])).toMatchObject({
      ...RAN,
      stderr: expect.stringContaining(`${capable} has file capabilities`),
    });
  });

  test('a home that cannot be written', async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o555 });
    expect(
      await asNobody(['--library', readable(), '--', 'echo', 'ran'], { HOME: closed, XDG_CACHE_HOME: undefined }),
    ).toMatchObject({ ...RAN, stderr: '' });
  });

  test('a library in the cache that another user could change is not taken', async () => {
    const cache = join(folder, 'shared-cache');
    const path = installedLibraryPath(cache, 'jemalloc', `${process.arch}-glibc`);
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(jemallocLibrary(), path);
    const chosen = async () => {
      const { stdout } = await jem(['run', '--print', '--json', '--', 'echo'], {
        env: { ...env, JEMKIT_LIBRARY: undefined, JEMKIT_CACHE_DIR: cache },
      });
      return JSON.parse(stdout).library?.path as string | undefined;
    };
    expect(await chosen()).toBe(path);
    chownSync(path, 12345, 12345);
    expect(await chosen()).not.toBe(path);
  });
});
