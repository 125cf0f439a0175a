import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filterProfile } from '../../../src/analyses/profile-filter.js';
import { analyseProfileTable } from '../../../src/analyses/profile-table.js';
import type { HeapProfile } from '../../../src/model/heap-profile.js';
import { renderCollapsed } from '../../../src/outputs/profile/collapsed.js';
import { profileOf, profiles, script } from '../../support/heap-profiles.js';

const total = (profile: HeapProfile) => analyseProfileTable(profile, { by: 'function' }).totalBytes;
const patterns = fc.constantFrom(/a/, /one|two/, /pkg/, /libx/, /nothing/, /./);

describe('filterProfile', () => {
  test('focus and ignore of the same pattern share the bytes between them', () => {
    fc.assert(
      fc.property(profiles, patterns, (profile, pattern) => {
        const focused = total(filterProfile(profile, { focus: pattern }));
        const ignored = total(filterProfile(profile, { ignore: pattern }));
        expect(focused + ignored).toBe(total(profile));
      }),
    );
  });

  test('hide and show lose no byte', () => {
    fc.assert(
      fc.property(profiles, patterns, (profile, pattern) => {
        expect(total(filterProfile(profile, { hide: pattern }))).toBe(total(profile));
        expect(total(filterProfile(profile, { show: pattern }))).toBe(total(profile));
      }),
    );
  });

  test('a thread and the others make up the whole', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        const parts = ['main', 'worker', ''].map((thread) => total(filterProfile(profile, { thread })));
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total(profile));
      }),
    );
  });

  const PROFILE = profileOf([
    { frames: ['malloc', script('get /app/node_modules/lru/index.js:3'), 'main'], bytes: 10 },
    { frames: ['malloc', 'other', 'main'], bytes: 5 },
  ]);

  test.each([
    [{ focus: /other/ }, 'main;other;malloc 5'],
    [{ focus: /node_modules.lru/ }, 'main;get;malloc 10'],
    [{ ignore: /get/ }, 'main;other;malloc 5'],
    [{ hide: /malloc|get/ }, 'main 10\nmain;other 5'],
    [{ show: /main/ }, 'main 15'],
    [{ show: /get/ }, '(hidden) 5\nget 10'],
    [{ focus: /get/, hide: /main/ }, 'get;malloc 10'],
    [{ focus: /absent/ }, ''],
  ])('%j', (filter, collapsed) => {
    expect(renderCollapsed(filterProfile(PROFILE, filter))).toBe(collapsed);
  });

  test('changes nothing without a pattern', () => {
    expect(filterProfile(PROFILE, {})).toBe(PROFILE);
  });
});
