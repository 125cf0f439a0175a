import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_KINDS, type HeapProfile } from '../../../../src/model/heap-profile.js';
import { findNeighbours, sumByKey, sumMatching } from '../../../../src/outputs/flame-graph/call-totals.js';
import { type CallTree, growCallTree } from '../../../../src/outputs/flame-graph/call-tree.js';
import { type CallView, sumGrowth, sumRows, viewStacks } from '../../../../src/outputs/flame-graph/call-view.js';
import {
  GRANULARITIES,
  type Granularity,
  type KindTreatment,
  makeFrameKeys,
} from '../../../../src/outputs/flame-graph/frame-keys.js';
import { findBox, layOutBoxes } from '../../../../src/outputs/flame-graph/lay-out-boxes.js';
import { packProfile } from '../../../../src/outputs/flame-graph/pack-profile.js';
import { anyProfile } from '../../../support/any-profile.js';
import { profileOf } from '../../../support/flame-graph-profiles.js';

const anyGranularity = fc.constantFrom(...GRANULARITIES);
const anyTreatments = fc.array(fc.constantFrom<KindTreatment>('show', 'merge', 'hide'), {
  minLength: FRAME_KINDS.length,
  maxLength: FRAME_KINDS.length,
});
const anyDirection = fc.constantFrom('callees' as const, 'callers' as const);

function open(
  profile: HeapProfile,
  granularity: Granularity = 'function',
  treatments: readonly KindTreatment[] = [],
  base?: HeapProfile,
) {
  const packed = packProfile(profile, base);
  const view = viewStacks(packed.forest, makeFrameKeys(packed.strings, packed.frames, granularity, treatments));
  return { packed, view, now: sumRows(view, packed.now, 'liveBytes') };
}

/** All nodes of a tree as paths of labels with their values. */
function paths(tree: CallTree, { keys }: CallView): Record<string, number> {
  const found: Record<string, number> = {};
  const visit = (node: number, path: string) => {
    const { first, count } = tree.children(node);
    for (let child = first; child < first + count; child++) {
      const own = `${path}/${keys.label[tree.key(child)]}`;
      found[own] = tree.value(child);
      visit(child, own);
    }
  };
  visit(0, '');
  return found;
}

const keyOf = ({ keys }: CallView, label: string) => keys.label.indexOf(label);

describe('growCallTree', () => {
  it('never gives children more than their parent, and the root everything', () => {
    fc.assert(
      fc.property(
        anyProfile,
        anyGranularity,
        anyTreatments,
        anyDirection,
        (profile, granularity, treatments, direction) => {
          const { view, now } = open(profile, granularity, treatments);
          const tree = growCallTree(view, [now], { direction });
          expect(tree.value(0)).toBe(profile.samples.liveBytes.reduce((all, value) => all + value, 0));
          const visit = (node: number) => {
            const { first, count } = tree.children(node);
            let end = tree.start(node);
            const keys = new Set<number>();
            for (let child = first; child < first + count; child++) {
              expect(tree.start(child)).toBe(end);
              end += tree.value(child);
              expect(tree.parent(child)).toBe(node);
              keys.add(tree.key(child));
              visit(child);
            }
            expect(keys.size).toBe(count);
            expect(end).toBeLessThanOrEqual(tree.start(node) + tree.value(node));
          };
          visit(0);
        },
      ),
    );
  });

  it('agrees with sums made stack by stack', () => {
    const anyStacks = fc.array(
      fc.record({
        names: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 6 }),
        liveBytes: fc.integer({ min: 1, max: 1000 }),
      }),
    );
    fc.assert(
      fc.property(anyStacks, (stacks) => {
        const { view, now } = open(
          profileOf(
            stacks.map(({ names, liveBytes }) => ({
              stack: names.map((name) => `native:${name}`).join(' > '),
              liveBytes,
            })),
          ),
        );
        const sums = (order: (names: readonly string[]) => readonly string[]) => {
          const expected: Record<string, number> = {};
          for (const { names, liveBytes } of stacks)
            for (const at of names.keys()) {
              const path = `/${order(names)
                .slice(0, at + 1)
                .join('/')}`;
              expected[path] = (expected[path] ?? 0) + liveBytes;
            }
          return expected;
        };
        expect(paths(growCallTree(view, [now], { direction: 'callees' }), view)).toEqual(sums((names) => names));
        expect(paths(growCallTree(view, [now], { direction: 'callers' }), view)).toEqual(
          sums((names) => [...names].reverse()),
        );
      }),
    );
  });

  const recursive = profileOf([
    { stack: 'javascript:main > javascript:walk > javascript:walk > native:alloc', liveBytes: 10 },
    { stack: 'javascript:main > javascript:walk', liveBytes: 5 },
    { stack: 'javascript:main > v8:call > native:alloc', liveBytes: 3 },
  ]);

  it('goes down from the roots', () => {
    const { view, now } = open(recursive);
    expect(paths(growCallTree(view, [now], { direction: 'callees' }), view)).toEqual({
      '/main': 18,
      '/main/walk': 15,
      '/main/walk/walk': 10,
      '/main/walk/walk/alloc': 10,
      '/main/call': 3,
      '/main/call/alloc': 3,
    });
  });

  it('goes up from where it is allocated', () => {
    const { view, now } = open(recursive);
    expect(paths(growCallTree(view, [now], { direction: 'callers' }), view)).toEqual({
      '/alloc': 13,
      '/alloc/walk': 10,
      '/alloc/walk/walk': 10,
      '/alloc/walk/walk/main': 10,
      '/alloc/call': 3,
      '/alloc/call/main': 3,
      '/walk': 5,
      '/walk/main': 5,
    });
  });

  it('counts a function that calls itself once where it is focused', () => {
    const { view, now } = open(recursive);
    const focus = keyOf(view, 'walk');
    expect(paths(growCallTree(view, [now], { direction: 'callees', focus }), view)).toEqual({
      '/walk': 15,
      '/walk/walk': 10,
      '/walk/walk/alloc': 10,
    });
    expect(paths(growCallTree(view, [now], { direction: 'callers', focus }), view)).toEqual({
      '/walk': 15,
      '/walk/main': 15,
    });
  });

  it('lets callers stand directly above what they reach through hidden and merged frames', () => {
    const profile = profileOf([
      { stack: 'javascript:main > v8:one > v8:two > native:alloc', liveBytes: 4 },
      { stack: 'javascript:main > v8:three', liveBytes: 2 },
    ]);
    const treat = (treatment: KindTreatment) => FRAME_KINDS.map((kind) => (kind === 'v8' ? treatment : 'show'));
    const hidden = open(profile, 'function', treat('hide'));
    expect(paths(growCallTree(hidden.view, [hidden.now], { direction: 'callees' }), hidden.view)).toEqual({
      '/main': 6,
      '/main/alloc': 4,
    });
    expect(sumByKey(hidden.view, hidden.now).flat[keyOf(hidden.view, 'main')]).toBe(2);
    const merged = open(profile, 'function', treat('merge'));
    expect(paths(growCallTree(merged.view, [merged.now], { direction: 'callees' }), merged.view)).toEqual({
      '/main': 6,
      '/main/(V8)': 6,
      '/main/(V8)/alloc': 4,
    });
  });

  it('shows what has grown as what stacks have more', () => {
    const { packed, view, now } = open(
      profileOf([
        { stack: 'javascript:a > javascript:b', liveBytes: 10 },
        { stack: 'javascript:a > javascript:c', liveBytes: 1 },
      ]),
      'function',
      [],
      profileOf([
        { stack: 'javascript:a > javascript:b', liveBytes: 4 },
        { stack: 'javascript:a > javascript:c', liveBytes: 9 },
      ]),
    );
    const base = sumRows(view, packed.base!, 'liveBytes');
    const tree = growCallTree(view, [sumGrowth(view, now, base), now, base], { direction: 'callees' });
    expect(paths(tree, view)).toEqual({ '/a': 6, '/a/b': 6 });
    expect([tree.value(1, 1), tree.value(1, 2)]).toEqual([11, 13]);
  });
});

describe('sumByKey', () => {
  it('has all of the values once as own, and no more than all as total', () => {
    fc.assert(
      fc.property(anyProfile, anyGranularity, anyTreatments, (profile, granularity, treatments) => {
        const { view, now } = open(profile, granularity, treatments);
        const { flat, cumulative } = sumByKey(view, now);
        const own = flat.reduce((all, value) => all + value, 0);
        expect(own).toBe(now.total[0]! - now.self[0]!);
        for (const [key, value] of cumulative.entries()) {
          expect(value).toBeLessThanOrEqual(now.total[0]!);
          expect(value).toBeGreaterThanOrEqual(flat[key]!);
          const only = Uint8Array.from(cumulative, (_, at) => (at === key ? 1 : 0));
          expect(sumMatching(view, now, only)).toBe(value);
        }
      }),
    );
  });

  it('is the root of the tree that is focused on the key', () => {
    fc.assert(
      fc.property(anyProfile, anyGranularity, anyDirection, (profile, granularity, direction) => {
        const { view, now } = open(profile, granularity);
        const { cumulative } = sumByKey(view, now);
        for (let focus = 0; focus < view.keys.count; focus++)
          expect(growCallTree(view, [now], { direction, focus }).value(0)).toBe(cumulative[focus]);
      }),
    );
  });
});

describe('findNeighbours', () => {
  it('tells callers and callees, each call within itself once', () => {
    const { view, now } = open(
      profileOf([
        { stack: 'javascript:main > javascript:walk > javascript:walk > native:alloc', liveBytes: 10 },
        { stack: 'javascript:other > javascript:walk', liveBytes: 5 },
        { stack: 'javascript:walk', liveBytes: 1 },
      ]),
    );
    const { callers, callees } = findNeighbours(view, now, keyOf(view, 'walk'));
    const named = (sums: ReadonlyMap<number, number>) =>
      Object.fromEntries([...sums].map(([key, value]) => [view.keys.label[key] ?? '(none)', value]));
    expect(named(callers)).toEqual({ main: 10, walk: 10, other: 5, '(none)': 1 });
    expect(named(callees)).toEqual({ walk: 10, alloc: 10 });
  });
});

describe('layOutBoxes', () => {
  it('covers the same widths whether boxes are drawn or put together', () => {
    fc.assert(
      fc.property(anyProfile, fc.integer({ min: 1, max: 200 }), (profile, minWidth) => {
        const { view, now } = open(profile);
        const tree = growCallTree(view, [now], { direction: 'callees' });
        const all = { from: 0, to: tree.value(0), width: 1000, minWidth };
        for (const row of layOutBoxes(tree, all)) {
          for (let box = 0; box < row.node.length; box++) {
            expect(row.right[box]! - row.left[box]!).toBeGreaterThanOrEqual(minWidth - 1e-6);
            if (box > 0) expect(row.left[box]!).toBeGreaterThanOrEqual(row.right[box - 1]! - 1e-6);
            const middle = (row.left[box]! + row.right[box]!) / 2;
            expect(findBox(row, middle)).toBe(box);
          }
          expect(findBox(row, -1)).toBe(-1);
          expect(findBox(row, 1001)).toBe(-1);
        }
      }),
    );
  });

  it('draws only the part that is zoomed into, clipped to the width', () => {
    const { view, now } = open(
      profileOf([
        { stack: 'javascript:a > javascript:b', liveBytes: 60 },
        { stack: 'javascript:a > javascript:c', liveBytes: 40 },
      ]),
    );
    const tree = growCallTree(view, [now], { direction: 'callees' });
    const rows = layOutBoxes(tree, { from: 60, to: 100, width: 400, minWidth: 1 });
    expect(rows.map(({ left, right }) => [left, right])).toEqual([
      [[0], [400]],
      [[0], [400]],
      [[0], [400]],
    ]);
    expect(view.keys.label[tree.key(rows[2]!.node[0]!)]).toBe('c');
  });

  it('has no rows for a profile that holds nothing', () => {
    const { view, now } = open(profileOf([]));
    const tree = growCallTree(view, [now], { direction: 'callees' });
    expect(layOutBoxes(tree, { from: 0, to: 0, width: 100, minWidth: 1 })).toEqual([]);
  });
});

describe('makeFrameKeys', () => {
  const packed = packProfile(
    profileOf([
      {
        stack:
          'javascript:load|/srv/app/catalog.ts:42 > javascript:load|/srv/app/catalog.ts:44 > javascript:get|/srv/node_modules/@scope/pkg/lib/a.js:3 > native:|/srv/node_modules/sharp/build/sharp.node > native:|/usr/lib/libz.so.1 > marker:(thread pool)',
        liveBytes: 1,
      },
    ]),
  );
  const labels = (granularity: Granularity) => {
    const { label, detail } = makeFrameKeys(packed.strings, packed.frames, granularity);
    return label.map((name, key) => [name, detail[key]].filter(Boolean).join(' ')).sort();
  };

  it.each<[Granularity, string[]]>([
    [
      'function',
      ['(thread pool)', 'get a.js:1', 'libz.so.1 (no symbols)', 'load catalog.ts:30', 'sharp.node (no symbols)'],
    ],
    ['file', ['(thread pool)', 'a.js', 'catalog.ts', 'libz.so.1', 'sharp.node']],
    ['package', ['(application)', '(thread pool)', '@scope/pkg', 'libz.so.1', 'sharp']],
  ])('puts frames together by %s', (granularity, expected) => {
    expect(labels(granularity)).toEqual(expected);
  });

  it('tells lines apart', () => {
    expect(labels('line').filter((label) => label.startsWith('load'))).toEqual([
      'load catalog.ts:42',
      'load catalog.ts:44',
    ]);
  });
});
