import { describe, expect, test } from 'vitest';
import { temporaryProfile } from '../../../src/analyses/profile-temporary.js';
import { renderCollapsed } from '../../../src/outputs/profile/collapsed.js';
import { profileOf } from '../../support/heap-profiles.js';

const look = (live: number, allocated: number) =>
  profileOf([
    { frames: ['f'], bytes: live, objects: live / 10, allocatedBytes: allocated, allocatedObjects: allocated / 10 },
  ]);
const temporary = (...args: Parameters<typeof temporaryProfile>) => {
  const found = temporaryProfile(...args);
  return found && [renderCollapsed(found), renderCollapsed(found, { measure: 'objects' })];
};

describe('temporaryProfile', () => {
  test('is what was allocated and is no more', () => {
    expect(temporary(look(100, 1000))).toEqual(['f 900', 'f 90']);
  });

  test('between two looks, only what was both in that time', () => {
    expect(temporary(look(150, 3000), look(100, 1000))).toEqual(['f 1950', 'f 195']);
    // 500 of what was freed are older than the first look.
    expect(temporary(look(100, 1200), look(600, 1000))).toEqual(['f 200', 'f 20']);
  });

  test('is not known without prof_accum', () => {
    const live = profileOf([{ frames: ['f'], bytes: 1 }]);
    expect(temporaryProfile(live)).toBeUndefined();
    expect(temporaryProfile(look(1, 2), live)).toBeUndefined();
  });
});
