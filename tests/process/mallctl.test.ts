import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compareJemallocVersions, parseJemallocVersion } from '../../src/model/jemalloc-version.js';
import type { MallctlRow } from '../../src/model/mallctl-keys/row.js';
import { MALLCTL_KEYS, type MallctlKey } from '../../src/model/mallctl-keys.js';
import { compileLibrary } from '../support/compile.js';
import { jemallocLibrary, ROOT, type RunOptions, runProgram, temporaryFolder } from '../support/programs.js';

const PROGRAMS = join(ROOT, 'tests', 'support', 'mallctl');
const DIST = join(ROOT, 'dist');

/** Runs node and gives what it printed as JSON. */
async function answerOf<Answer>(args: readonly string[], env: RunOptions['env'] = {}): Promise<Answer> {
  const { code, signal, stdout, stderr } = await runProgram(process.execPath, args, { env, timeoutMs: 60_000 });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as Answer;
}

/** The body of an async function that has the façade and its parts; what it returns is printed, a bigint as text with an n. */
const script = (body: string) => [
  '--input-type=module',
  '-e',
  `import { jemalloc } from '${DIST}/control/mallctl/jemalloc.js';
   import { writeMallctl } from '${DIST}/control/mallctl/write-mallctl.js';
   import { MAIN_COUNTERS, MAIN_COUNTER_KEYS } from '${DIST}/model/main-counters.js';
   import { mallctlAddon } from '${DIST}/native.js';
   import { readMallctl, refreshMallctl } from '${DIST}/sources/mallctl/read-mallctl.js';
   import { openMallctlSampler } from '${DIST}/sources/mallctl/sampler.js';
   const plain = (key, value) => typeof value === 'bigint' ? value + 'n' : value === undefined ? 'undefined' : value;
   console.log(JSON.stringify(await (async () => {${body}})(), plain));`,
];

const preload = (conf?: string): NonNullable<RunOptions['env']> => ({
  LD_PRELOAD: jemallocLibrary(),
  MALLOC_CONF: conf,
});

describe('every readable key of the table, at every index of the real library', () => {
  /** What read-every-key.mjs says. */
  interface EveryKey {
    readonly version: string;
    readonly arenas: readonly number[];
    readonly truths: Readonly<Record<string, boolean>>;
    readonly keys: Readonly<
      Record<
        string,
        {
          readonly kinds: Readonly<Record<string, number>>;
          readonly wrongTypes: readonly string[];
          readonly disagreeing: readonly string[];
          readonly sizes: readonly { readonly errno: number; readonly bytes: number }[];
        }
      >
    >;
  }

  let seen: EveryKey;
  beforeAll(async () => {
    const conf = 'prof:true,prof_active:true,lg_prof_sample:12,prof_stats:true';
    // Not answerOf: an older library warns of options it does not have.
    const { stdout } = await runProgram(process.execPath, [join(PROGRAMS, 'read-every-key.mjs')], {
      env: preload(conf),
    });
    seen = JSON.parse(stdout) as EveryKey;
  });

  /** Whether this library has it; undefined where that cannot be told. */
  function isExpected(row: MallctlRow): boolean | undefined {
    const version = parseJemallocVersion(seen.version);
    if (!version) return undefined;
    const early = compareJemallocVersions(version, row.since) < 0;
    const late = row.removedIn !== undefined && compareJemallocVersions(version, row.removedIn) >= 0;
    // A build between two releases has some of what the next one has, and may lack what it lacks.
    const between = !seen.version.startsWith(`${version}-0-`);
    if (between && (early || row.removedIn)) return undefined;
    if (early || late) return false;
    if (row.needs && !seen.truths[row.needs]) return false;
    return row.perhapsAbsent ? undefined : true;
  }

  const readable = Object.entries(MALLCTL_KEYS).filter(
    ([, row]) => row.access === 'read' || row.access === 'read-write',
  );

  test.each(readable as [MallctlKey, MallctlRow][])('%s', (key, row) => {
    const { kinds, wrongTypes, disagreeing, sizes } = seen.keys[key]!;
    expect(Object.keys(kinds).filter((kind) => !['value', 'unset', 'inexact', 'absent'].includes(kind))).toEqual([]);
    const expected = isExpected(row);
    if (expected !== undefined) expect(Object.keys(kinds).some((kind) => kind !== 'absent')).toBe(expected);
    expect(wrongTypes).toEqual([]);
    expect(disagreeing).toEqual([]);
    // Asked for another size it is refused. Releases before 5.3 do not say the right one.
    const bytes = { bool: 1, unsigned: 4, uint32_t: 4, prof_stats_t: 16 }[row.type as string] ?? 8;
    for (const { errno, bytes: said } of sizes) expect([errno, said === 0 ? bytes : said]).toEqual([22, bytes]);
  });

  test('the arenas and size classes are all there', () => {
    const { value: bins } = seen.keys['arenas.bin.<i>.size']!.kinds;
    expect(bins).toBe(36);
    const counted = seen.truths['config.stats'] ? 36 * seen.arenas.length : undefined;
    expect(seen.keys['stats.arenas.<i>.bins.<j>.curregs']!.kinds['value']).toBe(counted);
  });
});

describe('reading', () => {
  test('statistics agree with each other', async () => {
    const values = await answerOf<Record<string, number>>(
      script(`jemalloc.refresh();
        const of = (name) => jemalloc.readNumber('stats.' + name);
        return Object.fromEntries(['allocated', 'active', 'resident', 'mapped', 'metadata', 'arenas.4096.base', 'arenas.4096.internal',
          'arenas.4096.small.allocated', 'arenas.4096.large.allocated'].map((name) => [name, of(name)]));`),
      preload(),
    );
    expect(values['active']).toBeGreaterThanOrEqual(values['allocated']!);
    expect(values['resident']).toBeGreaterThanOrEqual(values['active']!);
    expect(values['mapped']).toBeGreaterThanOrEqual(values['active']!);
    expect(values['metadata']).toBe(values['arenas.4096.base']! + values['arenas.4096.internal']!);
    expect(values['allocated']).toBe(values['arenas.4096.small.allocated']! + values['arenas.4096.large.allocated']!);
  });

  test('stand still between two refreshes, and see an allocation after one', async () => {
    const [before, between, after] = await answerOf<number[]>(
      script(`jemalloc.refresh();
        const before = jemalloc.read('stats.allocated');
        const kept = Buffer.allocUnsafeSlow(64 << 20);
        const between = jemalloc.read('stats.allocated');
        jemalloc.refresh();
        return [before, between, jemalloc.read('stats.allocated'), kept.length];`),
      preload(),
    );
    expect(between).toBe(before);
    expect(after! - before!).toBeGreaterThan(60 << 20);
  });

  test('64-bit values are exact, and a size that no number holds is not rounded', async () => {
    const answer = await answerOf(
      script(`const most = 2n ** 64n - 1n;
        jemalloc.write('arenas.dirty_decay_ms', -1n);
        const options = [jemalloc.read('arenas.dirty_decay_ms'), jemalloc.readExact('arenas.dirty_decay_ms')];
        const limit = jemalloc.readExact('arena.0.retain_grow_limit');
        jemalloc.write('thread.tcache.enabled', true);
        const oversize = jemalloc.write('arena.0.oversize_threshold', most)
          ? [readMallctl('arena.0.oversize_threshold'), jemalloc.readExact('arena.0.oversize_threshold')] : undefined;
        return { options, limit, oversize };`),
      preload(),
    );
    expect(answer).toMatchObject({ options: [-1, '-1n'], limit: `${7n << 60n}n` });
    const { oversize } = answer as { oversize: unknown };
    if (oversize !== 'undefined') {
      expect(oversize).toEqual([{ kind: 'inexact', exact: `${2n ** 64n - 1n}n` }, `${2n ** 64n - 1n}n`]);
    }
  });

  test('nothing at an index is undefined, as is a key of another release', async () => {
    const answer = await answerOf(
      script(`return ['stats.arenas.4000.pdirty', 'stats.arenas.0.bins.36.curregs', 'stats.arenas.4294967295.pdirty',
        'arena.4096.dirty_decay_ms', 'arena.4097.dirty_decay_ms', 'arena.' + jemalloc.read('arenas.narenas') + '.muzzy_decay_ms',
        'stats.arenas.4294967296.pdirty', 'stats.arenas.9999999999.pdirty', 'arena.4000.dirty_decay_ms', 'arenas.bin.99.size']
        .map((name) => readMallctl(name).kind);`),
      preload(),
    );
    expect(answer).toEqual(Array.from({ length: 10 }, () => 'absent'));
  });

  test('names and types that are none do no harm', async () => {
    const answer = await answerOf(
      script(`const addon = mallctlAddon();
        const refused = ['', '.', '..', 'stats.', 'x'.repeat(10_000), 'stats.' + 'a.'.repeat(80) + 'b', 'stats\\0.allocated', 'tcache.create',
          'arenas.create', 'arena.0.name', 'nonsense'].map((name) => addon.mallctlRead(name, 4, 0).errno);
        const wrong = [[], ['version'], ['version', 99, 0], ['version', 0, 0], [1, 8, 0], ['version', 'x', 0]].map((args) => {
          try { return addon.mallctlRead(...args); } catch (error) { return error.constructor.name; }
        });
        return { refused, wrong };`),
      preload(),
    );
    expect(answer).toEqual({
      refused: [2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2],
      wrong: Array.from({ length: 6 }, () => 'TypeError'),
    });
  });
});

describe('writing', () => {
  test('does what it says, and tells what was before', async () => {
    const answer = await answerOf(
      script(`const arena = 'arena.0.dirty_decay_ms';
        return {
          before: jemalloc.update('arenas.dirty_decay_ms', 777), after: jemalloc.read('arenas.dirty_decay_ms'),
          arena: [jemalloc.update(arena, 5n), jemalloc.read(arena)],
          threads: [jemalloc.update('background_thread', true), jemalloc.update('background_thread', false), jemalloc.read('background_thread')],
          dss: [jemalloc.read('arena.0.dss'), jemalloc.write('arena.0.dss', 'disabled'), jemalloc.read('arena.0.dss')],
          purged: jemalloc.write('arena.4096.purge'), decayed: jemalloc.write('arena.0.decay'), flushed: jemalloc.write('thread.tcache.flush'),
          reset: jemalloc.write('stats.mutexes.reset'), epoch: jemalloc.update('epoch', 1),
          nowhere: jemalloc.write('arena.4000.dirty_decay_ms', 5), neverUsed: jemalloc.write('arena.4000.purge'),
        };`),
      preload('dirty_decay_ms:10000'),
    );
    expect(answer).toMatchObject({
      before: 10_000,
      after: 777,
      arena: [10_000, 5],
      threads: [false, true, false],
      dss: ['secondary', true, 'disabled'],
      purged: true,
      decayed: true,
      flushed: true,
      reset: true,
      nowhere: false,
      neverUsed: false,
    });
  });

  test('a purge gives dirty pages back', async () => {
    const [before, after] = await answerOf<number[]>(
      script(`const dirty = () => { jemalloc.refresh(); return jemalloc.read('stats.arenas.4096.pdirty'); };
        let kept = Array.from({ length: 64 }, () => Buffer.allocUnsafeSlow(1 << 20).fill(1));
        kept = undefined;
        globalThis.gc();
        await new Promise((resolve) => setImmediate(resolve));
        const before = dirty();
        jemalloc.write('arena.4096.purge');
        return [before, dirty()];`).toSpliced(0, 0, '--expose-gc'),
      preload('dirty_decay_ms:-1,background_thread:false'),
    );
    expect(before).toBeGreaterThan(1000);
    expect(after).toBeLessThan(before! / 4);
  });

  test('what jemalloc does not take is said, and changes nothing', async () => {
    const answer = await answerOf(
      script(`const before = jemalloc.read('arena.0.dirty_decay_ms');
        return [writeMallctl('arena.0.dirty_decay_ms', -5), writeMallctl('max_background_threads', 1000), writeMallctl('arena.0.dss', 'bogus'),
          jemalloc.read('arena.0.dirty_decay_ms') === before];`),
      preload(),
    );
    expect(answer).toEqual([
      { kind: 'failed', errno: 14 },
      { kind: 'failed', errno: 22 },
      { kind: 'failed', errno: 22 },
      true,
    ]);
  });

  test('the addon itself refuses what can corrupt the process', async () => {
    const answer = await answerOf(
      script(`const addon = mallctlAddon();
        const errors = ['arena.0.reset', 'arena.12.destroy', 'tcache.flush', 'tcache.destroy', 'thread.arena', 'arena.0.extent_hooks',
          'experimental.hooks.prof_backtrace', 'arenas.create'].map((name) => addon.mallctlWrite(name, 2, 1n, 0, 0).errno);
        const wrong = [['epoch', 6, 1, 0, 0], ['epoch', 6, -1n, 0, 0], ['epoch', 6, 2n ** 64n, 0, 0], ['max_background_threads', 2, 2n ** 32n, 0, 0],
          ['prof.dump', 8, 'a\\0b', 0, 0], ['prof.dump', 8, 'x'.repeat(5000), 0, 0], ['epoch', 6, 1n, 9, 0], ['epoch', 6, 1n]].map((args) => {
          try { return addon.mallctlWrite(...args); } catch (error) { return error.constructor.name; }
        });
        return { errors, wrong, sizes: [['arenas.dirty_decay_ms', 1, true, 0, 0], ['version', 6, 1n, 0, 0], ['arena.0.dss', 6, 1n, 0, 0], ['arena.0.dss', 8, undefined, 0, 0],
            ['epoch', 8, 'x', 0, 0]].map((args) => addon.mallctlWrite(...args).errno) };`),
      preload(),
    );
    expect(answer).toEqual({
      errors: Array.from({ length: 8 }, () => 1),
      wrong: Array.from({ length: 8 }, () => 'TypeError'),
      sizes: [22, 22, 22, 22, 22],
    });
  });

  test('heap profiles and texts', async () => {
    const folder = temporaryFolder();
    const answer = await answerOf<Record<string, unknown>>(
      script(`return {
        there: jemalloc.read('config.prof'),
        active: [jemalloc.update('prof.active', true), jemalloc.read('prof.active')],
        name: [jemalloc.write('thread.prof.name', 'main thread'), jemalloc.read('thread.prof.name')],
        sample: [jemalloc.write('prof.reset', 13), jemalloc.read('prof.lg_sample')],
        kept: Buffer.allocUnsafeSlow(1 << 20).length,
        dump: jemalloc.write('prof.dump', '${folder}/a.heap'),
        nowhere: writeMallctl('prof.dump', '${folder}/no/such/folder/a.heap'),
      };`),
      preload('prof:true,prof_active:false'),
    );
    expect(answer).toMatchObject({
      there: true,
      active: [false, true],
      name: [true, 'main thread'],
      sample: [true, 13],
      dump: true,
      nowhere: { kind: 'failed' },
    });
    expect(existsSync(join(folder, 'a.heap'))).toBe(true);
    expect(readFileSync(join(folder, 'a.heap'), 'utf8')).toMatch(/^heap_v2\/8192\n/);
  });
});

describe('the sampler', () => {
  test('takes what reading key by key gives, into the same array', async () => {
    const answer = await answerOf<{
      names: string[];
      counters: (number | null)[];
      read: (number | string)[];
      same: boolean;
      grown: number;
    }>(
      script(`const sampler = openMallctlSampler();
        const unsampled = [sampler.valueOf('epoch'), sampler.valueOf('allocatedBytes')];
        const first = sampler.counters;
        const refreshed = sampler.sample();
        const counters = [...sampler.counters];
        const read = MAIN_COUNTER_KEYS.map((key) => jemalloc.readNumber(key));
        const kept = Buffer.allocUnsafeSlow(8 << 20);
        sampler.sample();
        return { names: MAIN_COUNTERS, counters, read, refreshed, unsampled, same: first === sampler.counters, kept: kept.length,
          grown: sampler.valueOf('threadAllocatedBytes') - counters[MAIN_COUNTERS.indexOf('threadAllocatedBytes')],
          large: jemalloc.readNumber('stats.arenas.4096.large.allocated') - sampler.valueOf('largeAllocatedBytes'),
          dirty: jemalloc.readNumber('stats.arenas.4096.pdirty') * jemalloc.readNumber('arenas.page') - sampler.valueOf('dirtyBytes'), page: sampler.valueOf('pageBytes') };`),
      preload(),
    );
    expect(answer).toMatchObject({
      refreshed: true,
      unsampled: ['undefined', 'undefined'],
      same: true,
      large: 0,
      dirty: 0,
    });
    expect(answer.grown).toBeGreaterThanOrEqual(8 << 20);
    answer.read.forEach((value, at) => {
      const counter = answer.counters[at];
      // What belongs to the thread goes on changing.
      if (answer.names[at]!.startsWith('thread') && typeof value === 'number') expect(counter).toBeGreaterThan(0);
      else expect(counter === null ? 'undefined' : counter, answer.names[at]).toBe(value);
    });
  });

  test('leaves nothing to be collected', async () => {
    const grown = await answerOf<number>(
      script(`const sampler = openMallctlSampler();
        for (let at = 0; at < 20_000; at++) sampler.sample();
        globalThis.gc();
        const before = process.memoryUsage().heapUsed;
        for (let at = 0; at < 60_000; at++) sampler.sample();
        return process.memoryUsage().heapUsed - before;`).toSpliced(0, 0, '--expose-gc'),
      preload(),
    );
    // Far less than one object per sample: what else V8 does meanwhile.
    expect(grown).toBeLessThan(60_000 * 4);
  });

  test('refuses an array that is too short, of another kind, or detached', async () => {
    const answer = await answerOf(
      script(`const fill = mallctlAddon().openMallctlSampler(['stats.allocated', 'stats.active'], [4, 4]);
        const detached = new Float64Array(2);
        structuredClone(detached.buffer, { transfer: [detached.buffer] });
        const right = new Float64Array(2);
        const bad = [[new Float64Array(1)], [new BigInt64Array(2)], [detached], [[]], [], [undefined]].map((args) => {
          try { return fill(...args); } catch (error) { return error.constructor.name; }
        });
        const unknown = mallctlAddon().openMallctlSampler(['stats.nonsense', 'tcache.create'], [4, 2]);
        const missing = new Float64Array(2);
        unknown(missing);
        const wrong = [[], [['x'], []], [['x'], [8]], [[1], [4]], ['x', 'y']].map((args) => {
          try { return mallctlAddon().openMallctlSampler(...args); } catch (error) { return error.constructor.name; }
        });
        return { bad, right: [fill(right), right[1] >= right[0]], missing: [...missing].map(Number.isNaN), wrong };`),
      preload(),
    );
    expect(answer).toEqual({
      bad: Array.from({ length: 6 }, () => 'TypeError'),
      right: [0, true],
      missing: [true, true],
      wrong: Array.from({ length: 5 }, () => 'TypeError'),
    });
  });
});

describe('where it runs', () => {
  test.each([
    ['with profiling', 'prof:true,prof_active:false'],
    ['without', undefined],
  ])('whatever the addon is asked, nothing crashes: %s', async (_, conf) => {
    // In a folder of its own: among what is asked are heap profiles.
    const options = { env: preload(conf), cwd: temporaryFolder(), timeoutMs: 60_000 };
    const { code, signal, stdout } = await runProgram(process.execPath, [join(PROGRAMS, 'ask-anything.mjs')], options);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    const { calls, answers } = JSON.parse(stdout) as { calls: number; answers: number };
    expect(calls).toBeGreaterThan(10_000);
    expect(answers).toBeGreaterThan(1000);
  });

  test('without jemalloc: nothing throws, nothing is measured', async () => {
    const answer = await answerOf(
      script(`return [refreshMallctl(), readMallctl('stats.allocated'), writeMallctl('arena.0.purge'), jemalloc.refresh(), jemalloc.read('version'),
        jemalloc.write('arenas.dirty_decay_ms', 5), jemalloc.update('arenas.dirty_decay_ms', 5), openMallctlSampler()];`),
    );
    const none = { kind: 'no-jemalloc' };
    expect(answer).toEqual([none, none, none, false, 'undefined', false, 'undefined', 'undefined']);
  });

  test('without the addon: the same', async () => {
    const folder = temporaryFolder();
    cpSync(DIST, join(folder, 'dist'), { recursive: true });
    const body = script(
      `return [readMallctl('stats.allocated'), jemalloc.read('version'), openMallctlSampler(), jemalloc.refresh()];`,
    );
    const answer = await answerOf(
      body.map((text) => text.replaceAll(DIST, join(folder, 'dist'))),
      preload(),
    );
    expect(answer).toEqual([{ kind: 'no-jemalloc' }, 'undefined', 'undefined', false]);
  });

  test('in 50 workers that come and go, every third ended in the middle', async () => {
    const { started, reads, least } = await answerOf<{ started: number; reads: number; least: number }>(
      [join(PROGRAMS, 'read-in-workers.mjs')],
      preload('background_thread:true'),
    );
    expect(started).toBe(50);
    expect(reads).toBeGreaterThan(10);
    // Each worker counts its own thread.
    expect(least).toBeGreaterThanOrEqual(1 << 20);
  });

  test('in a cluster each process has its own', async () => {
    const answers = await answerOf<{ pid: number; kept: number; allocated: number; decay: number; code?: number }[]>(
      [join(PROGRAMS, 'read-in-cluster.mjs')],
      preload('dirty_decay_ms:10000'),
    );
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(3);
    expect(answers.map(({ decay }) => decay)).toEqual([1234, 10_000, 10_000]);
    expect(answers.map(({ code }) => code)).toEqual([undefined, 0, 0]);
    for (const { kept, allocated } of answers) expect(allocated).toBeGreaterThan(kept);
  });

  test('twice in one process, as two copies of the addon', async () => {
    const folder = temporaryFolder();
    const prebuilds = join(ROOT, 'prebuilds');
    const own = readdirSync(prebuilds).find((name) => /^(linux|darwin)-[a-z0-9]+(-(glibc|musl))?$/.test(name))!;
    cpSync(join(prebuilds, own, 'jemkit.node'), join(folder, 'copy.node'));
    const answer = await answerOf(
      script(`const { createRequire } = await import('node:module');
        const require = createRequire(import.meta.url);
        const again = { exports: {} };
        process.dlopen(again, '${join(prebuilds, own, 'jemkit.node')}');
        const versions = [mallctlAddon(), require('${folder}/copy.node'), again.exports].map((addon) => addon.mallctlRead('version', 8, 0));
        return [new Set(versions).size, openMallctlSampler().sample(), openMallctlSampler().sample()];`),
      preload(),
    );
    expect(answer).toEqual([1, true, true]);
  });

  test.each(['je_', '_rjem_'])(
    'under the prefix %s, and a size that is not the table’s is an error, not a value',
    async (prefix) => {
      const source = readFileSync(join(PROGRAMS, 'fake-jemalloc.c'), 'utf8');
      const library = compileLibrary(temporaryFolder(), 'fake.so', source, [`-DPREFIX=${prefix}`]);
      const answer = await answerOf(
        script(`return [jemalloc.read('version'), jemalloc.refresh(), jemalloc.read('epoch'), jemalloc.update('epoch', 1), readMallctl('stats.allocated'),
        readMallctl('stats.active'), (() => { try { jemalloc.read('stats.allocated'); } catch (error) { return error.message; } })()];`),
        { LD_PRELOAD: library },
      );
      expect(answer).toEqual([
        '9.9.9-fake',
        true,
        '8n',
        expect.stringMatching(/n$/),
        { kind: 'size-mismatch', type: 'size_t', actualBytes: 4 },
        { kind: 'absent' },
        "this jemalloc's 'stats.allocated' has another size than a size_t (4 bytes); nothing was done",
      ]);
    },
  );
});
