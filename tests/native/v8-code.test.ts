import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile, compileLibrary } from '../support/compile.js';
import { folderForFile } from '../support/launching.js';
import { NODE_MAJORS, nodeBinary, ROOT, runProgram } from '../support/programs.js';

const folder = folderForFile();
const SHARED = join(ROOT, 'native', 'shared');
const HERE = join(ROOT, 'tests', 'native');
const sources = readdirSync(SHARED)
  .filter((name) => /^(v8|unwind)\b.*\.c$/.test(name))
  .map((name) => join(SHARED, name));
const { include_dir: headers } = createRequire(import.meta.url)('node-api-headers');

let addon: string;
let malloc: string;
beforeAll(() => {
  // The sources come after `-x none`: each under its own name, as the build has them.
  const build = (name: string, source: string, args: readonly string[] = []) =>
    compileLibrary(folder, name, readFileSync(join(HERE, source), 'utf8'), [
      ...[
        '-std=gnu11',
        '-fvisibility=hidden',
        '-fno-omit-frame-pointer',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-Wl,-z,nodelete',
      ],
      ...['-I', SHARED, '-isystem', headers, ...args, ...sources],
    ]);
  addon = build('v8-code.node', 'v8-code-addon.c');
  malloc = build('v8-malloc.so', 'v8-code-malloc.c', ['-fno-builtin']);
});

interface Names {
  readonly taken: number;
  readonly right: number;
  readonly unnamed: number;
  readonly wrong: readonly unknown[];
  readonly count: { readonly listening: number; readonly bytes: number };
}

async function names(major: (typeof NODE_MAJORS)[number], flags: readonly string[], mode: string): Promise<Names> {
  const args = ['--expose-gc', ...flags, join(HERE, 'v8-code-names.cjs'), addon, mode, mode === 'workers' ? '3' : '12'];
  const { code, stdout, stderr } = await runProgram(nodeBinary(major), args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Names;
}

describe.each(NODE_MAJORS)('node %i', (major) => {
  test.each([
    ['code that is made, moved and dropped', ['--compact-on-every-full-gc'], 'collect'],
    ['every collection moves', ['--stress-compaction'], 'collect'],
    ['baseline code at once', ['--always-sparkplug'], 'collect'],
    ['workers', [], 'workers'],
  ])('%s: every function under its own name', async (_, flags, mode) => {
    const { taken, right, unnamed, wrong, count } = await names(major, flags, mode);
    expect({ right, unnamed, wrong }).toEqual({ right: taken, unnamed: 0, wrong: [] });
    expect(taken).toBeGreaterThan(4000);
    expect(count.listening).toBe(1);
    expect(count.bytes).toBeLessThan(64 << 20);
  });

  test('folded-in functions, and positions: as V8 has them, or none', async () => {
    const { code, stdout, stderr } = await runProgram(nodeBinary(major), [join(HERE, 'v8-code-inlining.cjs'), addon]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { folded, exact, wrong } = JSON.parse(stdout);
    expect(wrong).toEqual([]);
    expect(folded).toBeGreaterThan(0);
    expect(exact).toBeGreaterThan(10);
  });

  test.each([['--no-opt'], ['--compact-on-every-full-gc'], ['--stress-compaction']])(
    'interpreted frames read without V8 are as V8 has them, with %s',
    async (flag) => {
      const args = ['--expose-gc', '--no-sparkplug', flag, join(HERE, 'v8-code-interpreted.cjs'), addon];
      const { code, stdout, stderr } = await runProgram(nodeBinary(major), args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const { known, wrong, met } = JSON.parse(stdout);
      expect(wrong).toBe(0);
      expect(known / met).toBeGreaterThan(0.4);
    },
  );

  test('asked for inside malloc, in isolates that start and end, and beside those that wait', async () => {
    const env = { LD_PRELOAD: malloc, JM_ATTACH: '31337', JM_EVERY: '1' };
    const args = [join(HERE, 'v8-code-attach.cjs'), '2', env.JM_ATTACH];
    const { code, stdout, stderr } = await runProgram(nodeBinary(major), args, { env });
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: 'ended 2\n' });
    const seen = JSON.parse(stderr);
    expect(seen.samples).toBeGreaterThan(1000);
    expect(seen.events).toBeGreaterThan(5000);
    // While V8 tells of what it has, some is not told yet.
    expect(seen.named / seen.frames).toBeGreaterThan(0.5);
  });

  test.each([['--cpu-prof'], ['--perf-basic-prof'], ['--prof'], ['--inspect=0']])('beside %s', async (flag) => {
    const program = `const addon = require(${JSON.stringify(addon)}); addon.listen();
      function known() { return addon.stack(1)[0]; }
      const number = known();
      const line = addon.frames().split('\\n').map((line) => line.split('\\t')).find(([address]) => parseInt(address.slice(-8), 16) === number);
      console.log(line[8]); addon.stop(); console.log(addon.count().listening);`;
    const { code, stdout } = await runProgram(nodeBinary(major), [flag, '-e', program], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'known\n0\n' });
  });
});

test('a process without V8 is told so', async () => {
  const source = `#include <stdio.h>
    #include "v8-code.h"
    int main(void) { const char *why = ""; bool found = jm_v8_find(&why); printf("%d %s", found, why); return jm_v8_current() != NULL; }`;
  const program = compile(folder, 'without-v8', source, ['-I', SHARED, ...sources]);
  expect(await runProgram(program, [])).toMatchObject({ code: 0, stdout: '0 no V8 in this process' });
});
