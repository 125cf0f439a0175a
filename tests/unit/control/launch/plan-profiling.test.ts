import { describe, expect, test } from 'vitest';
import { isReadyForProfiling, openProfilingWish } from '../../../../src/control/launch/plan-profiling.js';
import { PRESETS } from '../../../../src/model/malloc-conf-presets.js';
import type { LibraryProbe } from '../../../../src/model/probe.js';

const nothing = () => undefined;
const wish = (request: Partial<Parameters<typeof openProfilingWish>[1]>, system: () => string | undefined = nothing) =>
  openProfilingWish('jemalloc', { profiling: true, environment: {}, ...request }, system);

describe('openProfilingWish', () => {
  test('adds profiling, switched off, to what the user typed', () => {
    expect(wish({})).toEqual({ kind: 'add', conf: 'prof:true,prof_active:false' });
    expect(wish({ conf: 'narenas:2', presetConf: PRESETS.balanced.conf })).toEqual({
      kind: 'add',
      conf: 'narenas:2,prof:true,prof_active:false',
    });
  });

  test.each([
    ['--conf', { conf: 'narenas:1,prof:false' }, 'prof:false'],
    ['MALLOC_CONF', { environment: { MALLOC_CONF: 'lg_prof_sample:12' } }, 'lg_prof_sample:12'],
    ['a preset', { presetConf: PRESETS['leak-hunt'].conf }, 'prof:true'],
    ['an option that would write files', { conf: 'prof_final:true' }, 'prof_final:true'],
  ])('leaves what %s says of it as it is', (_what, request, option) => {
    expect(wish(request)).toEqual({ kind: 'none', plan: { kind: 'as-configured', option } });
  });

  test('leaves what the system says of it as it is', () => {
    expect(wish({}, () => 'narenas:1,prof:false')).toMatchObject({ plan: { kind: 'as-configured' } });
    expect(wish({}, () => 'narenas:1').kind).toBe('add');
  });

  test('nobody else’s options are taken for it', () => {
    expect(wish({ conf: 'profit:true' }).kind).toBe('add');
  });

  test('does nothing where it is not wanted, or of no use', () => {
    expect(wish({ profiling: undefined })).toEqual({ kind: 'none', plan: { kind: 'off' } });
    expect(wish({ profiling: false })).toEqual({ kind: 'none', plan: { kind: 'off' } });
    expect(openProfilingWish('mimalloc', { profiling: true, environment: {} }, nothing)).toMatchObject({
      kind: 'none',
    });
  });
});

describe('isReadyForProfiling', () => {
  const probe = (version: string, prof: string | undefined): LibraryProbe => ({
    kind: 'works',
    serving: 'jemalloc',
    version,
    answers: prof === undefined ? {} : { 'config.prof': prof },
    messages: [],
  });

  test.each([
    ['5.0.1-0-g896ed3a', 'true', 'ready'],
    ['5.3.0-0-g54eaed1', 'true', 'ready'],
    ['5.3.0-0-g54eaed1', 'false', 'left-out'],
    ['5.3.0-0-g54eaed1', undefined, 'left-out'],
    ['4.5.0-0-g04380e7', 'true', 'left-out'],
    ['', 'true', 'left-out'],
  ])('of %j with config.prof %s is %s', (version, prof, kind) => {
    expect(isReadyForProfiling(probe(version, prof)).kind).toBe(kind);
  });

  test('what was not tried is not ready', () => {
    expect(isReadyForProfiling({ kind: 'untried', reason: 'x' }).kind).toBe('left-out');
    expect(isReadyForProfiling(undefined).kind).toBe('left-out');
  });
});
