import { describe, expect, test } from 'vitest';
import { judgeReclaim } from '../../../src/analyses/judge-reclaim.js';
import type { Reclaimed, ReclaimFigures, ReclaimVerdict } from '../../../src/model/reclaim.js';
import { describeReclaim, renderReclaimTable } from '../../../src/outputs/text/reclaim-report.js';

const MIB = 2 ** 20;
const figures = (rss: number, dirty: number, muzzy: number): ReclaimFigures => ({
  residentBytes: rss * MIB,
  dirtyBytes: dirty * MIB,
  muzzyBytes: muzzy * MIB,
  activeBytes: 30 * MIB,
  allocatedBytes: 20 * MIB,
});
const reclaimed = (before: ReclaimFigures, after: ReclaimFigures): Reclaimed => ({
  pid: 1,
  arena: undefined,
  before,
  after,
  tookMs: 1,
});

describe('what came back', () => {
  test.each<[string, ReclaimFigures, ReclaimFigures, boolean, ReclaimVerdict['kind'], RegExp]>([
    ['RSS fell', figures(100, 40, 0), figures(61, 0, 0), true, 'returned', /^39\.0 MiB of RSS came back\.$/],
    [
      'nothing was unused',
      figures(60, 0, 0),
      figures(60, 0, 0),
      true,
      'nothing-unused',
      /20\.0 MiB held by the program, and 10\.0 MiB in the gaps/,
    ],
    [
      'nothing was due',
      figures(60, 20, 0),
      figures(60, 20, 0),
      false,
      'not-due',
      /20\.0 MiB are unused, and not past their decay time\. jem purge/,
    ],
    [
      'dirty became muzzy',
      figures(60, 20, 0),
      figures(60, 0, 20),
      false,
      'became-muzzy',
      /which the kernel takes when it needs memory/,
    ],
    [
      'it was used again',
      figures(60, 20, 0),
      figures(61, 0, 0),
      true,
      'refilled',
      /jemalloc gave 20\.0 MiB back, and the process took as much/,
    ],
    ['it is there again', figures(60, 20, 0), figures(60, 20, 0), true, 'still-there', /20\.0 MiB are unused again/],
  ])('%s', (_name, before, after, all, kind, words) => {
    const outcome = reclaimed(before, after);
    const verdict = judgeReclaim(outcome, all);
    expect(verdict.kind).toBe(kind);
    expect(describeReclaim(outcome, verdict)).toMatch(words);
  });

  test('a little is called so', () => {
    const before = { ...figures(60, 0, 0), dirtyBytes: 131_072 };
    const outcome = reclaimed(before, figures(60, 0, 0));
    const words = describeReclaim(outcome, judgeReclaim(outcome, true));
    expect(words).toMatch(/^Next to nothing came back: jemalloc kept no more than 128 KiB unused\. What is left/);
  });

  test('a change within the kernel’s own batches says nothing', () => {
    const before = figures(60, 0, 0);
    const after = { ...before, residentBytes: (before.residentBytes ?? 0) - 100_000 };
    expect(judgeReclaim(reclaimed(before, after), true)).toMatchObject({
      kind: 'nothing-unused',
      returnedBytes: 100_000,
    });
  });

  test('what was not measured is not judged', () => {
    const nothing = { ...figures(60, 0, 0), residentBytes: undefined };
    const outcome = reclaimed(nothing, nothing);
    expect(judgeReclaim(outcome, true)).toMatchObject({ kind: 'unknown', returnedBytes: undefined });
    expect(renderReclaimTable(nothing, nothing)).toMatch(/^RSS \(kernel\) +- +- +-$/m);
  });
});

test('the table has all digits, and the change for people', () => {
  const table = renderReclaimTable(figures(100, 40, 0), figures(61, 0, 0));
  expect(table.split('\n')[0]).toMatch(/^bytes +before +after +change$/);
  expect(table).toMatch(/^RSS \(kernel\) +104,857,600 +63,963,136 +-39\.0 MiB$/m);
  expect(renderReclaimTable(figures(100, 40, 0), undefined)).toMatch(/^RSS \(kernel\) +104,857,600 +100 MiB$/m);
});
