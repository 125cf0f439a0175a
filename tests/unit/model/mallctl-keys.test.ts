import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { compareJemallocVersions } from '../../../src/model/jemalloc-version.js';
import { MALLCTL_TYPES, type MallctlRow } from '../../../src/model/mallctl-keys/row.js';
import {
  type BareName,
  findMallctlKey,
  MALLCTL_KEYS,
  type MallctlInput,
  type MallctlKey,
  type MallctlName,
  type MallctlValue,
  type NumericName,
  type ProfStats,
  type ReadableName,
  type UpdatableName,
  type WritableName,
} from '../../../src/model/mallctl-keys.js';
import { MALLOC_CONF_OPTIONS } from '../../../src/model/malloc-conf-options.js';
import { ROOT } from '../../support/programs.js';

const rows = Object.entries(MALLCTL_KEYS) as [MallctlKey, MallctlRow][];
const shared = (name: string) => readFileSync(join(ROOT, 'native', 'shared', name), 'utf8');
/** A pattern as the native side writes it. */
const nativePattern = (key: string) => key.replace(/<[ij]>/g, '0');
/** The strings of one array of C. */
const stringsOf = (source: string, array: string) =>
  [...(source.split(`${array}[] = {`)[1]?.split('};')[0] ?? '').matchAll(/"([^"]+)"/g)].map((match) => match[1]!);

describe('the table of mallctl keys', () => {
  test('holds all namespaces of jemalloc(3)', () => {
    const namespaces = new Set(rows.map(([key]) => key.split('.')[0]));
    expect([...namespaces].sort()).toEqual(
      [
        'approximate_stats',
        'arena',
        'arenas',
        'background_thread',
        'config',
        'epoch',
        'experimental',
        'max_background_threads',
        'opt',
        'prof',
        'stats',
        'tcache',
        'thread',
        'version',
      ].sort(),
    );
    expect(rows.length).toBeGreaterThan(450);
  });

  test.each(rows)('%s', (key, row) => {
    expect(key).toMatch(/^[a-z_0-9]+(\.([a-z_0-9]+|<[ij]>))*$/);
    expect(key.indexOf('<j>') === -1 || key.indexOf('<i>') < key.indexOf('<j>')).toBe(true);
    expect(row.doc).toMatch(/^(jemalloc|[A-Z]).*[.]$/);
    // jemalloc's own limit, and that of the addon's buffers with indices of ten digits.
    expect(key.split('.').length).toBeLessThanOrEqual(7);
    expect(nativePattern(key).length).toBeLessThan(192 - 2 * 10);
    if (row.removedIn) expect(compareJemallocVersions(row.since, row.removedIn)).toBeLessThan(0);
    if (row.removedIn) expect(compareJemallocVersions('5.0.0', row.removedIn)).toBeLessThan(0);
    if (row.needs) expect(MALLCTL_KEYS[row.needs as MallctlKey]).toMatchObject({ type: 'bool', access: 'read' });
    expect(row.type === 'void').toBe(row.access === 'trigger');
    if (row.access === 'call') expect(row.refused).toBeDefined();
    if (row.withoutValue) expect(row.access).toBe('write');
    expect(Boolean(row.experimental)).toBe(/(^|\.)experimental/.test(key));
    const numeric = ['number', 'bigint'].includes(MALLCTL_TYPES[row.type].javascript) && row.type !== 'void *';
    expect(row.unit !== undefined, 'a unit for numbers, and for nothing else').toBe(numeric);
  });

  test('has a key for each option of jemalloc 5, but those that cannot be asked for', () => {
    const without = Object.entries(MALLOC_CONF_OPTIONS)
      .filter(([, row]) => !('removedIn' in row) || compareJemallocVersions(row.removedIn, '5.0.0') > 0)
      .map(([name]) => name)
      .filter((name) => !Object.hasOwn(MALLCTL_KEYS, `opt.${name}`));
    expect(without.sort()).toEqual([
      'bin_shards',
      'calloc_madvise_threshold',
      'hpa_hugification_threshold_ratio',
      'hpa_purge_threshold_ratio',
      'log',
      'narenas_ratio',
      'prof_log',
      'prof_unbias',
      'san_guard_large',
      'san_guard_small',
      'slab_sizes',
      'tcache_ncached_max',
    ]);
  });
});

describe('the native side', () => {
  test('has the same type codes', () => {
    const codes = [...shared('mallctl-types.h').matchAll(/JM_MALLCTL_\w+ = (\d+)/g)].map((match) => Number(match[1]));
    expect(codes).toEqual(Object.values(MALLCTL_TYPES).map(({ code }) => code));
  });

  test('refuses the same keys', () => {
    const header = shared('refused-keys.h');
    const refused = stringsOf(header, 'jm_refused_keys');
    const matches = (pattern: string) => (name: string) =>
      name.endsWith('.') ? pattern.startsWith(name) : pattern === name;
    for (const [key, row] of rows) {
      expect(refused.some(matches(nativePattern(key))), key).toBe(row.refused !== undefined);
    }
    const patterns = rows.map(([key]) => nativePattern(key));
    expect(refused.filter((name) => !patterns.some((pattern) => matches(pattern)(name)))).toEqual([]);
    const readable = rows
      .filter(([, row]) => row.refused && row.access === 'read-write')
      .map(([key]) => nativePattern(key));
    expect(stringsOf(header, 'jm_readable_refused_keys').sort()).toEqual(readable.sort());
  });
});

test('the native side knows which keys are texts', () => {
  const texts = rows
    .filter(([, { type }]) => MALLCTL_TYPES[type].javascript === 'string')
    .map(([key]) => nativePattern(key));
  expect(stringsOf(shared('text-keys.h'), 'jm_text_keys')).toEqual(texts.sort());
  const optional = rows
    .filter(([, { type, withoutValue }]) => type === 'const char *' && withoutValue)
    .map(([key]) => key);
  expect(stringsOf(shared('text-keys.h'), 'jm_optional_text_keys')).toEqual(optional.sort());
});

test('the native side knows which keys of an arena take all of them', () => {
  const all = rows.filter(([, row]) => row.allArenas).map(([key]) => nativePattern(key));
  expect(stringsOf(shared('refused-keys.h'), 'jm_all_arenas_keys').sort()).toEqual(all.sort());
  expect(all.every((key) => key.startsWith('arena.0.'))).toBe(true);
});

describe('findMallctlKey', () => {
  const index = fc.integer({ min: 0, max: 4_294_967_295 });

  test('finds every key by its indices', () => {
    fc.assert(
      fc.property(fc.constantFrom(...rows), index, index, ([key, row], i, j) => {
        expect(findMallctlKey(key.replace('<i>', `${i}`).replace('<j>', `${j}`))).toEqual({ key, row });
      }),
    );
  });

  test.each([
    '',
    '.',
    'stats',
    'stats.arenas.pdirty',
    'stats.arenas.<i>.pdirty',
    'stats.arenas.-1.pdirty',
    'toString',
    'stats.allocated.',
  ])('does not find %j', (name) => expect(findMallctlKey(name)).toBeUndefined());

  test('never throws', () => {
    fc.assert(fc.property(fc.string(), (name) => findMallctlKey(name) === undefined || name in MALLCTL_KEYS));
  });
});

test('types', () => {
  expectTypeOf<MallctlValue<'stats.allocated'>>().toEqualTypeOf<number>();
  expectTypeOf<MallctlValue<'stats.arenas.0.small.nmalloc'>>().toEqualTypeOf<bigint>();
  expectTypeOf<MallctlValue<'stats.arenas.0.bins.3.mutex.max_num_thds'>>().toEqualTypeOf<number>();
  expectTypeOf<MallctlValue<'stats.arenas.0.bins.3.mutex.num_wait'>>().toEqualTypeOf<bigint>();
  expectTypeOf<MallctlValue<'stats.mutexes.ctl.max_wait_time'>>().toEqualTypeOf<bigint>();
  expectTypeOf<MallctlValue<'opt.retain'>>().toEqualTypeOf<boolean>();
  expectTypeOf<MallctlValue<'opt.dirty_decay_ms'>>().toEqualTypeOf<number>();
  expectTypeOf<MallctlValue<'version'>>().toEqualTypeOf<string>();
  expectTypeOf<MallctlValue<'arena.0.name'>>().toEqualTypeOf<string>();
  expectTypeOf<MallctlValue<'prof.stats.bins.0.live'>>().toEqualTypeOf<ProfStats>();
  expectTypeOf<MallctlInput<'epoch'>>().toEqualTypeOf<number | bigint>();
  expectTypeOf<MallctlInput<'background_thread'>>().toEqualTypeOf<boolean>();
  expectTypeOf<'stats.arenas.pdirty'>().not.toExtend<MallctlName>();
  expectTypeOf<'stats.arenas.all.pdirty'>().not.toExtend<MallctlName>();
  expectTypeOf<'arena.0.purge'>().not.toExtend<ReadableName>();
  expectTypeOf<'prof.dump'>().not.toExtend<ReadableName>();
  expectTypeOf<'tcache.create'>().not.toExtend<ReadableName>();
  expectTypeOf<'version'>().not.toExtend<NumericName>();
  expectTypeOf<'stats.allocated'>().not.toExtend<WritableName>();
  expectTypeOf<'prof.dump'>().toExtend<WritableName & BareName>();
  expectTypeOf<'arena.0.purge'>().toExtend<BareName>();
  expectTypeOf<'arenas.dirty_decay_ms'>().toExtend<UpdatableName>();
  expectTypeOf<'prof.reset'>().not.toExtend<UpdatableName>();
  expectTypeOf<'epoch'>().not.toExtend<BareName>();
});
