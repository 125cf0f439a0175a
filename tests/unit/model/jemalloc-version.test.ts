import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareJemallocVersions, isKnownRelease, parseJemallocVersion } from '../../../src/model/jemalloc-version.js';

test.each([
  ['5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c', '5.3.0'],
  ['5.2.1', '5.2.1'],
  ['5.3', '5.3.0'],
  ['v5.4.0', '5.4.0'],
  ['5.3.1+dfsg-2', '5.3.1'],
])('%s is %s', (text, version) => {
  expect(parseJemallocVersion(text)).toBe(version);
});

test.each(['', 'latest', '5', '0.0.0-0-g000000missing_version_try_git_fetch_tags', '5.3.0.1.2', '-5.3.0'])(
  '%j is none',
  (text) => {
    expect(parseJemallocVersion(text)).toBeUndefined();
  },
);

test('releases are ordered as numbers', () => {
  const part = fc.nat(99);
  const version = fc.tuple(part, part, part).map(([a, b, c]) => `${a}.${b}.${c}` as const);
  fc.assert(
    fc.property(version, version, (a, b) => {
      expect(Math.sign(compareJemallocVersions(a, b))).toBe(-Math.sign(compareJemallocVersions(b, a)) + 0);
    }),
  );
  expect(compareJemallocVersions('5.10.0', '5.9.9')).toBeGreaterThan(0);
  expect(compareJemallocVersions('5.3.0', '5.3.0')).toBe(0);
});

test('4.0 to 5.4 are known', () => {
  expect((['3.6.0', '4.0.0', '5.3.1', '5.4.7', '5.5.0', '5.9.9'] as const).map(isKnownRelease)).toEqual([
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
});
