import { describe, expect, test } from 'vitest';
import { analyseProfileDifference } from '../../../../src/analyses/profile-difference.js';
import { analyseProfileFragmentation } from '../../../../src/analyses/profile-fragmentation.js';
import { analyseProfileLeaks } from '../../../../src/analyses/profile-leaks.js';
import { analyseProfileTable } from '../../../../src/analyses/profile-table.js';
import { analyseProfileTree } from '../../../../src/analyses/profile-tree.js';
import { renderProfileDifference } from '../../../../src/outputs/profile/difference-text.js';
import { renderProfileFragmentation } from '../../../../src/outputs/profile/fragmentation-text.js';
import { renderProfileLeaks } from '../../../../src/outputs/profile/leaks-text.js';
import type { ReportStyle } from '../../../../src/outputs/profile/report-style.js';
import { renderStack } from '../../../../src/outputs/profile/stack-text.js';
import { renderProfileSummary } from '../../../../src/outputs/profile/summary-text.js';
import { renderProfileTable } from '../../../../src/outputs/profile/table-text.js';
import { renderProfileTree } from '../../../../src/outputs/profile/tree-text.js';
import { textWidth } from '../../../../src/outputs/text/table.js';
import { native, profileOf, script } from '../../../support/heap-profiles.js';

const STYLE: ReportStyle = { width: undefined, paint: (_, text) => text, folder: '/app' };
const MIB = 2 ** 20;
const MALLOC = native('/lib/libc.so.6 malloc', 'libc');

const PROFILE = profileOf(
  [
    {
      frames: [MALLOC, script('load /app/catalog.js:42'), script('main /app/server.js:1')],
      bytes: 6 * MIB,
      objects: 600,
      sampled: 12,
    },
    { frames: [MALLOC, script('get /app/node_modules/lru/index.js:3')], bytes: 2 * MIB, objects: 2048, sampled: 400 },
  ],
  {
    sampleBytes: 2 ** 19,
    takenAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    pid: 4711,
    program: 'server.js',
    nodeVersion: 'v24.1.0',
    jemallocVersion: '5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c',
    unwinder: 'jemkit',
    notes: ['12 stacks were cut.'],
  },
);
const ALL = { wholeBytes: 8 * MIB, wholeObjects: 2648, measure: 'bytes', plainBytes: false, top: undefined } as const;

describe('the table', () => {
  test('has flat and cumulative figures with their shares, and says how uncertain few samples are', () => {
    const table = analyseProfileTable(PROFILE, { by: 'function' });
    expect(renderProfileTable(table, ALL, STYLE)).toMatchInlineSnapshot(`
      "Total: 8.00 MiB (±21%) in 2,648 objects
           flat  flat%   sum%       cum   cum%   objects     ±  function
       8.00 MiB 100.0% 100.0%  8.00 MiB 100.0%     2,648  ±21%  malloc libc.so.6
            0 B   0.0% 100.0%  6.00 MiB  75.0%         0        load catalog.js:42
            0 B   0.0% 100.0%  6.00 MiB  75.0%         0        main server.js:1
            0 B   0.0% 100.0%  2.00 MiB  25.0%         0        get node_modules/lru/index.js:3"
    `);
  });

  test('in jeprof’s columns', () => {
    const table = analyseProfileTable(PROFILE, { by: 'function', sort: 'cumulative' });
    expect(renderProfileTable(table, { ...ALL, plainBytes: true, top: 2 }, STYLE)).toMatchInlineSnapshot(`
      "Total: 8388608 B
       8388608 100.0% 100.0%  8388608 100.0% malloc
             0   0.0% 100.0%  6291456  75.0% load"
    `);
  });

  test('of objects, of a part, and no wider than the terminal', () => {
    const table = analyseProfileTable(PROFILE, { by: 'line', measure: 'objects' });
    const text = renderProfileTable(
      table,
      { ...ALL, measure: 'objects', wholeBytes: 16 * MIB, top: 1 },
      { ...STYLE, width: 60 },
    );
    expect(text).toMatchInlineSnapshot(`
      "Total: 8.00 MiB (±21%) in 2,648 objects, 50.0% of 16.0 MiB
           flat  flat%       cum     bytes     ±  line
          2,648 100.0%     2,648  8.00 MiB  ±21%  malloc libc.so.6
      … and 3 more"
    `);
    expect(Math.max(...text.split('\n').slice(1).map(textWidth))).toBeLessThanOrEqual(60);
  });
});

test('the summary says what was captured, notes, who holds it', () => {
  const table = analyseProfileTable(PROFILE, { by: 'function', attribution: 'owner' });
  const packages = analyseProfileTable(PROFILE, { by: 'package', attribution: 'owner' });
  const options = {
    ...ALL,
    top: 20,
    files: ['app.heap'],
    amount: 'live',
    nowMs: Date.UTC(2026, 0, 2, 3, 9, 5),
  } as const;
  expect(renderProfileSummary(PROFILE, table, packages, options, STYLE)).toMatchInlineSnapshot(`
    "file:      app.heap (test)
    process:   server.js, pid 4711, Node v24.1.0, jemalloc 5.3.0
    taken:     2026-01-02 03:04:05 UTC, 5 min ago
    sampling:  one sample in 512 KiB allocated; 412 live objects sampled; stacks by jemkit's unwinder
    live:      8.00 MiB (±21%) in 2,648 objects
    note: 12 stacks were cut.

    Held by, counting the nearest JavaScript function of each stack:
         flat  flat%   sum%       cum   cum%   objects     ±  function
     6.00 MiB  75.0%  75.0%  6.00 MiB  75.0%       600  ±29%  load catalog.js:42
     2.00 MiB  25.0% 100.0%  2.00 MiB  25.0%     2,048        get node_modules/lru/index.js:3
          0 B   0.0% 100.0%  8.00 MiB 100.0%         0        malloc libc.so.6
          0 B   0.0% 100.0%  6.00 MiB  75.0%         0        main server.js:1

    packages: (application) 75.0%, lru 25.0%"
  `);
});

test('the summary puts what a start leaves in a line', () => {
  const start = Array.from({ length: 30 }, (_, at) => ({ frames: [native(`node v8::f${at}`, 'v8')], bytes: MIB / 8 }));
  const mine = { frames: [native('libz.so inflate'), script('unpack /app/a.js:3')], bytes: MIB / 8 };
  const profile = profileOf([{ frames: [script('load /app/catalog.js:42')], bytes: 96 * MIB }, ...start, mine]);
  const table = analyseProfileTable(profile, { by: 'function', attribution: 'owner' });
  const whole = { wholeBytes: table.totalBytes, wholeObjects: table.totalObjects };
  const options = { ...ALL, ...whole, top: 20, files: ['a'], amount: 'live', nowMs: 0 } as const;
  const held = { ...table, rows: table.rows.filter((row) => row.flatBytes !== 0) };
  const text = renderProfileSummary(profile, held, undefined, { ...options, leastShare: 0.01 }, STYLE);
  expect(text).toMatch(/load catalog\.js:42\n.* unpack a\.js:3\n… and 30 more, together 3\.75 MiB \(3\.8%\)$/);
  expect(renderProfileSummary(profile, held, undefined, options, STYLE)).toContain('v8::f1');
});

test('a summary of nothing has no table', () => {
  const table = analyseProfileTable(profileOf([]), { by: 'function' });
  const options = { ...ALL, files: ['a'], amount: 'live', nowMs: 0 } as const;
  const text = renderProfileSummary(profileOf([]), table, undefined, options, STYLE);
  expect(text).toMatch(/\n\nNothing that is live was sampled\.$/);
});

test('a place goes without its folders where there is no room for it', () => {
  const table = analyseProfileTable(PROFILE, { by: 'function', attribution: 'owner' });
  const text = renderProfileTable(table, ALL, { ...STYLE, width: 70 });
  expect(text).toMatch(/get index\.js:3$/m);
});

test('the tree: a chain of single calls stays at one depth, small branches are one line', () => {
  const profile = profileOf([
    { frames: ['malloc', 'a', 'loop', 'main'], bytes: 60 * MIB },
    { frames: ['malloc', 'b', 'loop', 'main'], bytes: 39 * MIB },
    { frames: ['c', 'loop', 'main'], bytes: MIB / 4 },
    { frames: ['d', 'loop', 'main'], bytes: MIB / 4 },
    { frames: ['loop', 'main'], bytes: MIB / 2 },
  ]);
  const tree = analyseProfileTree(profile, { leastShare: 0.005 });
  const options = { wholeBytes: 100 * MIB, wholeObjects: 5, measure: 'bytes', leastShare: 0.005 } as const;
  expect(renderProfileTree(tree, options, STYLE)).toMatchInlineSnapshot(`
    "  100 MiB 100.0%  (all)
      100 MiB 100.0%    main
      100 MiB 100.0%    loop  (itself 512 KiB)
     60.0 MiB  60.0%      a
     60.0 MiB  60.0%        malloc
     39.0 MiB  39.0%      b
     39.0 MiB  39.0%        malloc
      512 KiB   0.5%      … in 2 more, each below 0.5%"
  `);
});

test('a difference marks what may be chance', () => {
  const before = profileOf([
    { frames: ['a'], bytes: 10 * MIB, objects: 1000, sampled: 20 },
    { frames: ['gone'], bytes: 5 * MIB, objects: 10, sampled: 900 },
  ]);
  const after = profileOf([
    { frames: ['a'], bytes: 12 * MIB, objects: 1200, sampled: 24 },
    { frames: ['new'], bytes: 9 * MIB, objects: 90, sampled: 900 },
  ]);
  const difference = analyseProfileDifference(after, before, { by: 'function' });
  expect(renderProfileDifference(difference, 20, STYLE)).toMatchInlineSnapshot(`
    "live: 15.0 MiB before, 21.0 MiB after: +6.00 MiB

    By function
       change      ±    before     after  objects          function
    +9.00 MiB              0 B  9.00 MiB       90  new     new
    -5.00 MiB         5.00 MiB       0 B      -10  gone    gone
    +2.00 MiB  ±166%  10.0 MiB  12.0 MiB      200  grown?  a
    ?: within two standard deviations of the sampling, so it may be chance"
  `);
  expect(renderProfileDifference(analyseProfileDifference(after, after, { by: 'file' }), 20, STYLE)).toContain(
    'Nothing changed.',
  );
});

describe('leaks', () => {
  const look = (at: number, sampled: number) => ({
    name: `${at}.heap`,
    profile: profileOf(
      [
        {
          frames: [MALLOC, script('push /app/node_modules/lru/index.js:9'), script('handle /app/server.js:42')],
          bytes: sampled * 2 ** 19,
          objects: sampled * 512,
          sampled,
        },
      ],
      { sampleBytes: 2 ** 19, takenAtMs: Date.UTC(2026, 0, 2, 3, at * 10) },
    ),
  });

  test('with growth an hour, the place, what is between, and the stack', () => {
    const report = analyseProfileLeaks([look(0, 10), look(1, 40), look(2, 70)]);
    expect(renderProfileLeaks(report, 10, STYLE)).toMatchInlineSnapshot(`
      "3 snapshots over 20 min:
        0.heap  2026-01-02 03:00:00 UTC   5.00 MiB live in 5,120 objects
        1.heap  2026-01-02 03:10:00 UTC   20.0 MiB live in 20,480 objects
        2.heap  2026-01-02 03:20:00 UTC   35.0 MiB live in 35,840 objects

      One place grew in every snapshot:

      1. +90.0 MiB an hour  handle server.js:42
         through push node_modules/lru/index.js:9
         5.00 MiB → 20.0 MiB → 35.0 MiB: +30.0 MiB ± 4.47 MiB, 30,720 objects more
         the stack with the most of it (100%), the allocating function first:
          malloc libc.so.6
          push node_modules/lru/index.js:9
          handle server.js:42"
    `);
  });

  test('of many snapshots the first and the last are shown', () => {
    const series = Array.from({ length: 30 }, (_, at) => look(at, 10 + at * 20 - (at === 15 ? 25 : 0)));
    const text = renderProfileLeaks(analyseProfileLeaks(series), 10, STYLE);
    expect(text).toMatch(/^ {2}3\.heap .*\n {2}… 22 more\n {2}26\.heap /m);
    expect(text).toMatch(/^ {3}(\S+ MiB → ){4}… → (\S+ MiB → ){3}\S+ MiB: \+/m);
    expect(text).toContain('One place grew, if not in every snapshot:');
  });

  test('none', () => {
    const text = renderProfileLeaks(analyseProfileLeaks([look(0, 2), look(1, 3)]), 10, STYLE);
    expect(text).toContain('Nothing grew in every snapshot beyond what sampling can do.');
    expect(text).toContain('1 more place grew in every snapshot');
  });
});

test('fragmentation says whose objects keep the slabs, and how it knows', () => {
  const profile = profileOf([{ frames: [MALLOC, script('keep /app/cache.js:7')], bytes: 640 * 320, objects: 640 }]);
  const classes = [{ sizeBytes: 320, slabBytes: 20_480, regionsPerSlab: 64, regionsInUse: 1280, slabs: 200 }];
  expect(
    renderProfileFragmentation(analyseProfileFragmentation(profile, classes, 10), 10, STYLE),
  ).toMatchInlineSnapshot(`
    "3.52 MiB of 3.91 MiB in slabs (90.0%) are empty places between small objects.
    A slab goes back only when its last object is freed. These stacks hold the few survivors that keep mostly empty slabs:
    the waste of a size class is shared among them by their objects in it. A stack’s class is that of its mean object, so a
    stack that allocates objects of several sizes may stand at a class between them.

       waste  size class  in use  slabs  objects  known to the profile
    3.52 MiB       320 B   10.0%    200    1,280                   640

       waste  size class  objects  held by
    1.76 MiB       320 B      640  keep cache.js:7
    1.76 MiB of the waste is of objects that the profile does not know: not sampled, or older than it

    stack 1, 1.76 MiB, the allocating function first:
        malloc libc.so.6
        keep cache.js:7"
  `);
  const none = analyseProfileFragmentation(profile, [], 10);
  expect(renderProfileFragmentation(none, 10, STYLE)).toContain('0 B');
});

describe('what comes out of a profile', () => {
  test('cannot write to the terminal', () => {
    const evil = profileOf([
      { frames: [{ name: 'a\u001b]0;x\u0007b\nzz', file: '/x\u001b[2J', kind: 'javascript' }], bytes: 1 },
    ]);
    const table = analyseProfileTable(evil, { by: 'line', attribution: 'owner' });
    const texts = [
      renderProfileTable(table, ALL, STYLE),
      renderProfileTable(table, { ...ALL, plainBytes: true }, STYLE),
      renderProfileSummary(evil, table, table, { ...ALL, files: ['\u001b[1m'], amount: 'live', nowMs: 0 }, STYLE),
      renderProfileTree(analyseProfileTree(evil), { ...ALL, leastShare: 0 }, STYLE),
      renderProfileDifference(analyseProfileDifference(evil, profileOf([]), { by: 'line' }), 9, STYLE),
    ];
    for (const text of texts) expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    for (const text of texts) expect(text).not.toContain('\nzz');
  });

  test('is shortened where it is endless', () => {
    const profile = profileOf([{ frames: [`f<${'x'.repeat(100_000)}>`], bytes: 1 }]);
    expect(renderProfileTable(analyseProfileTable(profile, { by: 'function' }), ALL, STYLE).length).toBeLessThan(1000);
  });
});

test('a stack shows runs of runtime frames by their ends', () => {
  const run = Array.from(
    { length: 9 },
    (_, at) => ({ name: `v8::f${at}`, place: '', kind: 'v8', inlined: false }) as const,
  );
  const mine = { name: 'handle', place: '/app/server.js:42', kind: 'javascript', inlined: true } as const;
  expect(renderStack([...run, mine, ...run.slice(0, 2)], STYLE, '')).toEqual([
    'v8::f0',
    'v8::f1',
    '… 6 more of Node.js, V8 and the C library',
    'v8::f8',
    'handle server.js:42 (inlined)',
    'v8::f0',
    'v8::f1',
  ]);
});
