import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupDecayTimes, undoDecay } from '../../../src/analyses/decay-change.js';
import { formatIndices, renderDecayChanges } from '../../../src/outputs/text/decay-change.js';

const groups = groupDecayTimes(
  10_000,
  new Map([
    [0, 10_000],
    [1, 10_000],
    [8, 0],
  ]),
);

describe('decay times', () => {
  test('are grouped, new arenas in front', () => {
    expect(groups).toEqual([
      { arenas: undefined, beforeMs: 10_000 },
      { arenas: [0, 1], beforeMs: 10_000 },
      { arenas: [8], beforeMs: 0 },
    ]);
  });

  test('are set back by one command, and one for each arena that had another', () => {
    expect(undoDecay(7, [{ pages: 'dirty', toMs: 5, groups }])).toEqual([
      'jem decay 7 --dirty-ms 10000',
      'jem ctl 7 set arena.8.dirty_decay_ms 0',
    ]);
    expect(undoDecay(7, [])).toEqual([]);
    expect(undoDecay(7, [{ pages: 'dirty', toMs: 0, groups: [{ arenas: [8], beforeMs: 0 }] }])).toEqual([]);
  });

  test('of one arena are set back by its key', () => {
    const one = groupDecayTimes(undefined, new Map([[3, -1]]));
    expect(undoDecay(7, [{ pages: 'muzzy', toMs: 5, groups: one }])).toEqual([
      'jem ctl 7 set arena.3.muzzy_decay_ms -1',
    ]);
  });

  test('are shown with what they were', () => {
    expect(renderDecayChanges([{ pages: 'dirty', toMs: 10_000, groups }])).toBe(
      [
        'dirty_decay_ms  arenas made from now on  10000 ms (as it was)',
        'dirty_decay_ms  arenas 0, 1              10000 ms (as it was)',
        'dirty_decay_ms  arena 8                  0 ms → 10000 ms',
      ].join('\n'),
    );
  });
});

/** Sets back by the commands what was before, as a process would. */
function replay(commands: readonly string[], times: Map<number, number>): Map<number, number> {
  for (const command of commands) {
    const all = /--dirty-ms (-?\d+)/.exec(command)?.[1];
    if (all) for (const index of times.keys()) times.set(index, Number(all));
    const [, index, ms] = /arena\.(\d+)\.dirty_decay_ms (-?\d+)/.exec(command) ?? [];
    if (index) times.set(Number(index), Number(ms));
  }
  return times;
}

test('undoing gives every arena its own time back', () => {
  const times = fc.uniqueArray(fc.tuple(fc.nat(50), fc.constantFrom(-1, 0, 1000, 10_000)), {
    minLength: 1,
    selector: ([index]) => index,
  });
  fc.assert(
    fc.property(times, fc.option(fc.constantFrom(0, 10_000), { nil: undefined }), (arenas, ofNew) => {
      const before = new Map(arenas);
      const changed = new Map([...before].map(([index]): [number, number] => [index, 77]));
      const undo = undoDecay(1, [{ pages: 'dirty', toMs: 77, groups: groupDecayTimes(ofNew, before) }]);
      expect(replay(undo, changed)).toEqual(before);
    }),
  );
});

test('indices in runs', () => {
  expect(formatIndices([0])).toBe('0');
  expect(formatIndices([1, 0])).toBe('0, 1');
  expect(formatIndices([0, 1, 2, 3, 7, 9, 10, 11])).toBe('0 to 3, 7, 9 to 11');
});
