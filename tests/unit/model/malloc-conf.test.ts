import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type MallocConfOptions,
  mallocConf,
  parseMallocConf,
  renderMallocConf,
} from '../../../src/model/malloc-conf.js';
import { MALLOC_CONF_OPTIONS, type OptionRow } from '../../../src/model/malloc-conf-options.js';
import { readOptionValue, suggestNumber } from '../../../src/model/malloc-conf-value.js';

const rows = Object.entries<OptionRow>(MALLOC_CONF_OPTIONS);

describe('parseMallocConf', () => {
  test('gives each pair with its place', () => {
    const { pairs, problems } = parseMallocConf('narenas:2,bin_shards:1-160:16|129-512:4');
    expect(problems).toEqual([]);
    expect(pairs).toEqual([
      { key: 'narenas', value: '2', offset: 0, valueOffset: 8, end: 9, reached: true },
      { key: 'bin_shards', value: '1-160:16|129-512:4', offset: 10, valueOffset: 21, end: 39, reached: true },
    ]);
  });

  test('stops counting pairs where jemalloc stops, and still reads them', () => {
    const { pairs, problems } = parseMallocConf('narenas:2, tcache = false,retain:true');
    expect(pairs.map(({ key, value, reached }) => [key, value, reached])).toEqual([
      ['narenas', '2', true],
      ['tcache', ' false', false],
      ['retain', 'true', false],
    ]);
    expect(problems).toEqual([{ kind: 'malformed-key', offset: 10, character: ' ', ignoredFrom: 10 }]);
  });

  test.each([
    ['', []],
    [',narenas:2', ['malformed-key']],
    ['narenas=2', ['malformed-key']],
    ['narenas', ['no-value']],
    ['narenas:2,tcache', ['no-value']],
    ['narenas:2,', ['trailing-comma']],
    ['narenas:2,,tcache:true', ['malformed-key']],
    ['"narenas:2"', ['malformed-key']],
    ['narenas,tcache:true', ['malformed-key']],
  ])('%j has the problems %j', (text, kinds) => {
    expect(parseMallocConf(text).problems.map(({ kind }) => kind)).toEqual(kinds);
  });

  test('never throws, and every part lies where it says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-c:,= ]*$/)), (text) => {
        const { pairs, problems } = parseMallocConf(text);
        for (const pair of pairs) {
          expect(text.slice(pair.offset, pair.offset + pair.key.length)).toBe(pair.key);
          expect(text.slice(pair.valueOffset, pair.end)).toBe(pair.value);
        }
        for (const { offset } of problems) expect(offset).toBeLessThan(text.length);
        expect(pairs.every(({ reached }) => reached) || problems.length > 0).toBe(true);
      }),
    );
  });

  test('reads back what was rendered', () => {
    const pair = fc.record({ key: fc.stringMatching(/^[a-z_0-9]+$/), value: fc.stringMatching(/^[^,]+$/) });
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        const parsed = parseMallocConf(renderMallocConf(pairs));
        expect(parsed.problems).toEqual([]);
        expect(parsed.pairs.map(({ key, value }) => ({ key, value }))).toEqual(pairs);
      }),
    );
  });
});

describe('mallocConf', () => {
  test('writes typed options in their order', () => {
    expect(mallocConf({ backgroundThread: true, dirtyDecayMs: 5000 })).toBe(
      'background_thread:true,dirty_decay_ms:5000',
    );
    expect(mallocConf({ percpuArena: 'phycpu', narenas: 'default', narenasRatio: 0.5, muzzyDecayMs: -1 })).toBe(
      'percpu_arena:phycpu,narenas:default,narenas_ratio:0.5,muzzy_decay_ms:-1',
    );
    expect(mallocConf({ lgProfSample: 17, tcache: undefined })).toBe('lg_prof_sample:17');
    expect(mallocConf({})).toBe('');
  });

  test('refuses at run time what types refuse', () => {
    const untyped = mallocConf as (options: Record<string, unknown>) => string;
    expect(() => untyped({ dirtyDecay: 1 })).toThrow(/no option 'dirtyDecay'.*'dirty_decay'/);
    expect(() => untyped({ backgroundThread: 'yes' })).toThrow(TypeError);
    expect(() => untyped({ dirtyDecayMs: 1.5 })).toThrow(/received 1.5, expected a whole number of ms/);
    expect(() => untyped({ dirtyDecayMs: Number.NaN })).toThrow(TypeError);
    expect(() => untyped({ dirtyDecayMs: -2 })).toThrow(RangeError);
    expect(() => untyped({ narenas: 0 })).toThrow(RangeError);
    expect(() => untyped({ maxBackgroundThreads: 1e6 })).toThrow(RangeError);
    expect(() => untyped({ profPrefix: 'a,tcache:false' })).toThrow(TypeError);
    expect(() => untyped({ thp: 'a' })).toThrow(/expected default, always or never/);
    expect(() => untyped({ constructor: 1 })).toThrow(TypeError);
  });

  test('has the types of the table', () => {
    expectTypeOf<MallocConfOptions['dirtyDecayMs']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<MallocConfOptions['backgroundThread']>().toEqualTypeOf<boolean | undefined>();
    expectTypeOf<MallocConfOptions['narenas']>().toEqualTypeOf<number | 'default' | undefined>();
    expectTypeOf<MallocConfOptions['percpuArena']>().toEqualTypeOf<'disabled' | 'percpu' | 'phycpu' | undefined>();
    expectTypeOf<MallocConfOptions['binShards']>().toEqualTypeOf<string | undefined>();
    // @ts-expect-error: no such option
    expect(() => mallocConf({ dirtyDecay: 1 })).toThrow();
  });
});

describe('the table of options', () => {
  test.each(rows)('%s is whole', (name, row) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(row.doc).toMatch(/^[A-Z].*[.…]$|: FROM-TO:(COUNT|PAGES)\|…$/);
    if (row.type === 'choice') expect(row.values).toBeDefined();
    if (row.default !== undefined) expect(readOptionValue(row, row.default).kind).toBe('fine');
    for (const value of Object.keys(row.meanings ?? {})) expect(readOptionValue(row, value).kind).toBe('fine');
    if (row.min !== undefined && row.type === 'integer' && row.min !== 0) expect(row.beyond).toBeDefined();
    const required = row.requires?.split(':')[0];
    if (required) expect(Object.keys(MALLOC_CONF_OPTIONS)).toContain(required);
  });
});

describe('readOptionValue', () => {
  const { dirty_decay_ms, narenas, lg_prof_sample, thp, narenas_ratio, tcache } = MALLOC_CONF_OPTIONS;
  test.each([
    [dirty_decay_ms, '0x10', { kind: 'fine', value: 16 }],
    [dirty_decay_ms, '+5', { kind: 'fine', value: 5 }],
    [dirty_decay_ms, '010', { kind: 'surprising', reason: 'octal', taken: '8' }],
    [dirty_decay_ms, ' 5', { kind: 'surprising', reason: 'leading-space', taken: '5' }],
    [lg_prof_sample, '99', { kind: 'surprising', reason: 'clipped', taken: '63' }],
    [thp, 'al', { kind: 'surprising', reason: 'abbreviated', taken: 'always' }],
    [narenas, 'default', { kind: 'fine', value: 'default' }],
    [narenas_ratio, '.5', { kind: 'fine', value: 0.5 }],
  ])('%# %j', (row, text, read) => {
    expect(readOptionValue(row as OptionRow, text)).toEqual(read);
  });

  test.each([
    [dirty_decay_ms, '5s'],
    [dirty_decay_ms, '5 '],
    [dirty_decay_ms, ''],
    [dirty_decay_ms, '09'],
    [dirty_decay_ms, '99999999999999999999999'],
    [narenas, '-1'],
    [thp, ''],
    [narenas_ratio, '1e3'],
    [tcache, 'True'],
  ])('%# refuses %j', (row, text) => {
    expect(readOptionValue(row as OptionRow, text).kind).toBe('wrong');
  });

  test('takes any text without throwing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.string(), ([, row], text) => {
        expect(['fine', 'surprising', 'wrong']).toContain(readOptionValue(row, text).kind);
      }),
    );
  });

  test('knows what a number with a unit was meant to be', () => {
    expect(suggestNumber(MALLOC_CONF_OPTIONS.dirty_decay_ms, '5s')).toBe('5000');
    expect(suggestNumber(MALLOC_CONF_OPTIONS.dirty_decay_ms, '5ms')).toBe('5');
    expect(suggestNumber(MALLOC_CONF_OPTIONS.tcache_max, '4k')).toBe('4096');
    expect(suggestNumber(MALLOC_CONF_OPTIONS.oversize_threshold, '16MiB')).toBe('16777216');
    expect(suggestNumber(MALLOC_CONF_OPTIONS.lg_prof_sample, '128K')).toBe('17');
    expect(suggestNumber(MALLOC_CONF_OPTIONS.lg_prof_sample, '100K')).toBeUndefined();
    expect(suggestNumber(MALLOC_CONF_OPTIONS.narenas, '2k')).toBeUndefined();
  });
});
