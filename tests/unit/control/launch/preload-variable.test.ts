import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePreload, preloadVariable, prependPreload } from '../../../../src/control/launch/preload-variable.js';

test('the loader’s variable', () => {
  expect(preloadVariable('linux')).toBe('LD_PRELOAD');
  expect(preloadVariable('darwin')).toBe('DYLD_INSERT_LIBRARIES');
});

test.each([
  [undefined, '/j.so'],
  ['', '/j.so'],
  ['/a.so', '/j.so:/a.so'],
  ['/a.so /b.so', '/j.so:/a.so:/b.so'],
  ['/a.so:/j.so:/b.so', '/j.so:/a.so:/b.so'],
  [' : /a.so ::', '/j.so:/a.so'],
])('in front of %j', (before, after) => {
  expect(prependPreload(['/j.so'], before)).toBe(after);
});

const entry = fc.stringMatching(/^\/[a-z$]{1,6}\.so$/);
const separator = fc.constantFrom(' ', ':', '  ', ' : ');

test('nothing is lost, the order stays, and a second time changes nothing', () => {
  fc.assert(
    fc.property(
      fc.array(entry),
      separator,
      fc.uniqueArray(entry, { minLength: 1, maxLength: 2 }),
      (entries, between, paths) => {
        const once = prependPreload(paths, entries.join(between));
        expect(parsePreload(once)).toEqual([...paths, ...entries.filter((path) => !paths.includes(path))]);
        expect(prependPreload(paths, once)).toBe(once);
      },
    ),
  );
});

test('any value never throws', () => {
  fc.assert(fc.property(fc.string(), (value) => void prependPreload(['/j.so'], value)));
});
