import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PRESETS } from '../../src/model/malloc-conf-presets.js';
import type { PressureEvent, PressureLevelEvent, PressureRungEvent } from '../../src/model/memory-pressure.js';
import type { TuningStep } from '../../src/model/tuning.js';
import { jemallocLibrary, ROOT, type RunOptions, runProgram, temporaryFolder } from '../support/programs.js';

const DIST = join(ROOT, 'dist');
const MIB = 2 ** 20;

/** Runs the body of an async function beside what it needs, and gives what it returns. */
async function answerOf<Answer>(body: string, env: RunOptions['env'] = {}): Promise<Answer> {
  const script = `
    import { jemalloc } from '${DIST}/control/mallctl/jemalloc.js';
    import { openPressureLadder } from '${DIST}/control/pressure/pressure-ladder.js';
    import { collectGarbage } from '${DIST}/control/pressure/collect-garbage.js';
    import { openAutoTuner } from '${DIST}/control/tuning/auto-tuner.js';
    import { readProcessMemory } from '${DIST}/sources/procfs/process-memory.js';
    const MIB = 2 ** 20;
    const anonymous = () => readProcessMemory('self').anonymousBytes;
    const resident = () => process.memoryUsage.rss();
    // Many blocks that are touched; each a slab of its own.
    const hold = (mib) => Array.from({ length: mib * 4 }, () => Buffer.allocUnsafeSlow(256 * 1024).fill(1));
    const settle = async () => { for (let turn = 0; turn < 3; turn++) { collectGarbage(); await new Promise(setImmediate); } };
    const until = async (holds, what) => {
      const end = Date.now() + 20_000;
      while (!holds()) {
        if (Date.now() > end) throw new Error('waited 20 s for ' + what + '; ' + JSON.stringify(events));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const events = [];
    const onEvent = (event) => events.push(event);
    const is = (rung) => (event) => event.kind === 'rung' && event.rung === rung;
    const left = () => events.some((event) => event.kind === 'level' && event.level === 'none');
    console.log(JSON.stringify(await (async () => {${body}})()));`;
  const { code, signal, stdout, stderr } = await runProgram(process.execPath, ['--input-type=module', '-e', script], {
    env,
  });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as Answer;
}

/** Nothing is purged but on demand. */
const HOARDING = 'narenas:2,dirty_decay_ms:-1,muzzy_decay_ms:0,background_thread:false';

const preload = (conf: string): NonNullable<RunOptions['env']> => ({
  LD_PRELOAD: jemallocLibrary(),
  MALLOC_CONF: conf,
});

const rungsOf = (events: readonly PressureEvent[]) =>
  events.filter((event): event is PressureRungEvent => event.kind === 'rung');
const levelsOf = (events: readonly PressureEvent[]) =>
  events.filter((event): event is PressureLevelEvent => event.kind === 'level');

describe('the real ladder', () => {
  test('near the limit it purges, resident memory comes down, and the pressure is over', async () => {
    const { events, residentBytes } = await answerOf<{ events: PressureEvent[]; residentBytes: [number, number] }>(
      `let held = hold(200);
       held = undefined;
       await settle();
       const before = resident();
       const ladder = openPressureLadder({
         limitBytes: anonymous() / 0.92, intervalMs: 20, leaveAfterMs: 100, rungs: { collect: false }, onEvent,
       });
       await until(left, 'the end of the pressure');
       ladder.close();
       return { events, residentBytes: [before, resident()] };`,
      preload(HOARDING),
    );
    expect(levelsOf(events)[0]?.level).toMatch(/^(high|critical)$/);
    expect(levelsOf(events).at(-1)?.level).toBe('none');
    expect(levelsOf(events)[0]?.reason).toMatch(
      /^\d+ MiB of \d+ MiB used \(9\d %; limit set for this process’s anonymous memory\)$/,
    );
    const [purge] = rungsOf(events);
    expect(purge).toMatchObject({ rung: 'purge', outcome: { kind: 'done' } });
    expect(purge!.beforeBytes! - purge!.afterBytes!).toBeGreaterThan(100 * MIB);
    expect(residentBytes[0] - residentBytes[1]).toBeGreaterThan(100 * MIB);
  });

  test('live memory at the limit: every rung in its order, one profile, the handler told of the end too', async () => {
    const folder = temporaryFolder();
    const { events, signals, residentBytes } = await answerOf<{
      events: PressureEvent[];
      signals: { kind: string; level: string }[];
      residentBytes: number;
    }>(
      `jemalloc.write('prof.active', true);
       let held = hold(150);
       await settle();
       const signals = [];
       const ladder = openPressureLadder({
         limitBytes: anonymous() / 0.97, intervalMs: 20, leaveAfterMs: 100, dumpFolder: ${JSON.stringify(folder)}, onEvent,
         onPressure: ({ kind, level }) => void signals.push({ kind, level }),
       });
       await until(() => signals.length > 0, 'the handler');
       held = undefined;
       await settle();
       jemalloc.write('arena.4096.purge');
       await until(left, 'the end of the pressure');
       ladder.close();
       return { events, signals, residentBytes: resident() };`,
      preload(`${HOARDING},prof:true,prof_active:false,lg_prof_sample:16`),
    );
    expect(levelsOf(events)[0]?.level).toBe('critical');
    expect(
      rungsOf(events)
        .map(({ rung }) => rung)
        .filter((rung) => rung !== 'purge'),
    ).toEqual(['collect', 'dump', 'handler']);
    expect(rungsOf(events).every(({ outcome }) => outcome.kind === 'done')).toBe(true);
    expect(signals[0]).toEqual({ kind: 'begin', level: 'critical' });
    expect(signals.at(-1)).toEqual({ kind: 'end', level: 'none' });
    expect(residentBytes).toBeGreaterThan(0);
    const files = readdirSync(folder);
    expect(files).toEqual([expect.stringMatching(/^jemkit-\d+-\d{8}T\d{6}Z\.heap$/)]);
    const file = join(folder, files[0]!);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toMatch(/^heap_v2\/65536\n[\s\S]*MAPPED_LIBRARIES:/);
    expect(rungsOf(events).find(({ rung }) => rung === 'dump')?.outcome).toEqual({ kind: 'done', detail: file });
  });

  test.each([
    [
      'the profile is not active',
      'prof:true,prof_active:false',
      0o700,
      { kind: 'unavailable', reason: 'profiling is switched off (prof.active)' },
    ],
    [
      'profiling was not started',
      'prof:false',
      0o700,
      {
        kind: 'unavailable',
        reason: expect.stringMatching(/^the process was started without prof:true in MALLOC_CONF/),
      },
    ],
    [
      'anybody may replace files in the folder',
      'prof:true,prof_active:true',
      0o777,
      { kind: 'failed', reason: expect.stringMatching(/^anybody may replace files in \/\S+ \(chmod o-w it\)$/) },
    ],
    [
      'the folder is not there',
      'prof:true,prof_active:true',
      undefined,
      { kind: 'failed', reason: expect.stringContaining('ENOENT') },
    ],
  ])('no profile where %s', async (_name, conf, mode, outcome) => {
    const folder = temporaryFolder();
    if (mode !== undefined) chmodSync(folder, mode);
    const { dumps } = await answerOf<{ dumps: PressureRungEvent[] }>(
      `const ladder = openPressureLadder({
         limitBytes: anonymous() / 0.99, intervalMs: 20, rungs: { purge: false, collect: false }, onEvent,
         dumpFolder: ${JSON.stringify(mode === undefined ? join(folder, 'nowhere') : folder)},
       });
       await until(() => events.some(is('dump')), 'the profile');
       ladder.close();
       return { dumps: events.filter(is('dump')) };`,
      preload(`${HOARDING},${conf}`),
    );
    expect(dumps.map((dump) => dump.outcome)).toEqual([outcome]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('without jemalloc: the collection and the handler work, the others say once that they cannot', async () => {
    const { events, signals } = await answerOf<{ events: PressureEvent[]; signals: string[] }>(
      `let held = hold(100);
       const signals = [];
       const ladder = openPressureLadder({
         limitBytes: anonymous() / 0.98, intervalMs: 20, leaveAfterMs: 100, dumpFolder: '/nowhere', onEvent,
         onPressure: ({ kind }) => void signals.push(kind),
       });
       await until(() => signals.length > 0, 'the handler');
       held = undefined;
       ladder.close();
       return { events, signals };`,
    );
    const outcomes = rungsOf(events).map(({ rung, outcome }) => [rung, outcome.kind]);
    expect(outcomes).toEqual([
      ['purge', 'unavailable'],
      ['collect', 'done'],
      ['dump', 'unavailable'],
      ['handler', 'done'],
    ]);
    expect(rungsOf(events)[0]?.outcome).toEqual({ kind: 'unavailable', reason: 'this process has no jemalloc' });
    expect(signals).toEqual(['begin', 'end']);
    expect(levelsOf(events).at(-1)).toMatchObject({ level: 'none', reason: 'the ladder was closed' });
  });

  test('a ladder does not keep a process alive', async () => {
    await answerOf('openPressureLadder({ limitBytes: 2 ** 40 }); openAutoTuner(); return 0;', preload(HOARDING));
  });
});

describe('the real tuner', () => {
  /** The decay times of all arenas in use, and of those to come. */
  const READ = `const decays = () => {
      const all = [];
      for (let arena = 0; arena < jemalloc.read('arenas.narenas'); arena++)
        if (jemalloc.read('arena.' + arena + '.initialized')) all.push(jemalloc.read('arena.' + arena + '.dirty_decay_ms'));
      return { all, fresh: jemalloc.read('arenas.dirty_decay_ms') };
    };`;
  interface Decays {
    readonly all: readonly number[];
    readonly fresh: number;
  }
  const body = (options: string) => `${READ}
    let held = hold(60);
    held = undefined;
    await settle();
    const before = decays();
    const steps = [];
    const tuner = openAutoTuner({
      intervalMs: 20, limitBytes: anonymous() / 0.9, idlePurge: false, backgroundThread: false, mostDelayRiseMs: 10_000,
      dirtyDecayMs: [5_000, 30_000], onStep: (step) => steps.push(step), ${options}
    });
    await until(() => steps.length > 0, 'a step');
    const during = decays();
    tuner.close();
    tuner.close();
    return { before, during, after: decays(), steps };`;
  interface Tuned {
    readonly before: Decays;
    readonly during: Decays;
    readonly after: Decays;
    readonly steps: readonly TuningStep[];
  }
  const CONF = 'narenas:3,dirty_decay_ms:60000,muzzy_decay_ms:0,background_thread:false';

  test('near the limit it shortens the decay of every arena and of new ones, and puts it back at the end', async () => {
    const { before, during, after, steps } = await answerOf<Tuned>(body(''), preload(CONF));
    expect(before.fresh).toBe(60_000);
    expect(steps[0]).toMatchObject({
      key: 'dirty_decay_ms',
      from: 60_000,
      to: 30_000,
      rule: 'near-limit',
      applied: true,
    });
    expect(steps[0]?.reason).toMatch(/^\d\d % of the memory limit is used, and \d+ MiB of dirty pages lie unused$/);
    expect(during.fresh).toBe(30_000);
    // An arena that jemalloc gave a decay of its own, as it does for huge allocations, keeps it.
    expect(during.all).toEqual(before.all.map((decay) => (decay === 60_000 ? 30_000 : decay)));
    expect(after).toEqual(before);
    expect(steps.at(-1)).toMatchObject({ rule: 'restore', to: 60_000, applied: true });
  });

  test('restore: false leaves what it set', async () => {
    const { during, after } = await answerOf<Tuned>(body('restore: false'), preload(CONF));
    expect(after).toEqual(during);
  });

  test('dryRun writes nothing', async () => {
    const { before, during, after, steps } = await answerOf<Tuned>(body('dryRun: true'), preload(CONF));
    expect(during).toEqual(before);
    expect(after).toEqual(before);
    expect(steps).toEqual([expect.objectContaining({ key: 'dirty_decay_ms', to: 30_000, applied: false })]);
  });

  test('what somebody else has set in the meantime is left as it is', async () => {
    const { fresh, steps } = await answerOf<{ fresh: number; steps: TuningStep[] }>(
      body('').replace(
        'tuner.close();',
        `for (let arena = 0; arena < 3; arena++) jemalloc.write('arena.' + arena + '.dirty_decay_ms', 7_000);
        tuner.close();
        return { fresh: jemalloc.read('arena.0.dirty_decay_ms'), steps };`,
      ),
      preload(CONF),
    );
    expect(fresh).toBe(7_000);
    expect(steps.at(-1)).toMatchObject({
      rule: 'restore',
      applied: false,
      problem: 'somebody else has set dirty_decay_ms to 7000 ms',
    });
  });

  test('without jemalloc there is nothing to tune', async () => {
    expect(await answerOf<boolean>('return openAutoTuner() === undefined;')).toBe(true);
  });
});

test('the default preset: an idle process gives its unused pages back by itself', async () => {
  const body = `let held = hold(120);
    const highest = resident();
    held = undefined;
    await settle();
    const dirty = () => { jemalloc.refresh(); return jemalloc.readNumber('stats.arenas.4096.pdirty') * jemalloc.read('arenas.page'); };
    const end = Date.now() + 15_000;
    // Reads only: nothing here allocates through jemalloc to speak of.
    while (dirty() > 20 * MIB && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 100));
    return { highest, now: resident(), dirty: dirty() };`;
  interface Idle {
    readonly highest: number;
    readonly now: number;
    readonly dirty: number;
  }
  const balanced = await answerOf<Idle>(body, preload(PRESETS.balanced.conf));
  expect(balanced.dirty).toBeLessThan(20 * MIB);
  expect(balanced.highest - balanced.now).toBeGreaterThan(60 * MIB);
});
