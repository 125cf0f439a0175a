import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { describe, expect, test } from 'vitest';
import type { ProfilerStart, ProfilerStatus } from '../../src/model/profiler-outcome.js';
import { answerOfProfiled, applicationFolder } from '../support/profiled-program.js';
import { NODE_MAJORS, ROOT, temporaryFolder } from '../support/programs.js';

const MIB = 2 ** 20;

describe('start', () => {
  test('twice, and stop twice: what each came to', async () => {
    const seen = await answerOfProfiled<[ProfilerStart, ProfilerStatus, string, boolean[], boolean, string]>(
      `const first = profiler.start({ sampleBytes: 65536 });
       const state = profiler.state();
       const second = profiler.start({ sampleBytes: 4096 });
       const stopped = [profiler.stop(), profiler.stop()];
       const active = jemalloc.read('prof.active');
       answer([first, state, second.kind, stopped, active, (await profiler.snapshot()).kind]);`,
    );
    const [first, state, second, stopped, active, snapshot] = seen;
    expect(first).toEqual({ kind: 'profiling', sampleBytes: 65_536, threadPool: false });
    expect(state).toMatchObject({ started: true, active: true, sampleBytes: 65_536, native: { unwinder: 'jemkit' } });
    expect([second, stopped, active, snapshot]).toEqual(['already-profiling', [true, false], false, 'not-active']);
  });

  test.each([
    ['no-jemalloc', null],
    ['not-enabled', 'narenas:2'],
  ])('%s', async (kind, conf) => {
    const [started, snapshot, state] = await answerOfProfiled<[ProfilerStart, ProfilerStart, ProfilerStatus]>(
      'answer([profiler.start(), await profiler.snapshot(), profiler.state()]);',
      { conf },
    );
    expect(started).toEqual({ kind, cause: expect.any(String), remedy: expect.stringContaining('jem run') });
    expect(snapshot).toEqual(started);
    expect(state).toMatchObject({ started: false, active: false, whyNot: { kind } });
  });

  test('no-native-part', async () => {
    const folder = temporaryFolder('jemkit-profiler-');
    const to = join(folder, 'node_modules', 'jemkit');
    mkdirSync(to, { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(to, 'package.json'));
    cpSync(join(ROOT, 'dist', 'index.js'), join(to, 'dist', 'index.js'));
    const started = await answerOfProfiled<ProfilerStart>('answer(profiler.start());', { folder });
    expect(started).toMatchObject({ kind: 'no-native-part', remedy: expect.stringContaining('npm rebuild jemkit') });
  });

  test('beside somebody else who profiles: another-profiler, and snapshots work', async () => {
    const seen = await answerOfProfiled<string[]>(
      'answer([profiler.start().kind, (await profiler.snapshot({ symbols: false })).kind]);',
      { flags: ['--require', 'jemkit/profile'], env: { JEMKIT_PROFILE: '1' } },
    );
    expect(seen).toEqual(['another-profiler', 'snapshot']);
  });

  test('in a worker: the main thread’s to decide; its snapshots are the process’s', async () => {
    const folder = applicationFolder();
    writeFileSync(
      join(folder, 'worker.mjs'),
      `import { parentPort } from 'node:worker_threads';
       import { profiler } from 'jemkit';
       const snapshot = await profiler.snapshot({ symbols: false });
       parentPort.postMessage([profiler.start().kind, snapshot.kind, profiler.stop()]);`,
    );
    const seen = await answerOfProfiled<unknown>(
      `import { Worker } from 'node:worker_threads';
       const ask = () => new Promise((resolve, reject) => new Worker('./worker.mjs').on('message', resolve).on('error', reject));
       const before = await ask();
       profiler.start();
       const during = await ask();
       answer([before, during, profiler.stop()]);`,
      { folder },
    );
    expect(seen).toEqual([['worker', 'not-active', false], ['worker', 'snapshot', false], true]);
  });

  test('with a memory object that profiles: the last of both switches it off', async () => {
    const seen = await answerOfProfiled<unknown[]>(
      `const active = () => jemalloc.read('prof.active');
       const seen = [];
       const memory = createMemory({ memoryProfiling: true });
       seen.push(active(), profiler.start({ sampleBytes: 65536 }).kind, profiler.state().sampleBytes);
       memory.close();
       seen.push(active(), profiler.stop(), active());
       profiler.start();
       const other = createMemory({ memoryProfiling: true });
       profiler.stop();
       seen.push(active(), profiler.state().native.unwinder);
       other.close();
       answer([...seen, active()]);`,
    );
    expect(seen).toEqual([true, 'profiling', 65_536, true, true, false, true, 'jemkit', false]);
  });

  test('in a forked child, and in members of a cluster, it is their own', async () => {
    const seen = await answerOfProfiled<unknown[]>(
      `import { fork } from 'node:child_process';
       import cluster from 'node:cluster';
       if (process.argv[2] === 'child' || cluster.isWorker) {
         const seen = [profiler.state().active, profiler.start().kind];
         process.send(seen, () => process.exit());
       } else {
         profiler.start();
         const told = (child) => new Promise((resolve, reject) => child.on('message', resolve).on('error', reject));
         const child = await told(fork('app.mjs', ['child']));
         const member = await told(cluster.fork());
         answer([child, member, profiler.state().active]);
         process.exitCode = 0;
       }`,
    );
    expect(seen).toEqual([[false, 'profiling'], [false, 'profiling'], true]);
  });
});

describe('snapshot', () => {
  test.each(NODE_MAJORS)(
    'names the function that holds the memory, and is saved in each format (Node %i)',
    async (major) => {
      const folder = applicationFolder();
      const { bytes, total, names } = await answerOfProfiled<{ bytes: number; total: number; names: string[] }>(
        `profiler.start({ sampleBytes: 16384 });
       function holdBuffers(count) { for (let i = 0; i < count; i++) held.push(Buffer.allocUnsafeSlow(65536).fill(1)); }
       holdBuffers(400);
       const snapshot = await profiler.snapshot({ path: 'heap.pb.gz' });
       for (const name of ['heap.heap', 'heap.html', 'heap.svg']) await snapshot.save(name);
       const { profile } = snapshot;
       const { liveBytes } = profile.samples;
       answer({ bytes: bytesOf(profile, 'holdBuffers'), total: liveBytes.reduce((sum, bytes) => sum + bytes, 0), names: profile.strings.filter((text) => text.includes('app.mjs')) });`,
        { major, folder },
      );
      // 400 samples: 5 % are one deviation.
      expect(bytes).toBeGreaterThan(25 * MIB * 0.8);
      expect(bytes).toBeLessThan(25 * MIB * 1.2);
      expect(bytes).toBeLessThanOrEqual(total);
      expect(names).not.toEqual([]);
      const files = readdirSync(folder).filter((name) => name.startsWith('heap.'));
      expect(files.sort()).toEqual(['heap.heap', 'heap.html', 'heap.pb.gz', 'heap.svg']);
      for (const name of files) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
      const text = readFileSync(join(folder, 'heap.heap'), 'utf8');
      expect(text).toMatch(/^heap_v2\/16384\n[\s\S]*\nJEMKIT_END\n$/);
      const pprof = Profile.decode(gunzipSync(readFileSync(join(folder, 'heap.pb.gz'))));
      expect(pprof.stringTable.strings).toContain('holdBuffers');
      expect(readFileSync(join(folder, 'heap.html'), 'utf8')).toMatch(/^<!doctype html>/i);
      expect(readFileSync(join(folder, 'heap.svg'), 'utf8')).toContain('<svg');
    },
  );

  test('what it cannot do is an error that says so, and leaves nothing behind', async () => {
    const folder = applicationFolder();
    const seen = await answerOfProfiled<{ code: string; message: string; hint: string }[]>(
      `profiler.start();
       const failures = [];
       const tryTo = (promise) => promise.catch(({ code, message, hint }) => failures.push({ code, message, hint }));
       await tryTo(profiler.snapshot({ path: 'heap.json' }));
       await tryTo(profiler.snapshot({ path: 'nowhere/heap.heap', symbols: false }));
       await tryTo(profiler.snapshot({ symbol: false }));
       process.env.TMPDIR = '/nowhere';
       await tryTo(profiler.snapshot());
       answer(failures);`,
      { folder },
    );
    expect(seen.map(({ code }) => code)).toEqual(['ERR_JEM_USAGE', 'ERR_JEM_FILE', 'ERR_JEM_USAGE', 'ERR_JEM_FILE']);
    expect(seen[0]?.message).toContain('.heap, .pb.gz, .html, .svg');
    expect(seen[2]?.hint).toContain("'symbols'");
    expect(seen.every(({ hint }) => hint)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['app.mjs', 'node_modules']);
  });
});

describe('captures by themselves', () => {
  test('on SIGUSR2, by bytes, by time: files of the owner alone, the latest kept', async () => {
    const folder = applicationFolder();
    mkdirSync(join(folder, 'profiles'));
    const triggers = await answerOfProfiled<string[]>(
      `const triggers = [];
       profiler.start({
         folder: 'profiles', keep: 2, signal: 'SIGUSR2', everyBytes: 20 * 2 ** 20, sampleBytes: 65536,
         onCapture: ({ kind, path }, trigger) => triggers.push(kind + ' ' + trigger),
       });
       process.kill(process.pid, 'SIGUSR2');
       await until(() => triggers.length === 1);
       for (let i = 0; i < 400; i++) held.push(Buffer.allocUnsafeSlow(65536));
       await until(() => triggers.length === 2);
       process.kill(process.pid, 'SIGUSR2');
       await until(() => triggers.length === 3);
       profiler.stop();
       answer([...triggers, process.listenerCount('SIGUSR2')]);`,
      { folder },
    );
    expect(triggers).toEqual(['captured signal', 'captured bytes', 'captured signal', 0]);
    const files = readdirSync(join(folder, 'profiles'));
    expect(files).toHaveLength(2);
    for (const name of files) {
      expect(name).toMatch(/^jemkit-\d+-\d{8}T\d{6}Z(-\d+)?\.heap$/);
      expect(statSync(join(folder, 'profiles', name)).mode & 0o777).toBe(0o600);
    }
  });

  test('at a new peak, and at intervals', async () => {
    const folder = applicationFolder();
    const triggers = await answerOfProfiled<string[]>(
      `const triggers = new Set();
       profiler.start({ everyMs: 400, atPeak: true, onCapture: (_outcome, trigger) => triggers.add(trigger) });
       await until(() => triggers.has('time'));
       for (let i = 0; i < 400; i++) held.push(Buffer.allocUnsafeSlow(65536));
       await until(() => triggers.has('peak'));
       answer([...triggers].sort());`,
      { folder },
    );
    expect(triggers).toEqual(['peak', 'time']);
  });

  test('not into a folder where anybody could put another file in their place: warned of once', async () => {
    const folder = applicationFolder();
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o777);
    const seen = await answerOfProfiled<[string[], unknown[]]>(
      `const warnings = [];
       process.removeAllListeners('warning');
       process.on('warning', ({ code, message }) => warnings.push(code + ': ' + message));
       profiler.start({ folder: 'open', signal: 'SIGUSR2' });
       process.kill(process.pid, 'SIGUSR2');
       await until(() => warnings.length === 1);
       const outcomes = [];
       profiler.stop();
       profiler.start({ folder: 'nowhere', signal: 'SIGUSR2', onCapture: (outcome) => outcomes.push(outcome) });
       process.kill(process.pid, 'SIGUSR2');
       await until(() => outcomes.length === 1);
       answer([warnings, outcomes]);`,
      { folder },
    );
    expect(seen).toEqual([
      [
        expect.stringMatching(
          /^JEMKIT_PROFILER: no heap profile was written: anybody may replace files in .*\/open \(chmod o-w it\) \(told once\)$/,
        ),
      ],
      [{ kind: 'not-written', reason: expect.stringContaining('ENOENT') }],
    ]);
    expect(readdirSync(join(folder, 'open'))).toEqual([]);
  });

  test('do not keep the process alive', async () => {
    const folder = applicationFolder();
    await answerOfProfiled("profiler.start({ everyMs: 60_000, atPeak: true, signal: 'SIGUSR2' }); answer(1);", {
      folder,
    });
    expect(existsSync(join(folder, 'app.mjs'))).toBe(true);
  });
});
