import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PRESETS } from '../../src/model/malloc-conf-presets.js';
import { SHELLS, type Shell } from '../../src/outputs/shell-exports.js';
import { AGENT } from '../support/launching.js';
import { JEM, jem, jemallocLibrary, runProgram, temporaryFolder } from '../support/programs.js';

const library = jemallocLibrary();
// Any library that changes nothing serves as what was preloaded before.
const OTHER = 'libdl.so.2';

/** Strictest first: an entrypoint may run with `set -eu`. */
const STRICT: Readonly<Record<Shell, readonly string[]>> = { sh: ['-eu'], bash: ['-eu'], zsh: ['-eu'], fish: [] };

const printEnvironment = `'${process.execPath}' -p '[process.env.LD_PRELOAD, process.env.MALLOC_CONF].join("\\n")'`;

function evaluation(shell: Shell, options: string): string {
  const command = `'${process.execPath}' '${JEM}' env --library '${library}' ${options}`;
  return shell === 'fish' ? `eval (${command} --shell fish)` : `eval "$(${command} --shell ${shell})"`;
}

/** What a program sees that the shell starts after the statements. */
async function seenBy(
  shell: Shell,
  statements: readonly string[],
  env: Record<string, string> = {},
): Promise<string[]> {
  const script = [...statements, printEnvironment].join('\n');
  const { stdout, stderr, code } = await runProgram(shell, [...STRICT[shell], '-c', script], { env });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout.trimEnd().split('\n');
}

describe.each(SHELLS)('jem env in %s', (shell) => {
  test('exports library and options once, however often it is evaluated', async () => {
    const once = evaluation(shell, '--preset low-memory');
    expect(await seenBy(shell, [once, once])).toEqual([library, PRESETS['low-memory'].conf]);
  });

  test('puts the library in front of what is preloaded', async () => {
    const [preload] = await seenBy(shell, [evaluation(shell, '')], { LD_PRELOAD: OTHER });
    expect(preload).toBe(`${library}:${OTHER}`);
    const [inherited] = await seenBy(shell, [evaluation(shell, '')], { LD_PRELOAD: `${OTHER} ${library}` });
    expect(inherited).toBe(`${OTHER} ${library}`);
  });

  test('leaves a MALLOC_CONF that is there, unless options are named', async () => {
    const env = { MALLOC_CONF: 'narenas:3' };
    expect((await seenBy(shell, [evaluation(shell, '')], env))[1]).toBe('narenas:3');
    expect((await seenBy(shell, [evaluation(shell, '')]))[1]).toBe(PRESETS.balanced.conf);
    expect((await seenBy(shell, [evaluation(shell, '--preset none --conf narenas:5')], env))[1]).toBe('narenas:5');
  });

  test('hands on quotes and dollars as they are', async () => {
    const prefix = `/tmp/it's $HOME \\ "x"`;
    const { stdout } = await jem([
      'env',
      '--library',
      library,
      '--shell',
      shell,
      '--preset',
      'none',
      '--conf',
      `prof_prefix:${prefix}`,
    ]);
    expect((await seenBy(shell, [stdout]))[1]).toBe(`prof_prefix:${prefix}`);
  });

  test('--agent adds the agent behind the library, and leaves a JEMKIT_AGENT that is there', async () => {
    const once = evaluation(shell, '--agent');
    const show = (env: Record<string, string>) => seenBy(shell, [once, once, "printf '%s\\n' $JEMKIT_AGENT"], env);
    expect((await show({})).slice(0, 2)).toEqual(['auto', `${library}:${AGENT}`]);
    expect((await show({ JEMKIT_AGENT: '1' })).slice(0, 2)).toEqual(['1', `${library}:${AGENT}`]);
  });

  test('does no harm where there is no library', async () => {
    const command = `'${process.execPath}' '${JEM}' env --library /nowhere/libjemalloc.so.2 --shell ${shell} 2>/dev/null`;
    const statement = shell === 'fish' ? `eval (${command})` : `eval "$(${command})"`;
    expect(await seenBy(shell, [statement])).toEqual(['']);
  });

  test('--persist takes effect at the next start, survives the library’s end, and --undo restores every byte', async () => {
    const home = temporaryFolder();
    const own = join(home, 'libjemalloc.so.2');
    copyFileSync(library, own);
    const profile = { sh: '.profile', bash: '.bashrc', zsh: '.zshrc', fish: '.config/fish/config.fish' }[shell];
    const file = join(home, profile);
    mkdirSync(join(home, '.config', 'fish'), { recursive: true });
    writeFileSync(file, '# mine, without a line feed');
    const env = { HOME: home, SHELL: `/bin/${shell}`, XDG_CONFIG_HOME: undefined, ZDOTDIR: undefined };
    const persist = ['env', '--persist', '--library', own];

    const dry = await jem([...persist, '--dry-run'], { env });
    expect(dry.stderr).toContain(`would be written to ${file}`);
    expect(readFileSync(file, 'utf8')).toBe('# mine, without a line feed');

    const first = await jem(persist, { env });
    expect(first.code).toBe(0);
    expect(first.stderr).toContain(`written to ${file}; the file as it was: ${file}.jemkit-backup`);
    expect((await jem(persist, { env })).stderr).toContain('has this block already');

    const source = shell === 'sh' ? `. '${file}'` : `source '${file}'`;
    expect(await seenBy(shell, [source], { HOME: home })).toEqual([own, PRESETS.balanced.conf]);
    rmSync(own);
    expect(await seenBy(shell, [source], { HOME: home })).toEqual(['']);

    const undo = await jem(['env', '--undo'], { env });
    expect(undo.stderr).toContain(`taken out of ${file}`);
    expect(readFileSync(file, 'utf8')).toBe('# mine, without a line feed');
    expect(existsSync(`${file}.jemkit-backup`)).toBe(false);
  });
});

describe('jem env', () => {
  test('says on stderr why there is nothing, exit code 3', async () => {
    const { code, stdout, stderr } = await jem(['env', '--library', '/nowhere/libjemalloc.so.2']);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^# [^\n]*\n$/);
    expect(stderr).toContain('nothing to export: /nowhere/libjemalloc.so.2 cannot be used: there is no such file');
  });

  test('exports no library that would kill what the shell starts', async () => {
    const folder = temporaryFolder();
    const [missing, broken] = [join(folder, 'libmissing.so'), join(folder, 'libjemalloc.so.2')];
    const shared = (output: string, ...more: string[]) =>
      runProgram('cc', ['-shared', '-xc', '/dev/null', '-xnone', '-o', output, ...more]);
    await shared(missing);
    await shared(broken, '-Wl,--no-as-needed', missing);
    rmSync(missing);
    const { code, stdout, stderr } = await jem(['env', '--library', broken]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^# [^\n]*\n$/);
    expect(stderr).toContain('programs do not start with');
    expect(stderr).toContain('libmissing.so');
  });

  test('warns about a wrong option, and writes none for good', async () => {
    const home = temporaryFolder();
    const printed = await jem(['env', '--library', library, '--conf', 'narena:2']);
    expect(printed.code).toBe(0);
    expect(printed.stderr).toContain("has no option 'narena' (instead: narenas:2)");
    const written = await jem(['env', '--library', library, '--conf', 'narena:2', '--persist', '--shell', 'sh'], {
      env: { HOME: home },
    });
    expect(written.code).toBe(2);
    expect(existsSync(join(home, '.profile'))).toBe(false);
  });

  test('gives the parts as JSON', async () => {
    const { stdout } = await jem(['env', '--library', library, '--shell', 'sh', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      allocator: 'jemalloc',
      library,
      shell: 'sh',
      variables: { LD_PRELOAD: library, MALLOC_CONF: PRESETS.balanced.conf },
    });
  });

  test.each([
    [['--preset', 'fast'], /no preset 'fast'/],
    [['--agent', '--allocator', 'system'], /the agent tells of jemalloc/],
    [['--allocator', 'mimalloc', '--preset', 'minimal'], /reads neither --preset nor --conf/],
    [['--dry-run'], /--dry-run goes with/],
    [['--persist', '--allocator', 'system'], /needs no exports/],
    [['--persist', '--undo'], /cannot be used with/],
    [['--shell', 'csh'], /Allowed choices/],
  ])('%j is a usage error', async (args, message) => {
    const { code, stdout, stderr } = await jem(['env', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  test('needs to know the shell, and a home, to write for good', async () => {
    const shellless = await jem(['env', '--persist', '--library', library], { env: { SHELL: '/bin/false' } });
    expect([shellless.code, shellless.stderr]).toEqual([2, expect.stringContaining('--shell bash')]);
    const homeless = await jem(['env', '--persist', '--library', library, '--shell', 'sh'], {
      env: { HOME: undefined },
    });
    expect([homeless.code, homeless.stderr]).toEqual([3, expect.stringContaining('HOME is not set')]);
    const none = join(temporaryFolder(), 'none');
    const lost = await jem(['env', '--persist', '--library', library, '--shell', 'sh'], { env: { HOME: none } });
    expect([lost.code, lost.stderr]).toEqual([3, expect.stringContaining('which does not exist')]);
    expect(existsSync(none)).toBe(false);
  });
});
