import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyseProfileTable } from '../../../src/analyses/profile-table.js';
import { PROFILE_GROUPINGS } from '../../../src/model/profile-report.js';
import { native, profileOf, profiles, script } from '../../support/heap-profiles.js';

const rowsOf = (...args: Parameters<typeof analyseProfileTable>) =>
  analyseProfileTable(...args).rows.map(({ name, flatBytes, cumulativeBytes }) => [name, flatBytes, cumulativeBytes]);

describe('analyseProfileTable', () => {
  test('flat figures sum up to the total, and cumulative ones are no less', () => {
    fc.assert(
      fc.property(
        profiles,
        fc.constantFrom(...PROFILE_GROUPINGS),
        fc.constantFrom('leaf' as const, 'owner' as const),
        (profile, by, attribution) => {
          const { rows, totalBytes, totalObjects } = analyseProfileTable(profile, { by, attribution });
          const sum = (pick: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + pick(row), 0);
          expect(sum(({ flatBytes }) => flatBytes)).toBe(totalBytes);
          expect(sum(({ flatObjects }) => flatObjects)).toBe(totalObjects);
          for (const row of rows) {
            expect(row.cumulativeBytes).toBeGreaterThanOrEqual(row.flatBytes);
            expect(row.cumulativeBytes).toBeLessThanOrEqual(totalBytes);
          }
        },
      ),
    );
  });

  test('a function that calls itself counts once', () => {
    const profile = profileOf([{ frames: ['f', 'g', 'f', 'g', 'main'], bytes: 100 }]);
    expect(rowsOf(profile, { by: 'function' })).toEqual([
      ['f', 100, 100],
      ['g', 0, 100],
      ['main', 0, 100],
    ]);
  });

  test('sorts by what is asked for', () => {
    const profile = profileOf([
      { frames: ['a', 'main'], bytes: 10, objects: 9 },
      { frames: ['b', 'main'], bytes: 20, objects: 1 },
    ]);
    expect(rowsOf(profile, { by: 'function' }).map(([name]) => name)).toEqual(['b', 'a', 'main']);
    expect(rowsOf(profile, { by: 'function', measure: 'objects' }).map(([name]) => name)).toEqual(['a', 'b', 'main']);
    expect(rowsOf(profile, { by: 'function', sort: 'cumulative' }).map(([name]) => name)).toEqual(['main', 'b', 'a']);
  });

  const STACK = [
    native('/lib/libc.so.6 malloc', 'libc'),
    native('/usr/bin/node node::Buffer::New', 'node'),
    script('from node:buffer:300'),
    script('resize /app/node_modules/.pnpm/sharp@1.0.0/node_modules/sharp/lib/output.js:7'),
    script('handler file:///app/server%20one.js:42'),
  ];

  test('the owner is the nearest JavaScript of the application or of a package', () => {
    const buffer = { ...STACK[2], kind: 'node-javascript' as const };
    const profile = profileOf([{ frames: [STACK[0]!, STACK[1]!, buffer, STACK[3]!, STACK[4]!], bytes: 5 }]);
    const by = (grouping: 'function' | 'line' | 'file' | 'package' | 'module') =>
      analyseProfileTable(profile, { by: grouping, attribution: 'owner' }).rows.find((row) => row.flatBytes > 0);
    expect(by('function')).toMatchObject({ name: 'resize', kind: 'javascript' });
    expect(by('package')).toMatchObject({ name: 'sharp' });
    const places = analyseProfileTable(profile, { by: 'line' }).rows.map(({ place }) => place);
    expect(places).toContain('/app/server one.js:42');
    const packages = analyseProfileTable(profile, { by: 'package' }).rows.map(({ name }) => name);
    expect(packages.sort()).toEqual(['(application)', 'libc.so.6', 'node', 'sharp']);
  });

  test.each([
    [['libc malloc', 'node frame', 'addon work', 'node outer'], ['libc', 'node', 'native', 'node'], 'work'],
    [['libc malloc', 'node frame'], ['libc', 'node'], 'frame'],
    [['libc malloc'], ['libc'], 'malloc'],
    [['redis zmalloc', 'redis createObject', 'redis main'], ['native', 'native', 'native'], 'createObject'],
    [['libpython _PyObject_Malloc', 'libpython PyByteArray_Resize'], ['native', 'native'], 'PyByteArray_Resize'],
    [['node CRYPTO_zalloc', 'node SSL_new'], ['node', 'node'], 'SSL_new'],
    [['libjvm os::malloc(unsigned long)', 'libjvm Chunk::next_chunk'], ['native', 'native'], 'Chunk::next_chunk'],
    [['redis zmalloc', 'libc start'], ['native', 'libc'], 'zmalloc'],
    [['java allocate', 'java Interpreter', 'java load'], ['libc', 'interpreted', 'interpreted'], 'load'],
  ] as const)('without JavaScript it is the first function that is no runtime’s: %j', (names, kinds, owner) => {
    const profile = profileOf([{ frames: names.map((name, at) => native(name, kinds[at])), bytes: 1 }]);
    const [row] = analyseProfileTable(profile, { by: 'function', attribution: 'owner' }).rows;
    expect(row?.name).toBe(owner);
  });

  test('functions of one name in two files are two, and so are nameless ones on two lines', () => {
    const frames = [
      script('f /a.js:1'),
      script('f /b.js:1'),
      script(' /a.js:5'),
      script(' /a.js:9'),
      script('f /a.js:7'),
    ];
    const { rows } = analyseProfileTable(profileOf(frames.map((frame) => ({ frames: [frame], bytes: 1 }))), {
      by: 'function',
    });
    expect(rows.map(({ name, flatBytes }) => [name, flatBytes])).toEqual([
      ['f', 2],
      ['(anonymous)', 1],
      ['(anonymous)', 1],
      ['f', 1],
    ]);
  });

  test('code without a symbol is named by its place in its file, wherever that was mapped', () => {
    const at = (start: number) => {
      const profile = profileOf([{ frames: [{ address: start + 0x20, kind: 'native' }], bytes: 1 }]);
      const module = { path: '/lib/libz.so.1', start, end: start + 0x100, fileOffset: 0x1000, buildId: undefined };
      return rowsOf({ ...profile, modules: [module] }, { by: 'function' });
    };
    expect(at(0x7000)).toEqual([['libz.so.1+0x1020', 1, 1]]);
    expect(at(0x9000)).toEqual(at(0x7000));
  });

  test('threads', () => {
    const profile = profileOf([
      { frames: ['a'], bytes: 1, thread: 'main' },
      { frames: ['a'], bytes: 2, thread: 'worker' },
    ]);
    expect(rowsOf(profile, { by: 'thread' })).toEqual([
      ['worker', 2, 2],
      ['main', 1, 1],
    ]);
  });

  test('the sampling error falls with the root of the samples, and is none for what is always sampled', () => {
    const errorOf = (bytes: number, objects: number, sampled: number) => {
      const profile = profileOf([{ frames: ['a'], bytes, objects, sampled }], { sampleBytes: 2 ** 19 });
      return analyseProfileTable(profile, { by: 'function' }).totalErrorBytes! / bytes;
    };
    expect(errorOf(2 ** 20, 2 ** 14, 4)).toBeCloseTo(0.5, 2);
    expect(errorOf(2 ** 20, 2 ** 14, 100)).toBeCloseTo(0.1, 2);
    expect(errorOf(2 ** 26, 1, 1)).toBeLessThan(1e-9);
  });

  test('an unknown number of samples is an unknown error, not none', () => {
    const profile = profileOf([{ frames: ['a'], bytes: 10 }]);
    expect(analyseProfileTable(profile, { by: 'function' }).rows[0]?.flatErrorBytes).toBeUndefined();
  });
});
