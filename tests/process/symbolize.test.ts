import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { frameAt, type HeapProfile } from '../../src/model/heap-profile.js';
import { readHeapProfile } from '../../src/sources/heap-dump/read-profile.js';
import { demangle } from '../../src/sources/symbols/demangle.js';
import { readNativeLines } from '../../src/sources/symbols/native-lines.js';
import { withRegularFile } from '../../src/sources/symbols/regular-file.js';
import { symbolizeProfile } from '../../src/sources/symbols/symbolize-profile.js';
import { compile } from '../support/compile.js';
import { launchEnvironment } from '../support/launching.js';
import { parseJeprofText, sumByFunction } from '../support/profile-sums.js';
import { jem, jemallocLibrary, ROOT } from '../support/programs.js';

/** Known functions that hold known bytes: 60, 30 and 10 percent; one in an inlined function, one in a static one. */
const SOURCE = `
#include <stdlib.h>
#include <string.h>
int mallctl(const char *, void *, size_t *, void *, size_t) __attribute__((weak));
void *keep[3000];
__attribute__((noinline)) void *sixty(void) { return memset(malloc(60000), 1, 60000); }
static inline __attribute__((always_inline)) void *reserve(size_t bytes) { return calloc(bytes, 1); }
__attribute__((noinline)) void *thirty(void) { void *volatile block = reserve(30000); return block; }
__attribute__((noinline)) static void *ten(void) { void *block = 0; return posix_memalign(&block, 64, 10000) ? 0 : block; }
int main(int argc, char **argv) {
  for (int i = 0; i < 1000; i++) keep[3 * i] = sixty(), keep[3 * i + 1] = thirty(), keep[3 * i + 2] = ten();
  return mallctl("prof.dump", 0, 0, &argv[argc - 1], sizeof argv);
}`;

const NODE_SOURCE = `
const { createGzip } = require('node:zlib');
const keep = [];
for (let i = 0; i < 200; i++) keep.push(Buffer.alloc(100_000, 1), Buffer.from('x'.repeat(50_000)));
for (let i = 0; i < 10; i++) keep.push(createGzip(), new TextEncoder().encode('é'.repeat(40_000)));
setImmediate(() => process.exit(0));`;

let folder: string;
const inFolder = (name: string) => join(folder, name);

function profileOf(program: string, args: readonly string[], options: string): void {
  const { status, stderr } = spawnSync(program, args, {
    cwd: folder,
    env: { ...process.env, LD_PRELOAD: jemallocLibrary(), MALLOC_CONF: `prof:true,lg_prof_sample:14,${options}` },
  });
  if (status !== 0) throw new Error(`${program}: ${status} ${stderr}`);
}

const jeprof = (program: string, dump: string) =>
  parseJeprofText(
    execFileSync('jeprof', ['--text', '--show_bytes', program, dump], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString(),
  );

/** How jeprof shortens a name: `(anonymous namespace)` goes with the parameters. */
function asJeprof(name: string): string {
  let short = name;
  for (const pattern of [/\([^()]*\)(?:\s*const)?/g, /<[^<>]*>/g])
    for (let before = ''; before !== short; ) {
      before = short;
      short = short.replace(pattern, '');
    }
  return short.replace(/^.*\s+(\w+::)/, '$1');
}

const named = (profile: HeapProfile, name: string) =>
  Array.from({ length: profile.frames.count }, (_, frame) => frameAt(profile, frame)).filter(
    (frame) => frame.name === name,
  );

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'jemkit-symbolize-')));
  compile(folder, 'holder', SOURCE, ['-g', '-Wl,--build-id']);
  profileOf(inFolder('holder'), [inFolder('holder.heap')], 'prof_prefix:unused');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the same dump as jeprof', () => {
  test('a C program: the same bytes for each of its functions', async () => {
    const ours = sumByFunction(await symbolizeProfile(await readHeapProfile(inFolder('holder.heap'))));
    const theirs = jeprof(inFolder('holder'), inFolder('holder.heap'));
    // jeprof has whole bytes. `thirty` it gives to the function that was inlined there, whose name the lines tell.
    for (const name of ['sixty', 'ten', 'main']) {
      for (const sums of ['flat', 'cumulative'] as const) {
        const difference = Math.abs((ours[sums].get(name) ?? 0) - (theirs[sums].get(name) ?? Number.NaN));
        expect.soft(difference, `${name}, ${sums}`).toBeLessThanOrEqual(2);
      }
    }
    const total = ours.cumulative.get('main') ?? Number.NaN;
    expect((ours.flat.get('sixty') ?? 0) / total).toBeCloseTo(0.6, 1);
    expect((ours.flat.get('thirty') ?? 0) / total).toBeCloseTo(0.3, 1);
    expect((ours.flat.get('ten') ?? 0) / total).toBeCloseTo(0.1, 1);
  });

  test('node: the same bytes for every function that both name, and what jeprof alone names it guesses', async () => {
    writeFileSync(inFolder('program.cjs'), NODE_SOURCE);
    profileOf(process.execPath, ['program.cjs'], `prof_final:true,prof_prefix:${inFolder('node')}`);
    const dump = inFolder(readdirSync(folder).find((name) => /^node\..*\.heap$/.test(name)) ?? '');
    const ours = sumByFunction(await symbolizeProfile(await readHeapProfile(dump)));
    const theirs = jeprof(process.execPath, dump);
    const known = new Map([...ours.cumulative].map(([name, bytes]) => [asJeprof(name), bytes]));
    const common = [...theirs.cumulative].filter(([name]) => known.has(name));
    expect(common.length).toBeGreaterThan(50);
    // jeprof rounds each sample, we none.
    const differing = common.filter(
      ([name, bytes]) => Math.abs((known.get(name) ?? 0) - bytes) > Math.max(3, bytes * 1e-6),
    );
    expect(differing).toEqual([]);
    // In stripped libraries jeprof takes the symbol before an address, though it ends before it; and libc has two names for one function.
    const guesses = new Set(['__libc_start_main_impl']);
    const mapped = new Set((await readHeapProfile(dump)).modules.map(({ path }) => path));
    for (const path of [...mapped].filter((name) => /\/lib(?:jemalloc|stdc\+\+)\./.test(name))) {
      const text = execFileSync('nm', ['-D', '--demangle', path], { encoding: 'utf8', maxBuffer: 1 << 28 });
      for (const [, name = ''] of text.matchAll(/^[0-9a-f]+ \w (.*)$/gm))
        guesses.add(asJeprof(name.replace(/@.*/, '')));
    }
    // Where there are lines, jeprof also tells what was inlined, as we do when we are asked for them.
    const lines = await symbolizeProfile(await readHeapProfile(dump), { lines: true });
    for (const name of sumByFunction(lines).cumulative.keys()) guesses.add(asJeprof(name));
    const missing = [...theirs.cumulative.keys()]
      .map((name) => name.replace(/ \(inline\)$/, '').replace(/^__GI_/, ''))
      .filter((name) => !known.has(name) && !guesses.has(name));
    expect(missing).toEqual([]);
    expect(
      [...theirs.flat].find(([name]) => name === 'node::NodeArrayBufferAllocator::AllocateUninitialized')?.[1],
    ).toBeCloseTo(ours.flat.get('node::NodeArrayBufferAllocator::AllocateUninitialized') ?? Number.NaN, -1);
  });
});

describe('lines', () => {
  test('of native code, with the functions that were inlined', async () => {
    const profile = await symbolizeProfile(await readHeapProfile(inFolder('holder.heap')), { lines: true });
    const line = SOURCE.split('\n').findIndex((text) => text.includes('*sixty(void)')) + 1;
    expect(named(profile, 'sixty')[0]).toMatchObject({ line, kind: 'native', inlined: false });
    expect(named(profile, 'reserve')[0]).toMatchObject({ inlined: true });
    expect(sumByFunction(profile).flat.get('reserve')).toBeGreaterThan(0);
  });

  test('are kept by build id: then no tool is asked', async () => {
    const options = { lines: true, cacheFolder: inFolder('cache') };
    const heap = inFolder('holder.heap');
    const first = await symbolizeProfile(await readHeapProfile(heap), options);
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      expect(await symbolizeProfile(await readHeapProfile(heap), options)).toEqual(first);
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('a tool that hangs is left behind, with what it started', async () => {
    mkdirSync(inFolder('hanging'));
    writeFileSync(inFolder('hanging/llvm-symbolizer'), '#!/bin/sh\nsleep 3\n', {
      mode: 0o755,
    });
    const path = process.env['PATH'];
    process.env['PATH'] = `${inFolder('hanging')}:${path}`;
    try {
      const lines = await readNativeLines(inFolder('holder'), Float64Array.of(4096), { timeoutMs: 300 });
      expect(lines).toEqual({
        kind: 'unavailable',
        reason: expect.stringMatching(/no lines .*\(no answer in 0\.3 s\)/),
      });
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('without a tool it is said', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      const profile = await symbolizeProfile(await readHeapProfile(inFolder('holder.heap')), { lines: true });
      expect(named(profile, 'sixty')[0]?.line).toBe(0);
      expect(profile.capture.notes).toContainEqual(expect.stringContaining('llvm-symbolizer'));
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('symbols that are elsewhere', () => {
  const run = (program: string, ...args: string[]) => execFileSync(program, args, { cwd: folder });

  test('.gnu_debuglink, whose checksum must be right', async () => {
    copyFileSync(inFolder('holder'), inFolder('linked'));
    run('objcopy', '--only-keep-debug', 'linked', 'linked.debug');
    run('objcopy', '--strip-all', '--add-gnu-debuglink=linked.debug', 'linked');
    profileOf(inFolder('linked'), [inFolder('linked.heap')], 'prof_prefix:unused');
    const read = async () => symbolizeProfile(await readHeapProfile(inFolder('linked.heap')), { lines: true });
    expect(named(await read(), 'ten')).toHaveLength(1);
    expect(named(await read(), 'ten')[0]?.line).toBeGreaterThan(0);
    const debug = readFileSync(inFolder('linked.debug'));
    debug[debug.length - 1]! ^= 1;
    writeFileSync(inFolder('linked.debug'), debug);
    const without = await read();
    expect(named(without, 'ten')).toEqual([]);
    expect(without.capture.notes).toContainEqual(expect.stringMatching(/No symbol covers.*\/linked \(/));
  });

  test('by the build id alone, in a root where the program is gone', async () => {
    const id = /Build ID: ([0-9a-f]+)/.exec(run('readelf', '-n', 'holder').toString())?.[1] ?? '';
    const place = join(folder, 'root/usr/lib/debug/.build-id', id.slice(0, 2));
    mkdirSync(place, { recursive: true });
    run('objcopy', '--only-keep-debug', 'holder', join(place, `${id.slice(2)}.debug`));
    const profile = await readHeapProfile(inFolder('holder.heap'));
    const modules = profile.modules.map((module) =>
      module.path.endsWith('/holder') ? { ...module, buildId: id } : module,
    );
    const symbolized = await symbolizeProfile({ ...profile, modules }, { root: inFolder('root') });
    expect(named(symbolized, 'sixty').length).toBeGreaterThan(0);
    expect(named(symbolized, 'ten').length).toBeGreaterThan(0);
  });

  test('.gnu_debuglink in the folder .debug, with compressed sections', async () => {
    compile(folder, 'packed', SOURCE, ['-g', '-gz=zlib', '-Wl,--build-id=none']);
    mkdirSync(inFolder('.debug'));
    run('objcopy', '--only-keep-debug', '--compress-debug-sections', 'packed', '.debug/packed.debug');
    run('objcopy', '--strip-all', 'packed');
    execFileSync('objcopy', ['--add-gnu-debuglink=packed.debug', '../packed'], { cwd: inFolder('.debug') });
    profileOf(inFolder('packed'), [inFolder('packed.heap')], 'prof_prefix:unused');
    const profile = await symbolizeProfile(await readHeapProfile(inFolder('packed.heap')), { lines: true });
    expect(named(profile, 'ten')[0]?.line).toBeGreaterThan(0);
    expect(named(profile, 'reserve')[0]).toMatchObject({ inlined: true });
  });

  test('another build under the same path names nothing', async () => {
    const profile = await readHeapProfile(inFolder('holder.heap'));
    const modules = profile.modules.map((module) =>
      module.path.endsWith('/holder') ? { ...module, buildId: 'ab'.repeat(20) } : module,
    );
    const symbolized = await symbolizeProfile({ ...profile, modules });
    expect(named(symbolized, 'sixty')).toEqual([]);
    expect(symbolized.capture.notes).toContainEqual(expect.stringMatching(/holder: another build lies there now/));
  });
});

const TYPESCRIPT = `const held: Buffer[] = [];
function loadPicture(size: number): Buffer {
  return Buffer.alloc(size, 1);
}
const keepItem = (size: number): number => held.push(loadPicture(size));
class Catalog {
  fillShelves(count: number): void {
    for (let i = 0; i < count; i++) held.push(Buffer.from('x'.repeat(50_000 + i)));
  }
}
async function fillEverything(): Promise<void> {
  for (let i = 0; i < 100; i++) keepItem(100_000);
  new Catalog().fillShelves(100);
}
await fillEverything();
export {};
`;

describe('source maps', () => {
  const bin = (name: string) => join(ROOT, 'node_modules', '.bin', name);
  /** Functions by where they begin in the TypeScript, of what node captured. */
  const functionsOf = async (script: string) => {
    const heap = `${script}.heap`;
    const result = await jem(['profile', '--sample-bytes', '4KiB', '-o', heap, '--', 'node', script], {
      env: launchEnvironment(inFolder('cache')),
    });
    expect(result).toMatchObject({ code: 0 });
    const profile = await symbolizeProfile(await readHeapProfile(heap));
    const frames = Array.from({ length: profile.frames.count }, (_, frame) => frameAt(profile, frame));
    return new Set(
      frames
        .filter(({ file, name }) => file === inFolder('ts/main.ts') && name !== '(anonymous)')
        .map(({ name, functionLine }) => `${name}:${functionLine}`),
    );
  };
  const EXPECTED = new Set(['loadPicture:2', 'keepItem:5', 'fillShelves:7', 'fillEverything:11']);

  beforeAll(() => {
    mkdirSync(inFolder('ts'));
    writeFileSync(inFolder('ts/main.ts'), TYPESCRIPT);
    writeFileSync(inFolder('ts/package.json'), '{"type":"module"}');
  });

  test('of a bundler that minifies into one line: the names of the source', async () => {
    const out = inFolder('ts/bundled/main.js');
    const args = [inFolder('ts/main.ts'), '--file', out, '--minify', '--sourcemap', '--platform', 'node'];
    execFileSync(bin('rolldown'), args, { stdio: 'ignore' });
    expect(readFileSync(out, 'utf8')).not.toContain('loadPicture');
    expect(await functionsOf(out)).toEqual(EXPECTED);
  });

  test('of tsc', async () => {
    const options = [
      '--ignoreConfig',
      '--sourceMap',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--skipLibCheck',
      '--noCheck',
    ];
    execFileSync(bin('tsc'), [...options, '--outDir', inFolder('ts/compiled'), inFolder('ts/main.ts')]);
    expect(await functionsOf(inFolder('ts/compiled/main.js'))).toEqual(EXPECTED);
  });
});

test('a pipe is not opened', () => {
  execFileSync('mkfifo', [inFolder('pipe')]);
  expect(withRegularFile(inFolder('pipe'), () => 'opened')).toEqual({ kind: 'unreadable', code: 'ENOTREG' });
});

describe('demangling', () => {
  const symbolsOf = (file: string, pattern: RegExp, ...flags: string[]) => {
    const text = execFileSync('nm', [...flags, '--defined-only', '--no-demangle', file], {
      maxBuffer: 1 << 28,
    }).toString();
    const names = text.split('\n').map((line) => /^[0-9a-f]+ [tTwWiuV] ([^@\s]+)/.exec(line)?.[1] ?? '');
    return [...new Set(names)].filter((name) => pattern.test(name));
  };
  const agreeing = (symbols: readonly string[], filter: string, ours: (symbol: string) => string) => {
    const lines = execFileSync(filter, { input: `${symbols.join('\n')}\n`, maxBuffer: 1 << 28 })
      .toString()
      .split('\n');
    return symbols.filter((symbol, i) => ours(symbol) === lines[i]).length / symbols.length;
  };

  test('C++: as c++filt, for at least 99 of 100 of the functions of node, libstdc++ and libjemalloc', () => {
    const libstdcxx = execFileSync('gcc', ['-print-file-name=libstdc++.so.6'], { encoding: 'utf8' }).trim();
    const files = [realpathSync(process.execPath), jemallocLibrary(), libstdcxx];
    for (const file of files) {
      const symbols = symbolsOf(file, /^_Z/, '-D');
      expect(symbols.length, file).toBeGreaterThan(0);
      expect(
        agreeing(symbols, 'c++filt', (symbol) => demangle(symbol, { full: true })),
        file,
      ).toBeGreaterThanOrEqual(0.99);
    }
  });
});
