import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { driveJem } from '../support/driven-terminal.js';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { jem, jemallocLibrary, ROOT, runProgram } from '../support/programs.js';

const folder = folderForFile();
const env = launchEnvironment(folder);
const at = (name: string) => join(folder, name);
const report = (...args: string[]) => jem(['report', ...args], { env, cwd: folder });
const DUMPS = ['1.heap', '2.heap', '3.heap'];

interface JsonRow {
  readonly name: string;
  readonly place: string;
  readonly flatBytes: number;
  readonly cumulativeBytes: number;
}

/** The JSON of a report that went well. */
async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await report('--json', ...args);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

const rowsOf = async (...args: string[]) =>
  new Map((await json<{ rows: JsonRow[] }>('--text', ...args)).rows.map((row) => [row.name, row] as const));

/** A capture of jemkit, as docs/capture-format.md has it: a line that leaks, and one that holds. */
function capture(minute: number, leaked: number): string {
  const stack = (frames: string, objects: number, bytes: number) =>
    `@ 0x10000000000001 ${frames}\n  t*: ${objects}: ${bytes} [0: 0]\n  t0: ${objects}: ${bytes} [0: 0]\n`;
  return [
    `heap_v2/524288\n  t*: ${leaked + 50}: ${(leaked + 50) * 524288} [0: 0]\n  t0: ${leaked + 50}: ${(leaked + 50) * 524288} [0: 0]`,
    stack('0x10000000000002 0x10000000000003', leaked, leaked * 524288) + stack('0x10000000000004', 50, 50 * 524288),
    'MAPPED_LIBRARIES:\n',
    `JEMKIT_CAPTURE 1\npid\t4711\ntaken_ms\t${Date.UTC(2026, 0, 2, 3, minute)}\nunwinder\tjemkit\nnode\tv24.1.0`,
    'JEMKIT_FRAMES',
    '10000000000001\tjs\t300\t5\t-1\t290\t1\t-\tfrom\tnode:buffer',
    `10000000000002\tjs\t9\t5\t-1\t8\t1\t-\tpush\tfile://${folder}/node_modules/@big/cache/index.js`,
    `10000000000003\tjs\t42\t7\t-1\t40\t1\t-\thandle\tfile://${folder}/server.js`,
    `10000000000004\tjs\t7\t7\t-1\t6\t1\t-\tload\tfile://${folder}/catalog.js`,
    'JEMKIT_END\n',
  ].join('\n');
}

beforeAll(async () => {
  const program = at('holding-program');
  const source = join(ROOT, 'tests', 'support', 'holding-program.c');
  const flags = ['-O1', '-g', '-fno-optimize-sibling-calls', '-Wall', '-Werror'];
  const compiled = await runProgram('/usr/bin/cc', [...flags, '-o', program, source, jemallocLibrary()]);
  expect(compiled).toMatchObject({ code: 0, stderr: '' });
  const MALLOC_CONF = 'prof:true,lg_prof_sample:12,prof_accum:true,prof_recent_alloc_max:100000,tcache:false';
  const ran = await runProgram(program, [...DUMPS, 'stats.json', 'recent.json'].map(at), { env: { MALLOC_CONF } });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  for (const [name, minute, leaked] of [
    ['a', 0, 40],
    ['b', 10, 80],
    ['c', 20, 120],
  ] as const)
    writeFileSync(at(`${name}.capture.heap`), capture(minute, leaked));
});

describe('a dump of jemalloc', () => {
  test('by default: what it is, how much, and who holds it', async () => {
    const { code, stdout } = await report('1.heap');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^file: +1\.heap \(jemalloc heap_v2\)\n/);
    expect(stdout).toMatch(/^live: +\d/m);
    expect(stdout).toMatch(/^ *\S+ MiB +5\d\.\d%.* hold_sixty /m);
  });

  test('has the bytes of each function as jeprof has them', async () => {
    const { code, stdout, stderr } = await runProgram('/usr/bin/jeprof', [
      '--text',
      '--show_bytes',
      at('holding-program'),
      at('1.heap'),
    ]);
    expect(code, stderr).toBe(0);
    const ours = await rowsOf('1.heap');
    const compared = stdout.split('\n').flatMap((line) => {
      const [, flat, cumulative, name = ''] = /^ *(\d+) +\S+ +\S+ +(\d+) +\S+ (\S+) *$/.exec(line) ?? [];
      const row = ours.get(name);
      return row
        ? [{ name, flat: [Number(flat), row.flatBytes], cumulative: [Number(cumulative), row.cumulativeBytes] }]
        : [];
    });
    for (const { name, flat, cumulative } of compared) {
      expect(Math.abs(flat[0]! - flat[1]!), name).toBeLessThanOrEqual(2);
      expect(Math.abs(cumulative[0]! - cumulative[1]!), name).toBeLessThanOrEqual(2);
    }
    const names = compared.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['hold_sixty', 'hold_thirty', 'hold_ten', 'recurse', 'main']));
  });

  test('scripts for jeprof go on: the program first, its options, its columns', async () => {
    const { code, stdout } = await report(
      '--text',
      '--show_bytes',
      '--cum',
      '--nodecount=3',
      '--focus=hold_ten',
      'holding-program',
      '1.heap',
    );
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^Total: \d+ B$/);
    expect(lines).toHaveLength(4);
    for (const line of lines.slice(1)) expect(line).toMatch(/^ *\d+ +[\d.]+% +[\d.]+% +\d+ +[\d.]+% \S/);
    const other = await report('--text', process.execPath, '1.heap');
    expect(other.stderr).toContain('is not among the files that the profiled process had mapped');
  });

  test('shares come out as they are, by function, by module, by line', async () => {
    const rows = await rowsOf('1.heap');
    const held = ['hold_sixty', 'hold_thirty', 'hold_ten'].map((name) => rows.get(name)?.flatBytes ?? 0);
    const sum = held.reduce((total, bytes) => total + bytes, 0);
    for (const [row, share] of [60, 30, 10].entries())
      expect(Math.abs((held[row]! / sum) * 100 - share)).toBeLessThan(5);
    expect((await rowsOf('--by', 'module', '1.heap')).has(at('holding-program'))).toBe(true);
    const lines = [...(await rowsOf('--lines', '1.heap')).values()].map(({ place }) => place);
    expect(lines).toContainEqual(expect.stringMatching(/holding-program\.c:\d+$/));
  });

  test('what was allocated and freed again', async () => {
    const since = await rowsOf('--temporary', '1.heap');
    expect(since.get('drop_at_once')?.flatBytes).toBeGreaterThan(1_500_000);
    expect(since.get('hold_ten')?.flatBytes ?? 0).toBeLessThan(500_000);
    const between = await rowsOf('--temporary', ...DUMPS);
    expect(between.get('drop_at_once')?.flatBytes).toBeGreaterThan(3_000_000);
    const allocated = await rowsOf('--alloc_space', '1.heap');
    expect(allocated.get('drop_at_once')?.flatBytes).toBeGreaterThan(1_500_000);
  });

  test('what grew, and nothing else, is the difference', async () => {
    const { stdout } = await report('--base', '1.heap', '3.heap');
    expect(stdout).toMatch(/^\+\S+ MiB .* grown +hold_sixty /m);
    expect(stdout).not.toContain('hold_ten');
    const rows = await rowsOf('--base=1.heap', '3.heap');
    expect(rows.get('hold_sixty')?.flatBytes).toBeGreaterThan(10_000_000);
    const back = await rowsOf('--base=3.heap', '1.heap');
    expect(back.get('hold_sixty')?.flatBytes).toBe(-rows.get('hold_sixty')!.flatBytes);
    expect((await rowsOf('--base=3.heap', '--drop_negative', '1.heap')).get('hold_sixty')).toBeUndefined();
  });

  test('leaks end with 1 and name the functions; nothing leaks of the same twice', async () => {
    const { code, stdout } = await report('--leaks', ...DUMPS);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^1\. \+\S+ MiB a snapshot {2}hold_sixty /m);
    expect(stdout).toMatch(/^2\. \+\S+ MiB a snapshot {2}hold_thirty /m);
    expect(stdout).not.toContain('hold_ten');
    expect(await report('--leaks', '1.heap', '1.heap', '1.heap')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Nothing grew in every snapshot'),
    });
  });

  test('the highest of several', async () => {
    const { stdout } = await report('--high-water', '3.heap', '1.heap');
    expect(stdout).toMatch(/^Of 2 snapshots 3\.heap holds the most:\n/);
  });

  test('whose few survivors keep mostly empty slabs', async () => {
    const found = await json<{
      wasteBytes: number;
      holders: { owner: { name: string }; sizeBytes: number; wasteBytes: number }[];
    }>('--fragmentation', '--stats', 'stats.json', '3.heap');
    expect(found.holders[0]).toMatchObject({ owner: { name: 'hold_pins' }, sizeBytes: 320 });
    expect(found.holders[0]!.wasteBytes).toBeGreaterThan(3_000_000);
    const { stdout } = await report('--fragmentation', '--stats', 'stats.json', '3.heap');
    expect(stdout).toContain('A stack’s class is that of its mean object');
  });

  test('how long allocations live', async () => {
    const { rows } = await json<{ rows: { name: string; samples: number; freed: number }[] }>(
      '--recent',
      'recent.json',
      '1.heap',
    );
    const of = (name: string) => rows.find((row) => row.name === name)!;
    expect(of('drop_at_once').freed).toBe(of('drop_at_once').samples);
    expect(of('hold_sixty').freed).toBe(0);
  });
});

describe('a capture of jemkit', () => {
  const captures = ['c.capture.heap', 'a.capture.heap', 'b.capture.heap'];

  test('leaks: the line of the application, the package between, growth an hour, in the order of time', async () => {
    const { code, stdout } = await report('--leaks', ...captures);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^3 snapshots over 20 min:\n {2}a\.capture/);
    expect(stdout).toMatch(
      /^1\. \+\d+ MiB an hour {2}handle server\.js:42\n {3}through push node_modules\/@big\/cache\/index\.js:9$/m,
    );
    expect(stdout).not.toContain('load catalog.js');
  });

  test('by npm package, by line', async () => {
    const packages = await json<{ rows: JsonRow[] }>('--by', 'package', 'a.capture.heap');
    expect(
      packages.rows
        .filter(({ flatBytes }) => flatBytes > 0)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['(application)', '@big/cache']);
    const { stdout } = await report('--by', 'line', 'a.capture.heap');
    expect(stdout).toMatch(/ push node_modules\/@big\/cache\/index\.js:9$/m);
  });
});

describe('output', () => {
  test('collapsed stacks and speedscope have all the bytes, the root first', async () => {
    const total = (await json<{ totalBytes: number }>('1.heap')).totalBytes;
    const lines = (await report('--collapsed', '1.heap')).stdout.trimEnd().split('\n');
    const sum = lines.reduce((all, line) => all + Number(line.slice(line.lastIndexOf(' '))), 0);
    expect(Math.abs(sum - total)).toBeLessThan(lines.length);
    expect(lines).toContainEqual(
      expect.stringMatching(/^_start;.*;main;.*recurse;recurse;recurse;recurse;hold_sixty \d+$/),
    );
    const scope = JSON.parse((await report('--speedscope', '1.heap')).stdout);
    expect(Math.abs(scope.profiles[0].endValue - total)).toBeLessThan(lines.length);
  });

  test('pprof is a file that reads back as the same profile, without the binaries', async () => {
    expect((await report('1.heap', '-o', 'saved.pb.gz')).code).toBe(0);
    expect(gunzipSync(readFileSync(at('saved.pb.gz'))).length).toBeGreaterThan(500);
    const [before, after] = [await rowsOf('1.heap'), await rowsOf('saved.pb.gz')];
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    // Its values are whole numbers.
    for (const [name, row] of after)
      expect(Math.abs(row.flatBytes - before.get(name)!.flatBytes), name).toBeLessThan(5);
  });

  test('pictures hold the names', async () => {
    for (const name of ['flame.html', 'flame.svg']) {
      expect((await report('1.heap', '-o', name)).code).toBe(0);
      expect(readFileSync(at(name), 'utf8')).toMatch(
        name.endsWith('html') ? /^<!doctype html>/i : /<svg[\s\S]*hold_sixty/,
      );
    }
  });

  test('a file is replaced in one step, for its owner alone, and a profile never', async () => {
    writeFileSync(at('out.txt'), 'old');
    chmodSync(at('out.txt'), 0o644);
    expect(await report('1.heap', '-o', 'out.txt')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('jem: wrote out.txt\n'),
    });
    expect(readFileSync(at('out.txt'), 'utf8')).toMatch(/^Total: .*[^\n]\n$/s);
    expect(statSync(at('out.txt')).mode & 0o777).toBe(0o600);
    const before = readFileSync(at('1.heap'));
    symlinkSync('1.heap', at('link.txt'));
    expect(await report('1.heap', '-o', 'link.txt')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is one of the profiles'),
    });
    expect(readFileSync(at('1.heap')).equals(before)).toBe(true);
  });

  test('what cannot be written leaves nothing behind', async () => {
    mkdirSync(at('there.txt'));
    for (const [output, why] of [
      ['there.txt', 'cannot write'],
      ['missing/x.txt', 'there is no such folder'],
      ['/dev/full', 'the disk is full'],
    ] as const) {
      const { code, stderr } = await report('--text', '1.heap', '-o', output);
      expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining(why) });
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('a pattern that would take for ever comes to an end, and an empty report says why', async () => {
    const { code, stdout, stderr } = await report('--text', '1.heap', '--focus', '(\\w+\\s?)+\\$$');
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^jem: nothing is left of .* with --focus /),
    });
    expect(stdout).toMatch(/^Total: 0 B/);
    const thread = await report('1.heap', '--thread', 'nobody');
    expect(thread.stderr).toMatch(/with --thread nobody\n {2}hint: /);
    expect(await report('1.heap', '--root', 'missing')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is no folder'),
    });
  });

  test('a terminal gets neither bytes nor a page, and sees progress', async () => {
    for (const format of ['--pprof', '--html', '--svg', '--speedscope']) {
      const { code, output } = await driveJem(['report', format, at('1.heap')], []);
      expect(code).toBe(2);
      expect(output).toContain(`${format} is not for a terminal`);
    }
    const { code, output } = await driveJem(['report', at('1.heap')], []);
    expect(code).toBe(0);
    expect(output).toMatch(/reading: 1\.heap …/);
    const shown = output.slice(output.indexOf('file:')).split(/\r?\n/);
    expect(Math.max(...shown.slice(6).map((line) => line.length))).toBeLessThanOrEqual(110);
  });
});

test.each([
  [['--text', 'nothing.heap'], 3, 'nothing.heap'],
  [['--text', '.'], 3, 'folder'],
  [['holding-program'], 2, 'is a program; jem report needs a heap profile'],
  [['--leaks', '1.heap'], 2, 'two files at least'],
  [['--leaks', '--html', '1.heap', '2.heap'], 2, 'leave --html out'],
  [['--text', '--tree', '1.heap'], 2, 'exclude each other'],
  [['--focus', '(', '1.heap'], 2, 'Unterminated group'],
  [['--by', 'colour', '1.heap'], 2, 'function, file, line, package'],
  [['-o', 'a.doc', '1.heap'], 2, 'does not say in which format'],
  [['--gv', '1.heap'], 2, "--gv is jeprof's"],
  [['--fragmentation', '1.heap'], 3, 'no statistics of its size classes'],
  [['--fragmentation', '--stats', 'nothing', '1.heap'], 3, 'cannot read nothing'],
  [['--fragmentation', '1.heap', '2.heap'], 2, 'name one profile'],
  [['--temporary', 'a.capture.heap'], 3, 'what was ever allocated'],
  [['--alloc_space', '--text', 'a.capture.heap'], 3, 'what was ever allocated'],
  [['--recent', '1.heap', '1.heap'], 3, 'no list of recent allocations'],
])('jem report %j ends with %i', async (args, code, message) => {
  const ended = await report(...args);
  expect(ended).toMatchObject({ code, stdout: '' });
  expect(ended.stderr).toContain(message);
  expect(ended.stderr).toMatch(/\n {2}hint: \S/);
});
