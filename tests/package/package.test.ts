import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jemallocLibrary, NODE_MAJORS, nodeBinary, ROOT, runProgram } from '../support/programs.js';

const TOOLS = join(ROOT, 'node_modules', '.bin');

/** npm takes its settings from these; one that its own child processes set would point back into this checkout. */
const NPM_ENVIRONMENT = Object.fromEntries(
  Object.keys(process.env)
    .filter(
      (name) =>
        /^npm_(package|lifecycle|command|execpath|node_execpath|config_local_prefix)/.test(name) || name === 'INIT_CWD',
    )
    .map((name) => [name, undefined]),
);

let folder: string;
let tarball: string;
let consumer: string;
let files: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'jemkit-package-'));
  const packed = await runProgram('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    env: NPM_ENVIRONMENT,
    timeoutMs: 60_000,
  });
  expect(packed.code, packed.stderr).toBe(0);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball');
  files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
    .map((path) => path.replace(/^package\//, ''));

  consumer = join(folder, 'consumer');
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true }\n');
  const installed = await runProgram('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], {
    cwd: consumer,
    env: NPM_ENVIRONMENT,
    timeoutMs: 110_000,
  });
  expect(installed.code, installed.stderr).toBe(0);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  test('has what a user needs, for this platform', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'dist/cli/main.cjs',
        'dist/index.js',
        'dist/entry/index.d.ts',
        'native/build.mjs',
        'docs/errors.md',
      ]),
    );
    const platform = `${process.platform}-${process.arch}`;
    expect(files.some((path) => path.startsWith(`prebuilds/${platform}`) && path.endsWith('/jemkit.node'))).toBe(true);
    expect(files.some((path) => path.startsWith(`prebuilds/${platform}`) && path.endsWith('/libjemkit.so'))).toBe(true);
  });

  test('has no tests, sources of TypeScript or sanitized builds', () => {
    expect(
      files.filter((path) => /(^|\/)(tests?|src|bench|\.ci)\/|\.test\.|sanitized|\.map$|tsbuildinfo/.test(path)),
    ).toEqual([]);
    // An example shows that profiles name the lines of TypeScript.
    expect(
      files.filter((path) => /\.[cm]?ts$/.test(path) && !/\.d\.[cm]?ts$/.test(path) && !path.startsWith('examples/')),
    ).toEqual([]);
  });

  test('has nothing in it of the machine that built it', () => {
    const unpacked = join(folder, 'unpacked');
    mkdirSync(unpacked);
    execFileSync('tar', ['-xzf', tarball, '-C', unpacked]);
    // '/root/' alone says nothing: it stands in /proc/PID/root/ as well.
    const paths = [ROOT, homedir()].filter((path) => !['/', '/root'].includes(path));
    const named = files.filter((path) => {
      const content = readFileSync(join(unpacked, 'package', path), 'latin1');
      return paths.some((machinePath) => content.includes(`${machinePath}/`) || content.includes(`${machinePath}\0`));
    });
    expect(named).toEqual([]);
  });

  test('passes publint', async () => {
    const result = await runProgram(join(TOOLS, 'publint'), ['run', '--strict', tarball], { cwd: folder });
    expect(result, result.stdout).toMatchObject({ code: 0 });
  });

  test('passes attw: types resolve for ES modules and bundlers', async () => {
    // That require() gets an ES module is what this profile leaves out: every Node that is supported can do it, as shown below.
    const result = await runProgram(join(TOOLS, 'attw'), ['--profile', 'esm-only', tarball], {
      cwd: folder,
      timeoutMs: 60_000,
    });
    expect(result, result.stdout).toMatchObject({ code: 0 });
  });
});

describe('types', () => {
  test('compile in a consumer that checks libraries too', async () => {
    const types = join(consumer, 'node_modules', '@types');
    mkdirSync(types, { recursive: true });
    for (const name of ['node', 'undici-types']) {
      const [from, to] =
        name === 'node'
          ? [join(ROOT, 'node_modules/@types/node'), join(types, 'node')]
          : [join(ROOT, 'node_modules', name), join(consumer, 'node_modules', name)];
      if (existsSync(from) && !existsSync(to)) symlinkSync(from, to);
    }
    writeFileSync(
      join(consumer, 'use.mts'),
      `import { createMemory, ensureJemalloc, install, JemkitError, mallocConf, PRESETS } from 'jemkit';
import type { InstallOutcome, Memory, MemoryOptions, PressureSignal, RungOutcome, TuningStep } from 'jemkit';
import { ensured } from 'jemkit/auto';
const conf: string = mallocConf({ backgroundThread: true, dirtyDecayMs: 5000, narenas: 'default' });
// @ts-expect-error a boolean is no number
mallocConf({ dirtyDecayMs: true });
// @ts-expect-error there is no such preset
ensureJemalloc({ preset: 'fastest', conf });
const outcome: Promise<InstallOutcome> = install({ dryRun: true });
if (ensured.kind === 'fallback') console.log(ensured.remedy, PRESETS.balanced.conf);
outcome.catch((error: unknown) => error instanceof JemkitError && error.code satisfies string);
// What comes from a configuration may be undefined, and is then left out.
const interval: number | undefined = Number(process.argv[2]) || undefined;
const asked: boolean | undefined = process.argv[3] ? true : undefined;
const options: MemoryOptions = {
  useJemalloc: asked,
  memoryStatsInterval: interval,
  trend: { warmUpMs: interval },
  tuning: { dryRun: asked, intervalMs: interval, onStep: (step: TuningStep) => step.atMs },
  pressure: {
    limitBytes: interval,
    rungs: { dump: asked },
    thresholds: { critical: undefined },
    onPressure: (signal: PressureSignal) => void (signal.kind satisfies 'begin' | 'change' | 'end'),
  },
};
const memory: Memory = createMemory(options);
memory
  .on('growth', async ({ limit }) => limit?.reachedInMs satisfies number | undefined)
  .once('sample', ({ jemalloc }) => jemalloc?.allocatedBytes satisfies number | undefined)
  .on('pressure', (event) => event.kind === 'rung' && (event.outcome satisfies RungOutcome));
// @ts-expect-error there is no such event
memory.on('grow', () => {});
// @ts-expect-error there is no such option
createMemory({ memoryStatInterval: 1 });
memory.stats({ proportional: asked }).process.proportionalBytes satisfies number | undefined;
memory.optimize({ gc: asked, how: undefined }).returnedBytes satisfies number | undefined;
memory.close();
ensureJemalloc({ preset: undefined, fallback: undefined });
`,
    );
    writeFileSync(
      join(consumer, 'use.cts'),
      `import jemkit = require('jemkit');\nexport const kind: string = jemkit.ensureJemalloc().kind;\n`,
    );
    writeFileSync(
      join(consumer, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2022',
          lib: ['es2023'],
          strict: true,
          noEmit: true,
          types: ['node'],
          exactOptionalPropertyTypes: true,
        },
        files: ['use.mts', 'use.cts'],
      }),
    );
    const result = await runProgram(join(TOOLS, 'tsc'), ['-p', consumer], { cwd: consumer, timeoutMs: 60_000 });
    expect(result).toMatchObject({ code: 0, stdout: '' });
  });
});

describe.each(NODE_MAJORS)('on Node %i', (major) => {
  const node = nodeBinary(major);
  const run = (program: string, args: readonly string[]) =>
    runProgram(program, args, {
      cwd: consumer,
      env: {
        ...NPM_ENVIRONMENT,
        PATH: [dirname(node), process.env['PATH']].join(delimiter),
        JEMKIT_LIBRARY: jemallocLibrary(),
        JEMKIT_CACHE_DIR: join(folder, 'cache'),
      },
      timeoutMs: 60_000,
    });
  const script = (name: string, text: string) => {
    writeFileSync(join(consumer, name), text);
    return run(node, [name]);
  };

  test("import 'jemkit'", async () => {
    const result = await script(
      'import.mjs',
      `import * as jemkit from 'jemkit';\nconsole.log(process.versions.node, jemkit.mallocConf({ narenas: 2 }));\n`,
    );
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(new RegExp(`^${major}\\..* narenas:2\\n$`));
  });

  test("require('jemkit')", async () => {
    const result = await script('require.cjs', `console.log(typeof require('jemkit').ensureJemalloc);\n`);
    expect(result).toMatchObject({ code: 0, stdout: 'function\n' });
    // Node 20 and 22 may warn that require() of an ES module is experimental; from within node_modules they do not.
    expect(result.stderr).toBe('');
  });

  test("import 'jemkit/auto' starts again under jemalloc", async () => {
    const result = await script(
      'auto.mjs',
      `import { ensured } from 'jemkit/auto';\nconsole.log(ensured.kind, ensured.how);\n`,
    );
    expect(result).toMatchObject({ code: 0, stdout: 'jemalloc re-executed\n', stderr: '' });
  });

  test('npx jem --version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const result = await run('npx', ['--no-install', 'jem', '--version']);
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  test('npx jem run -- node', async () => {
    const code = `const maps = require('fs').readFileSync('/proc/self/maps', 'utf8'); console.log(process.versions.node, maps.includes('jemalloc')); process.exit(7)`;
    const result = await run('npx', ['--no-install', 'jem', 'run', '--', 'node', '-e', code]);
    expect(result, result.stderr).toMatchObject({ code: 7 });
    expect(result.stdout).toMatch(new RegExp(`^${major}\\..* true\\n$`));
  });
});
