import { expect, test } from 'vitest';
import type { ResidentBreakdown, ResidentRow } from '../../../../src/model/resident-breakdown.js';
import {
  renderMappings,
  renderResidentBreakdown,
  renderResidentVerdicts,
} from '../../../../src/outputs/text/resident-breakdown.js';
import { mapping } from '../../../support/mappings.js';

const MIB = 2 ** 20;
const row = (
  part: ResidentRow['part'],
  label: string,
  mebibytes: number,
  over: Partial<ResidentRow> = {},
): ResidentRow => ({
  part,
  label,
  bytes: mebibytes * MIB,
  source: 'kernel',
  ...over,
});

const BREAKDOWN: ResidentBreakdown = {
  pid: 4711,
  atMs: 0,
  residentBytes: 200 * MIB,
  driftBytes: 0,
  rows: [
    row('v8-heap', 'V8 heap', 100, {
      parts: [
        { label: 'old_space', bytes: 90 * MIB },
        { label: 'new_space', bytes: 10 * MIB },
      ],
    }),
    row('jemalloc-live', 'jemalloc: live', 60),
    row('jemalloc-difference', 'jemalloc: never touched', -5, { source: 'difference' }),
    row('file', '/usr/bin/evil\u001b[31m', 44.1),
    row('file', '/lib/a.so', 0.3),
    row('file', '/lib/b.so', 0.2),
    row('rest', 'rest', 0.4),
  ],
  unexplainedBytes: 0.4 * MIB,
  untouchedBytes: 5 * MIB,
  proportionalBytes: 190 * MIB,
  swapBytes: 3 * MIB,
  hugePageBytes: 0,
  hugetlbBytes: 0,
  notes: ['a note'],
};

test('rows, shares, bars, small files together, signs, the sum', () => {
  expect(
    renderResidentBreakdown(BREAKDOWN)
      .split('\n')
      .map((line) => line.trimEnd()),
  ).toEqual([
    '      MiB      %                            what',
    '    100.0   50.0  ████████████              V8 heap',
    '                                                 90.0  old_space',
    '                                                 10.0  new_space',
    '     60.0   30.0  ███████▎                  jemalloc: live',
    '     -5.0   -2.5                            jemalloc: never touched',
    '     44.1   22.1  █████▎                    /usr/bin/evil?[31m',
    '      0.5    0.3                            2 smaller files',
    '      0.4    0.2                            rest',
    '    200.0  100.0                            RSS, as the kernel counts it',
    '',
    "not explained: 0.2 %; jemalloc's rows count 2.5 % more than is in memory, which the row below them takes off",
    '3.00 MiB in swap, beside RSS',
    'note: a note',
  ]);
});

test('a process that moved meanwhile is said to have moved', () => {
  const text = renderResidentBreakdown({ ...BREAKDOWN, driftBytes: 20 * MIB });
  expect(text).toContain('RSS moved by 20.0 MiB while it was read');
});

test('no line is wider than the terminal', () => {
  const lines = renderResidentBreakdown(BREAKDOWN, { maxWidth: 60 }).split('\n').slice(0, 10);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
});

test('a verdict: suspicion is called so', () => {
  const verdict = { kind: 'undecayed', title: 'free pages', evidence: ['e'], remedies: ['jem purge 1'] } as const;
  expect(renderResidentVerdicts([{ ...verdict, certainty: 'suspected' }])).toBe(
    'suspected: free pages\n  - e\n  > jem purge 1',
  );
  expect(renderResidentVerdicts([{ ...verdict, certainty: 'proven' }])).toMatch(/^free pages\n/);
});

test('mappings with whose they are', () => {
  const shown = renderMappings([
    { mapping: mapping(0x1000, 4096, { path: '/x', deleted: true }), owner: 'file', file: '/x' },
  ]);
  expect(shown.split('\n')[1]).toMatch(/^1000-2000 +rw-p +0\.0 +0\.0 +0\.0 +0\.0 +file +\/x \(deleted\)$/);
});

test('a narrow terminal has names in place of bars', () => {
  const text = renderResidentBreakdown(BREAKDOWN, { maxWidth: 50 });
  expect(text).not.toMatch(/[█▏▎▍▌▋▊▉]/);
  expect(text).toMatch(/^ +100\.0 +50\.0 {2}V8 heap$/m);
  expect(text).toMatch(/^ +200\.0 {2}100\.0 {2}RSS, as the kernel counts it$/m);
  const wider = renderResidentBreakdown(BREAKDOWN, { maxWidth: 66 });
  expect(wider).toMatch(/^ +100\.0 +50\.0 {2}█{6} {8}V8 heap$/m);
});
