import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AllocatorInfo } from '../../src/model/allocator-info.js';
import type { MemoryStats } from '../../src/model/memory-stats.js';
import type { OptimizeOutcome } from '../../src/model/optimize-outcome.js';
import {
  type Finished,
  jemallocLibrary,
  NODE_MAJORS,
  nodeBinary,
  ROOT,
  runProgram,
  temporaryFolder,
} from '../support/programs.js';

const MIB = 2 ** 20;

interface Started {
  readonly major?: (typeof NODE_MAJORS)[number];
  /** MALLOC_CONF, under jemalloc; undefined is the system's malloc. */
  readonly conf?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly flags?: readonly string[];
  readonly name?: string;
}

const HEAD = `
  const { createMemory, jemalloc, jemallocAvailable, availableAllocators } = await import('jemkit');
  const answer = (value) => console.log(JSON.stringify(value));
  /** Waits until it is so. */
  const until = async (isSo) => {
    for (const end = Date.now() + 20_000; !isSo(); ) {
      if (Date.now() > end) throw new Error('waited in vain: ' + isSo);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
`;

/** Runs a program of an application that has jemkit installed. */
async function run(
  body: string,
  { major = 20, conf, env, flags = [], name = 'app.mjs' }: Started = {},
): Promise<Finished> {
  const folder = temporaryFolder('jemkit-memory-');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'jemkit'));
  writeFileSync(join(folder, name), name.endsWith('.mjs') ? `${HEAD}\n${body}` : body);
  const preload = conf === undefined ? {} : { LD_PRELOAD: jemallocLibrary(), MALLOC_CONF: conf };
  return runProgram(nodeBinary(major), [...flags, name], {
    cwd: folder,
    env: { JEMKIT_AGENT_DIR: folder, JEMKIT_CACHE_DIR: join(folder, 'cache'), ...preload, ...env },
    timeoutMs: 60_000,
  });
}

/** What a program printed, where it ended well and said nothing else. */
async function answerOf<Answer>(body: string, started: Started = {}, said = ''): Promise<Answer> {
  const { code, signal, stdout, stderr } = await run(body, started);
  expect({ code, signal, stderr: stderr.trim() }).toEqual({ code: 0, signal: null, stderr: said });
  return JSON.parse(stdout) as Answer;
}

interface Seen {
  readonly has: boolean;
  readonly uses: boolean;
  readonly info: AllocatorInfo;
  readonly stats: MemoryStats;
  readonly later: MemoryStats;
  readonly optimized: OptimizeOutcome;
  readonly verdict: string;
  readonly suspicion: string;
  readonly samples: number;
}

/** Everything once, in one process. */
const TOUR = `
  const memory = createMemory({ useJemalloc: process.env.MALLOC_CONF !== undefined, memoryStatsInterval: 10 });
  let samples = 0;
  memory.on('sample', () => samples++);
  const info = memory.allocatorInfo();
  // What that has read of files is garbage now, and not to be counted below.
  memory.optimize({ gc: true });
  const stats = memory.stats({ proportional: true });
  let kept = Array.from({ length: 2000 }, () => Buffer.allocUnsafeSlow(5000).fill(1));
  let large = Array.from({ length: 48 }, () => Buffer.allocUnsafeSlow(1 << 20).fill(1));
  await until(() => samples >= 3);
  const later = memory.stats();
  const held = kept.length + large.length;
  kept = large = undefined;
  const optimized = memory.optimize({ gc: true });
  answer({ has: memory.hasJemalloc, uses: memory.useJemalloc, info, stats, later, optimized, verdict: memory.trend().verdict,
    suspicion: memory.suspicion().kind, samples, held });
  memory.close();
`;

describe.each(NODE_MAJORS)('on Node %i', (major) => {
  test('under jemalloc', async () => {
    const conf = 'dirty_decay_ms:-1,narenas:2,nonsense:1';
    const seen = await answerOf<Seen>(TOUR, { major, conf }, '<jemalloc>: Invalid conf pair: nonsense:1');
    const { info, stats, later, optimized } = seen;
    expect(seen).toMatchObject({ has: true, uses: true, verdict: 'too early', suspicion: 'too-early' });
    expect(info).toMatchObject({
      current: 'jemalloc',
      libraryPath: expect.stringContaining('libjemalloc'),
      arrival: 'preload',
      requested: true,
      enabled: true,
      canSwitch: false,
      profiling: { requested: false, on: false, compiledIn: true, enabled: false },
      tuning: { requested: false, on: false },
      observable: { kind: 'on' },
    });
    expect(info.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(info.whyNot).toBeUndefined();
    expect(info.available.map(({ allocator }) => allocator)).toContain('jemalloc');
    expect(info.conf).toMatchObject({
      text: 'dirty_decay_ms:-1,narenas:2',
      ignored: [{ key: 'nonsense', value: '1', from: 'MALLOC_CONF' }],
      options: { dirty_decay_ms: -1, narenas: 2, background_thread: false },
    });

    const heap = later.jemalloc!;
    expect(heap.activeBytes).toBeGreaterThanOrEqual(heap.allocatedBytes!);
    expect(heap.residentBytes).toBeGreaterThanOrEqual(heap.activeBytes!);
    expect(heap.fragmentation).toBeCloseTo((heap.activeBytes! - heap.allocatedBytes!) / heap.activeBytes!, 10);
    // Of one epoch: what was taken less what was given back is what is held, to the byte.
    expect(heap.allocationBytes! - heap.deallocationBytes!).toBe(heap.allocatedBytes);
    expect(heap.allocations! - heap.deallocations!).toBeGreaterThan(2000);
    expect(heap.allocatedBytes! - stats.jemalloc!.allocatedBytes!).toBeGreaterThan(50 * MIB);
    expect(later.peaks.allocatedBytes).toBeGreaterThanOrEqual(heap.allocatedBytes!);
    expect(later.rates?.overMs).toBeGreaterThan(0);
    expect(later.rates?.allocatedBytesPerSecond).toBeGreaterThanOrEqual(0);
    expect(later.v8!.arrayBuffersBytes - stats.v8!.arrayBuffersBytes).toBeGreaterThan(50 * MIB);
    expect(later.process.growthBytes).toBe(later.process.residentBytes! - later.process.baselineBytes!);

    expect(optimized).toMatchObject({ kind: 'purged', gc: 'done' });
    expect(optimized.returnedBytes).toBeGreaterThan(40 * MIB);
    expect(optimized.dirtyAfterBytes).toBeLessThan(8 * MIB);
    expect(optimized.summary).toMatch(/^\d+\.\d MiB came back of RSS/);
  });

  test('without jemalloc', async () => {
    const { has, info, stats, later, optimized } = await answerOf<Seen>(TOUR, { major });
    expect(has).toBe(false);
    expect(info).toMatchObject({
      current: 'system',
      arrival: 'system',
      enabled: false,
      whyNot: { cause: 'LD_PRELOAD was not set when it was started', remedy: expect.stringContaining('jem run') },
      profiling: { on: false },
      observable: { kind: 'on' },
    });
    expect(info.conf).toBeUndefined();
    expect(stats.jemalloc).toBeUndefined();
    expect(stats.rates?.allocationsPerSecond).toBeUndefined();
    expect(stats.process.residentBytes).toBeGreaterThan(20 * MIB);
    expect(stats.process.proportionalBytes).toBeGreaterThan(MIB);
    expect(stats.process.proportionalBytes).toBeLessThanOrEqual(stats.process.peakResidentBytes!);
    expect(later.process.proportionalBytes).toBeUndefined();
    expect(later.process.virtualBytes).toBeGreaterThan(later.process.residentBytes!);
    expect(later.process.peakResidentBytes).toBeGreaterThanOrEqual(later.process.residentBytes!);
    expect(later.v8!.heapUsedBytes).toBeGreaterThan(MIB);
    expect(optimized).toMatchObject({ kind: 'no-jemalloc', gc: 'done' });
    expect(optimized.dirtyBeforeBytes).toBeUndefined();
    // What glibc gives back of it is glibc's affair; that it is said as it is, is ours.
    const change = optimized.residentBeforeBytes! - optimized.residentAfterBytes!;
    expect(optimized.returnedBytes).toBe(Math.max(0, change));
    expect(optimized.summary).toMatch(change > 0 ? /came back of RSS/ : /nothing came back/);
  });

  test('a worker has its own V8, and the process’s jemalloc', async () => {
    const worker = `
      import { parentPort } from 'node:worker_threads';
      const { createMemory } = await import('jemkit');
      const memory = createMemory({ memoryStatsInterval: 0 });
      const heap = Array.from({ length: 400_000 }, (_, at) => ({ at }));
      let buffers = Array.from({ length: 20 }, () => Buffer.allocUnsafeSlow(1 << 20).fill(1));
      const held = buffers.length;
      const stats = memory.stats();
      buffers = undefined;
      const optimized = memory.optimize({ gc: true });
      parentPort.postMessage({ stats, gc: optimized.gc, after: memory.stats(), switchable: memory.allocatorInfo().canSwitch, heap: heap.length, held });
      memory.close();
    `;
    const { main, told } = await answerOf<{
      main: MemoryStats;
      told: { stats: MemoryStats; after: MemoryStats; gc: string; switchable: boolean };
    }>(
      `import { Worker } from 'node:worker_threads';
       import { writeFileSync } from 'node:fs';
       writeFileSync('worker.mjs', ${JSON.stringify(worker)});
       const memory = createMemory();
       const kept = Buffer.allocUnsafeSlow(64 << 20).fill(1);
       const told = await new Promise((resolve, reject) => new Worker('./worker.mjs').on('message', resolve).on('error', reject));
       answer({ main: memory.stats(), told, kept: kept.length });`,
      { major, conf: 'narenas:2' },
    );
    expect(told.stats.v8!.heapUsedBytes).toBeGreaterThan(10 * MIB);
    expect(main.v8!.heapUsedBytes).toBeLessThan(told.stats.v8!.heapUsedBytes);
    expect(told.stats.jemalloc!.allocatedBytes).toBeGreaterThan(80 * MIB);
    expect(told.gc).toBe('done');
    expect(told.stats.v8!.arrayBuffersBytes - told.after.v8!.arrayBuffersBytes).toBeGreaterThan(15 * MIB);
    expect(told.switchable).toBe(false);
  });
});

describe('heap profiling', () => {
  const active = "jemalloc.read('prof.active')";

  test('is on while one of the objects that asked for it is open', async () => {
    const seen = await answerOf(
      `const first = createMemory({ memoryProfiling: true });
       const second = createMemory({ memoryProfiling: true });
       const seen = [${active}, first.allocatorInfo().profiling];
       first.close();
       first.close();
       seen.push(${active}, second.allocatorInfo().profiling.on);
       second[Symbol.dispose]();
       seen.push(${active});
       jemalloc.write('prof.active', true);
       const third = createMemory({ memoryProfiling: true });
       third.close();
       answer([...seen, ${active}]);`,
      { conf: 'prof:true,prof_active:false' },
    );
    // It was on by itself before the third object: closing that leaves it on.
    const on = { requested: true, on: true, compiledIn: true, enabled: true };
    expect(seen).toEqual([true, on, true, true, false, true]);
  });

  test('is not for a worker, which may end at any moment: that is said, and nothing is left on', async () => {
    const worker = `
      import { parentPort } from 'node:worker_threads';
      const { createMemory } = await import('jemkit');
      parentPort.postMessage(createMemory({ memoryProfiling: true }).allocatorInfo().profiling);
      setInterval(() => {}, 1000);
    `;
    const [info, seen] = await answerOf<[AllocatorInfo['profiling'], boolean[]]>(
      `import { Worker } from 'node:worker_threads';
       import { writeFileSync } from 'node:fs';
       writeFileSync('worker.mjs', ${JSON.stringify(worker)});
       const worker = new Worker('./worker.mjs');
       const info = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
       const seen = [${active}];
       const memory = createMemory({ memoryProfiling: true });
       seen.push(${active});
       await worker.terminate();
       memory.close();
       answer([info, [...seen, ${active}]]);`,
      { conf: 'prof:true,prof_active:false' },
    );
    expect(info).toMatchObject({ requested: true, on: false, whyNot: { cause: expect.stringContaining('worker') } });
    expect(seen).toEqual([false, true, false]);
  });

  test('cannot be switched on where the process began without it, and that is said', async () => {
    const profiling = `answer([createMemory({ memoryProfiling: true }).allocatorInfo().profiling, ${active} ?? null]);`;
    const [info, isActive] = await answerOf<[AllocatorInfo['profiling'], boolean]>(profiling, { conf: 'narenas:2' });
    expect(info).toMatchObject({ requested: true, on: false, compiledIn: true, enabled: false });
    expect(info.whyNot?.cause).toMatch(/without prof:true/);
    expect(info.whyNot?.remedy).toContain('prof:true,prof_active:false');
    expect(isActive).toBe(false);
    const [without] = await answerOf<[AllocatorInfo['profiling']]>(profiling);
    expect(without.whyNot?.cause).toMatch(/jemalloc, which does not serve/);
  });
});

describe('the life of an object', () => {
  test('an open one does not keep the process alive', async () => {
    expect(
      await run("createMemory({ memoryStatsInterval: 10, pressure: true }).on('pressure', () => {}); answer(1);"),
    ).toMatchObject({
      code: 0,
      stdout: '1\n',
      stderr: '',
    });
  });

  test('close() ends the samples', async () => {
    const seen = await answerOf<number[]>(
      `const memory = createMemory({ memoryStatsInterval: 10 });
       let samples = 0;
       memory.on('sample', () => samples++);
       await until(() => samples > 2);
       memory.close();
       const before = samples;
       await new Promise((resolve) => setTimeout(resolve, 60));
       answer([before, samples]);`,
    );
    expect(seen[1]).toBe(seen[0]);
  });

  test('many that are left open are spoken of once', async () => {
    const { code, stderr } = await run(
      'for (let at = 0; at < 14; at++) createMemory(); for (let at = 0; at < 40; at++) createMemory().close();',
    );
    expect(code).toBe(0);
    expect(stderr.match(/JEMKIT_MEMORY_OBJECTS/g)).toHaveLength(1);
    expect(stderr).toContain('11 memory objects are open in this thread');
    const closed = await run('for (let at = 0; at < 40; at++) createMemory().close();');
    expect(closed).toMatchObject({ code: 0, stderr: '' });
  });

  test('the socket for others is there while it is open, and can be left out', async () => {
    const [on, while_, after, off] = await answerOf<unknown[]>(
      `import { existsSync } from 'node:fs';
       const memory = createMemory();
       const { observable } = memory.allocatorInfo();
       await until(() => existsSync(observable.path));
       memory.close();
       await until(() => !existsSync(observable.path));
       answer([observable, true, memory.allocatorInfo().observable, createMemory({ observable: false }).allocatorInfo().observable]);`,
    );
    expect(on).toMatchObject({ kind: 'on', path: expect.stringMatching(/\/jemkit-\d+\/\d+\.node\.sock$/) });
    expect(while_).toBe(true);
    expect([after, off]).toEqual([{ kind: 'off' }, { kind: 'off' }]);
    expect(existsSync((on as { path: string }).path)).toBe(false);
  });

  test('is shared by all copies of jemkit in a thread: it goes with the last', async () => {
    const seen = await answerOf<unknown[]>(
      `import { existsSync } from 'node:fs';
       import { pathToFileURL } from 'node:url';
       import { realpathSync } from 'node:fs';
       const copy = await import(pathToFileURL(realpathSync('node_modules/jemkit/dist/index.js')) + '?copy');
       const tuning = { intervalMs: 60_000 };
       const memory = createMemory({ tuning });
       const other = copy.createMemory({ tuning });
       const { path } = memory.allocatorInfo().observable;
       await until(() => existsSync(path));
       const tuned = [memory, other].map((object) => object.allocatorInfo().tuning.on);
       memory.close();
       await new Promise((resolve) => setTimeout(resolve, 50));
       const kept = existsSync(path);
       other.close();
       await until(() => !existsSync(path));
       answer([copy.createMemory === createMemory, tuned, kept]);`,
      { conf: 'narenas:2' },
    );
    expect(seen).toEqual([false, [true, false], true]);
  });

  test('where the socket cannot be opened the program does not notice', async () => {
    const observable = await answerOf<AllocatorInfo['observable']>(
      'answer(createMemory().allocatorInfo().observable);',
      {
        env: { JEMKIT_AGENT_DIR: '/proc/nowhere' },
      },
    );
    expect(observable).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/\w/) });
  });
});

describe('what is said unasked', () => {
  const meant = 'createMemory({ useJemalloc: true }); createMemory({ useJemalloc: true });';

  test('one warning where jemalloc is meant and is not there', async () => {
    const { code, stderr } = await run(meant);
    expect(code).toBe(0);
    expect(stderr.match(/\[JEMKIT_NO_JEMALLOC\] JemkitWarning: createMemory/g)).toHaveLength(1);
    expect(stderr).toContain('jem run -- node');
  });

  test('none under jemalloc, none in workers, none where jemkit is switched off', async () => {
    expect(await run(meant, { conf: 'narenas:2' })).toMatchObject({ code: 0, stderr: '' });
    expect(await run(meant, { env: { JEMKIT_DISABLE: '1' } })).toMatchObject({ code: 0, stderr: '' });
    const worker = `import { Worker, isMainThread } from 'node:worker_threads';
      if (isMainThread) new Worker(new URL(import.meta.url)); else { ${meant} }`;
    expect(await run(worker)).toMatchObject({ code: 0, stderr: '' });
  });

  test('none where it was dealt with: by the environment, or by ensureJemalloc()', async () => {
    expect(await run(meant, { env: { JEMKIT_FALLBACK: 'silent' } })).toMatchObject({ code: 0, stderr: '' });
    expect(await run(meant, { flags: ['--disable-warning=JEMKIT_NO_JEMALLOC'] })).toMatchObject({
      code: 0,
      stderr: '',
    });
    const handled = (fallback: string) =>
      `const { ensureJemalloc } = await import('jemkit');
       ensureJemalloc({ library: '/nowhere/libjemalloc.so.2', fallback: '${fallback}' }); ${meant}`;
    expect(await run(handled('silent'))).toMatchObject({ code: 0, stderr: '' });
    const { stderr } = await run(handled('warn'));
    expect(stderr).toMatch(/^jem: going on without jemalloc: .*\n$/);
  });

  test('a listener that fails, once; sampling goes on', async () => {
    const { code, stdout, stderr } = await run(
      `const memory = createMemory({ memoryStatsInterval: 10 });
       let calls = 0;
       memory.on('sample', () => { calls++; throw new TypeError('no such thing'); });
       await until(() => calls > 3);
       answer('done');`,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '"done"\n' });
    expect(stderr.match(/JEMKIT_LISTENER/g)).toHaveLength(1);
    expect(stderr).toContain('TypeError: no such thing');
  });
});

describe('pressure', () => {
  test('near a limit is told, acted on by the rungs that are on, and ended by close()', async () => {
    const events = await answerOf<{ kind: string; level: string; rung?: string }[]>(
      `const rungs = { decay: false, collect: false };
       const memory = createMemory({ memoryStatsInterval: 0, pressure: { limitBytes: 100e6, intervalMs: 20, rungs } });
       const events = [];
       memory.on('pressure', (event) => events.push(event));
       const kept = [];
       const timer = setInterval(() => kept.push(Buffer.allocUnsafeSlow(4 << 20).fill(1)), 10);
       await until(() => events.some(({ rung }) => rung === 'purge'));
       clearInterval(timer);
       memory.close();
       answer(events);`,
      { conf: 'narenas:2' },
    );
    expect(events[0]).toMatchObject({ kind: 'level', level: expect.stringMatching(/elevated|high|critical/) });
    expect([...new Set(events.flatMap(({ rung }) => rung ?? []))]).toEqual(['purge']);
    expect(events.at(-1)).toMatchObject({ kind: 'level', level: 'none' });
  });
});

describe('auto tuning', () => {
  test('is one for a process, told, and undone by close()', async () => {
    const { steps, infos, decay } = await answerOf<{
      steps: { key: string }[];
      infos: AllocatorInfo['tuning'][];
      decay: number[];
    }>(
      `const options = { memoryStatsInterval: 0, tuning: { intervalMs: 50 } };
       const decay = () => jemalloc.read('arena.0.dirty_decay_ms');
       const before = decay();
       const memory = createMemory(options);
       const second = createMemory(options);
       const infos = [memory, second].map((object) => object.allocatorInfo().tuning);
       const steps = [];
       memory.on('tuning', (step) => steps.push(step));
       const timer = setInterval(() => Array.from({ length: 50 }, () => Buffer.allocUnsafeSlow(1 << 20).fill(1)), 10);
       await until(() => steps.some(({ applied }) => applied));
       clearInterval(timer);
       second.close();
       memory.close();
       infos.push(memory.allocatorInfo().tuning);
       answer({ steps, infos, decay: [before, decay()] });`,
      { conf: 'dirty_decay_ms:10000,narenas:2' },
    );
    expect(steps.length).toBeGreaterThan(0);
    expect(infos[0]).toMatchObject({ requested: true, on: true });
    expect(infos[1]).toMatchObject({
      requested: true,
      on: false,
      whyNot: { cause: expect.stringContaining('another') },
    });
    expect(infos[2]).toMatchObject({ on: false, whyNot: { cause: expect.stringContaining('closed') } });
    expect(decay[1]).toBe(decay[0]);
  });

  test('is not for a process without jemalloc, which is said', async () => {
    const tuning = await answerOf<AllocatorInfo['tuning']>(
      'answer(createMemory({ autoMemoryTuning: true }).allocatorInfo().tuning);',
    );
    expect(tuning).toMatchObject({ on: false, whyNot: { cause: expect.stringContaining('nothing to tune') } });
  });
});

describe('a real leak', () => {
  test('is told by growth, with its slope', async () => {
    const { told, suspicion } = await answerOf<{
      told: { verdict: string; resident: { bytesPerHour: number; lowBytesPerHour: number } };
      suspicion: string;
    }>(
      `const memory = createMemory({ memoryStatsInterval: 10, trend: { warmUpMs: 0, minimumSpanMs: 300, minimumSamples: 20 } });
       const kept = [];
       memory.on('sample', () => kept.push(Buffer.allocUnsafeSlow(1 << 20).fill(1)));
       let told;
       memory.once('growth', (trend) => { told = trend; });
       await until(() => told);
       answer({ told, suspicion: memory.suspicion().kind });
       memory.close();`,
      { conf: 'narenas:2' },
    );
    expect(told.verdict).toBe('growing');
    // It is Buffers that are kept.
    expect(suspicion).toBe('v8');
    expect(told.resident.lowBytesPerHour).toBeGreaterThan(0);
    // At most a megabyte each 10 ms.
    expect(told.resident.bytesPerHour).toBeLessThan(400_000 * MIB);
  });
});

describe('the package', () => {
  test("require('jemkit') gives the same", async () => {
    const { code, stdout } = await run(
      `const { createMemory, jemallocAvailable, availableAllocators } = require('jemkit');
       const memory = createMemory();
       console.log(JSON.stringify([memory.stats().process.residentBytes > 0, jemallocAvailable(), availableAllocators().at(-1)]));
       memory.close();`,
      { name: 'app.cjs' },
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual([true, true, { allocator: 'system' }]);
  });

  test('what is misspelled is refused, with what was meant', async () => {
    const { code, stderr } = await run('createMemory({ memoryStatInterval: 5 });');
    expect(code).toBe(1);
    expect(stderr).toContain("createMemory: no option 'memoryStatInterval'");
    expect(stderr).toContain("did you mean 'memoryStatsInterval'?");
  });

  test('without a library on the machine jemalloc is not available', async () => {
    const answer = await answerOf<unknown[]>(
      "answer([jemallocAvailable({ JEMKIT_LIBRARY: '/nowhere/libjemalloc.so.2' }), availableAllocators({ JEMKIT_LIBRARY: '/nowhere/libjemalloc.so.2' }).map(({ allocator }) => allocator)]);",
    );
    expect(answer[0]).toBe(false);
    expect(answer[1]).not.toContain('jemalloc');
  });
});
