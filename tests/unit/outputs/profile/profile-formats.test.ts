import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderCollapsed } from '../../../../src/outputs/profile/collapsed.js';
import { renderSpeedscope } from '../../../../src/outputs/profile/speedscope.js';
import { profileOf, profiles, script } from '../../../support/heap-profiles.js';

describe('collapsed stacks', () => {
  test('the root first, the same stack once, with lines where asked', () => {
    const profile = profileOf([
      { frames: ['malloc', script('f /a.js:3'), 'main'], bytes: 10, objects: 2, thread: 'one' },
      { frames: ['malloc', script('f /a.js:3'), 'main'], bytes: 5, objects: 1, thread: 'two' },
    ]);
    expect(renderCollapsed(profile)).toBe('main;f;malloc 15');
    expect(renderCollapsed(profile, { measure: 'objects' })).toBe('main;f;malloc 3');
    expect(renderCollapsed(profile, { lines: true })).toBe('main;f (/a.js:3);malloc 15');
    expect(renderCollapsed(profile, { side: 'allocated' })).toBe('');
  });

  test('names cannot break the form', () => {
    expect(renderCollapsed(profileOf([{ frames: ['a;b\n7'], bytes: 1 }]))).toBe('a:b?7 1');
  });

  test('sums are kept', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        const lines = renderCollapsed(profile).split('\n').filter(Boolean);
        const sum = lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
        expect(sum).toBe(profile.samples.liveBytes.reduce((total, bytes) => total + bytes, 0));
      }),
    );
  });
});

describe('speedscope', () => {
  test('is its documented sampled format', () => {
    const frames = ['malloc', { ...script('f file:///a%20b.ts:3'), column: 9 }];
    const text = renderSpeedscope(profileOf([{ frames, bytes: 10, objects: 2 }]), { name: 'x' });
    expect(JSON.parse(text)).toEqual({
      $schema: 'https://www.speedscope.app/file-format-schema.json',
      exporter: 'jemkit',
      name: 'x',
      activeProfileIndex: 0,
      shared: { frames: [{ name: 'malloc' }, { name: 'f', file: '/a b.ts', line: 3, col: 9 }] },
      profiles: [
        {
          type: 'sampled',
          name: 'live bytes',
          unit: 'bytes',
          startValue: 0,
          endValue: 10,
          samples: [[1, 0]],
          weights: [10],
        },
        {
          type: 'sampled',
          name: 'live objects',
          unit: 'none',
          startValue: 0,
          endValue: 2,
          samples: [[1, 0]],
          weights: [2],
        },
      ],
    });
  });

  test('each weight has its sample, and the end is their sum', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        const { profiles: parts, shared } = JSON.parse(renderSpeedscope(profile, { name: 'x' }));
        for (const { samples, weights, endValue } of parts) {
          expect(samples).toHaveLength(weights.length);
          expect(weights.reduce((sum: number, weight: number) => sum + weight, 0)).toBe(endValue);
          for (const frame of samples.flat()) expect(shared.frames[frame]).toBeDefined();
        }
      }),
    );
  });
});
