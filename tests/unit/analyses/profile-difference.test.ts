import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyseProfileDifference } from '../../../src/analyses/profile-difference.js';
import { addProfiles, subtractProfile, withoutShrunk } from '../../../src/analyses/profile-merge.js';
import { analyseProfileTable } from '../../../src/analyses/profile-table.js';
import { renderCollapsed, renderCollapsedPair } from '../../../src/outputs/profile/collapsed.js';
import { profileOf, profiles } from '../../support/heap-profiles.js';

const OPPOSITE = { new: 'gone', gone: 'new', grown: 'shrunk', shrunk: 'grown', same: 'same' } as const;
const BEFORE = profileOf([
  { frames: ['kept', 'main'], bytes: 100 },
  { frames: ['less', 'main'], bytes: 100 },
  { frames: ['more', 'main'], bytes: 100 },
  { frames: ['old', 'main'], bytes: 100 },
]);
const AFTER = profileOf([
  { frames: ['kept', 'main'], bytes: 100 },
  { frames: ['less', 'main'], bytes: 40 },
  { frames: ['more', 'main'], bytes: 300 },
  { frames: ['new', 'main'], bytes: 50 },
]);

describe('analyseProfileDifference', () => {
  test('tells grown, shrunk, new and gone, the greatest change first', () => {
    const { rows, beforeBytes, afterBytes } = analyseProfileDifference(AFTER, BEFORE, { by: 'function' });
    expect(rows.map(({ name, change, changeBytes }) => [name, change, changeBytes])).toEqual([
      ['more', 'grown', 200],
      ['old', 'gone', -100],
      ['less', 'shrunk', -60],
      ['new', 'new', 50],
    ]);
    expect([beforeBytes, afterBytes]).toEqual([400, 490]);
  });

  test('the other way round everything is its opposite', () => {
    fc.assert(
      fc.property(profiles, profiles, (one, other) => {
        const there = analyseProfileDifference(one, other, { by: 'function' }).rows;
        const back = analyseProfileDifference(other, one, { by: 'function' }).rows;
        const flat = (rows: typeof there, turn: boolean) =>
          rows
            .map(({ name, place, change, changeBytes }) => ({
              name,
              // Where a function begins may have moved between the two.
              place: place.replace(/:\d+$/, ''),
              change: turn ? OPPOSITE[change] : change,
              changeBytes: turn ? -changeBytes : changeBytes,
            }))
            .map((row) => JSON.stringify(row))
            .sort();
        expect(flat(there, false)).toEqual(flat(back, true));
      }),
    );
  });

  test('nothing differs from itself', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        expect(analyseProfileDifference(profile, profile, { by: 'line' }).rows).toEqual([]);
        expect(renderCollapsed(subtractProfile(profile, profile))).toBe('');
      }),
    );
  });

  test('code without symbols is matched at another address', () => {
    const at = (start: number, bytes: number) => ({
      ...profileOf([{ frames: [{ address: start + 8 }], bytes }]),
      modules: [{ path: '/lib/a.so', start, end: start + 64, fileOffset: 0, buildId: undefined }],
    });
    const { rows } = analyseProfileDifference(at(0x5000, 30), at(0x1000, 10), { by: 'function' });
    expect(rows).toMatchObject([{ name: 'a.so+0x8', change: 'grown', changeBytes: 20 }]);
    expect(renderCollapsed(subtractProfile(at(0x5000, 30), at(0x1000, 10)))).toBe('a.so+0x8 20');
  });
});

describe('sums of profiles', () => {
  test('a difference and its base make up the profile', () => {
    fc.assert(
      fc.property(profiles, profiles, (one, other) => {
        expect(renderCollapsed(addProfiles([subtractProfile(one, other), other]))).toBe(renderCollapsed(one));
      }),
    );
  });

  test('totals add up', () => {
    const total = (profile: typeof BEFORE) => analyseProfileTable(profile, { by: 'function' }).totalBytes;
    expect(total(addProfiles([BEFORE, AFTER]))).toBe(890);
    expect(total(subtractProfile(AFTER, BEFORE))).toBe(90);
    expect(total(withoutShrunk(subtractProfile(AFTER, BEFORE)))).toBe(250);
  });

  test('as pairs, for difffolded', () => {
    expect(renderCollapsedPair(AFTER, BEFORE)).toBe(
      'main;kept 100 100\nmain;less 100 40\nmain;more 100 300\nmain;new 0 50\nmain;old 100 0',
    );
  });
});
