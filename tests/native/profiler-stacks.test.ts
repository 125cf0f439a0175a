import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { dumpStacks, functionsOf, splitCapture } from '../support/captures.js';
import { compile, compileLibrary } from '../support/compile.js';
import { AGENT, folderForFile } from '../support/launching.js';
import { jemallocLibrary, ROOT, runProgram } from '../support/programs.js';

const folder = folderForFile();
const SHARED = join(ROOT, 'native', 'shared');
const SOURCE = readFileSync(join(ROOT, 'tests', 'native', 'profile-host.c'), 'utf8');
const TRUNCATED = 0x10000000000003n;
const THROUGH =
  '__attribute__((noinline)) void through(void (*call)(void)) { call(); __asm__ volatile("" ::: "memory"); }';
const SHARED_SOURCES = ['unwind.c', 'unwind-rows.c', 'unwind-stack.c', 'unwind-tables.c'];
const plain = ['-pthread', '-no-pie', '-O2', '-fomit-frame-pointer', '-ldl'];

let program: string;
let kept: string;
let tableless: string;
let pointers: string;
let sanitized: string;
beforeAll(() => {
  program = compile(folder, 'host', SOURCE, plain);
  kept = compileLibrary(folder, 'kept.so', THROUGH);
  const without = ['-fno-unwind-tables', '-fno-asynchronous-unwind-tables', '-O1'];
  tableless = compileLibrary(folder, 'tableless.so', THROUGH, [...without, '-fomit-frame-pointer']);
  pointers = compileLibrary(folder, 'pointers.so', THROUGH, [...without, '-fno-omit-frame-pointer']);
  const none = readFileSync(join(ROOT, 'tests', 'support', 'no-v8.c'), 'utf8');
  writeFileSync(join(folder, 'no-v8.c'), none);
  sanitized = compile(folder, 'direct', SOURCE, [
    '-DDIRECT',
    '-g',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
    '-pthread',
    '-no-pie',
    '-fno-omit-frame-pointer',
    '-I',
    SHARED,
    join(folder, 'no-v8.c'),
    ...SHARED_SOURCES.map((name) => join(SHARED, name)),
    '-ldl',
  ]);
});

/** The chains of named functions below the program's blocks, innermost first, up to main. */
function chainsOf(stacks: ReturnType<typeof dumpStacks>, binary = program): string[] {
  const nameOf = functionsOf(binary);
  return stacks
    .map(({ frames }) => frames.flatMap((frame) => (frame === TRUNCATED ? ['…'] : (nameOf(frame) ?? []))))
    .filter((names) => names[0] === 'leaf')
    .map((names) => names.filter((name) => !/^(_start|_dl_relocate_static_pie|run_\w+)$/.test(name)).join(' '))
    .sort();
}

/** Runs a mode from its start to a capture at its end. */
async function capture(
  mode: readonly string[],
  name: string = mode.join('-').replaceAll('/', '_'),
  binary: string = program,
) {
  const path = join(folder, `${name}.heap`);
  const { code, signal, stderr } = await runProgram(binary, mode, {
    env: {
      LD_PRELOAD: `${jemallocLibrary()} ${AGENT}`,
      MALLOC_CONF: 'prof:true,prof_active:true,lg_prof_sample:0',
      JEMKIT_PROFILE: '1',
      JEMKIT_PROFILE_AT_EXIT: path,
    },
  });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(existsSync(`${path}.partial`)).toBe(false);
  return splitCapture(readFileSync(path, 'utf8'));
}

const recursion = (depth: number) => ['leaf', 'middle', ...Array.from({ length: depth + 1 }, () => 'recurse')];

describe('the chain of calls', () => {
  test.each([
    ['a recursion', ['recurse', '20'], [...recursion(20), 'main']],
    ['a frame that the compiler aligned', ['aligned'], ['leaf', 'middle', 'aligned', 'main']],
    ['a thread', ['thread'], [...recursion(3), 'on_thread']],
    ['a stack that the program made', ['fiber'], [...recursion(3), 'on_fiber']],
    ['a signal on a stack of its own', ['signal'], ['leaf', 'middle', 'on_signal', 'raised', 'main']],
  ])('of %s is whole, without frame pointers', async (_what, mode, chain) => {
    const { stacks, head } = await capture(mode);
    expect(chainsOf(stacks)).toEqual([chain.join(' ')]);
    expect(head.get('truncated')).toBe('0');
  });

  test('goes through a library’s function, which called back', async () => {
    expect(new Set(chainsOf((await capture(['callback'])).stacks))).toEqual(new Set(['leaf middle compared main']));
    expect(chainsOf((await capture(['library', kept])).stacks)).toEqual(['leaf middle main']);
  });

  test('goes by frame pointers where a library has no tables, and ends where it has neither', async () => {
    expect(chainsOf((await capture(['library', pointers])).stacks)).toEqual(['leaf middle main']);
    const { stacks } = await capture(['library', tableless]);
    expect(chainsOf(stacks)[0]).toMatch(/^leaf middle/);
  });

  test('ends where a crash handler finds no stack any more', async () => {
    const { stacks, head } = await capture(['lost']);
    expect(chainsOf(stacks)).toEqual(['leaf middle on_lost lose_stack']);
    expect(head.get('truncated')).toBe('1');
  });

  test('is cut short, and nothing else, where a filter keeps the kernel from telling what is mapped', async () => {
    const filtered = compile(folder, 'filtered', readFileSync(join(ROOT, 'tests', 'native', 'filtered.c'), 'utf8'), [
      '-I',
      join(ROOT, 'tests', 'native'),
    ]);
    for (const mode of ['lost', 'fiber', 'thread']) {
      const args = ['eperm:rt_sigprocmask', '--', program, mode];
      expect((await capture(args, `filtered-${mode}`, filtered)).stacks).not.toEqual([]);
    }
  });

  test('of more frames than fit ends in a mark, and is counted', async () => {
    const { stacks, head, frames } = await capture(['recurse', '400']);
    const deep = stacks.find(({ frames: addresses }) => addresses.includes(TRUNCATED))!;
    expect(deep.frames).toHaveLength(128);
    expect(deep.frames.at(-1)).toBe(TRUNCATED);
    expect(Number(head.get('truncated'))).toBeGreaterThanOrEqual(1);
    expect(frames.get(TRUNCATED)?.[0] ?? 'marker').toBe('marker');
  });

  test('is jemalloc’s own, where that knows it too', async () => {
    for (const mode of [['recurse', '20'], ['callback'], ['thread'], ['signal'], ['aligned']]) {
      const path = join(folder, `own-${mode[0]}`);
      const env = {
        LD_PRELOAD: jemallocLibrary(),
        MALLOC_CONF: `prof:true,prof_active:true,lg_prof_sample:0,prof_final:true,prof_prefix:${path}`,
      };
      const { code } = await runProgram(program, mode, { env });
      expect(code).toBe(0);
      const dump = execFileSync('sh', ['-c', 'cat "$0".*.f.heap', path], { encoding: 'utf8' });
      expect(chainsOf((await capture(mode, `ours-${mode[0]}`)).stacks)).toEqual(chainsOf(dumpStacks(dump)));
    }
  });

  test('holds in the child of a fork; the capture at exit is the parent’s alone', async () => {
    const path = join(folder, 'child.dump');
    const { stacks } = await capture(['fork', path], 'fork');
    expect(chainsOf(stacks)).toEqual([]);
    expect(chainsOf(dumpStacks(readFileSync(path, 'utf8')))).toEqual([[...recursion(3), 'main'].join(' ')]);
  });

  test('holds while threads allocate, libraries come and go, and children are forked', async () => {
    const { stacks } = await capture(['storm', kept], 'storm');
    const chains = chainsOf(stacks);
    expect(chains.filter((chain) => chain === 'leaf middle main')).not.toEqual([]);
    for (const chain of chains) expect(chain).toMatch(/^leaf middle (main|(recurse )+churn)$/);
  });
});

describe('under sanitizers', () => {
  test.each([
    [
      ['recurse', '20'],
      [...recursion(20), 'main'],
    ],
    [['thread'], [...recursion(3), 'on_thread']],
    [['fiber'], [...recursion(3), 'on_fiber']],
    [['signal'], ['leaf', 'middle', 'on_signal', 'raised', 'main']],
    [['callback'], ['leaf', 'middle', 'compared', 'main']],
  ])('%j', async (mode, chain) => {
    const { code, stdout, stderr } = await runProgram(sanitized, mode, { env: { ASAN_OPTIONS: 'detect_leaks=0' } });
    // Of fibers the sanitizer says that it may be wrong about them.
    expect({ code, stderr: stderr.replace(/^==\d+==WARNING: ASan doesn't fully support makecontext.*\n/, '') }).toEqual(
      { code: 0, stderr: '' },
    );
    const stacks = stdout
      .trim()
      .split('\n')
      .map((line) => ({
        bytes: 0,
        frames: line
          .replace(/^@| truncated$/g, '')
          .trim()
          .split(' ')
          .map((word) => BigInt(`0x${word}`)),
      }));
    const seen = new Set(chainsOf(stacks, sanitized));
    expect(seen).toEqual(new Set([chain.join(' ')]));
  });

  test('damaged tables are read without a step outside of them', async () => {
    const source = readFileSync(join(ROOT, 'tests', 'native', 'unwind-tables.c'), 'utf8');
    const reader = compile(folder, 'tables', source, [
      '-fsanitize=address,undefined',
      '-fno-sanitize-recover=all',
      '-I',
      SHARED,
      join(SHARED, 'unwind-tables.c'),
    ]);
    const { code, stdout, stderr } = await runProgram(reader, ['4000']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(Number(stdout)).toBeGreaterThan(50);
  });
});
