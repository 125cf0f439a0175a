import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeMallocConf } from '../../../src/model/merge-malloc-conf.js';

test.each([
  [[], ''],
  [[undefined, '', ','], ''],
  [['a:1'], 'a:1'],
  [['a:1,b:2', 'a:3'], 'b:2,a:3'],
  [['a:1', undefined, 'b:2'], 'a:1,b:2'],
  [['a:1,a:2'], 'a:2'],
  [['odd', 'odd'], 'odd'],
] as const)('%j', (texts, merged) => {
  expect(mergeMallocConf(...texts)).toBe(merged);
});

test('the last value of each option counts, and merging again changes nothing', () => {
  const pairs = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(9)), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(pairs, { maxLength: 3 }), (texts) => {
      const merged = mergeMallocConf(...texts.map((text) => text.map(([key, value]) => `${key}:${value}`).join(',')));
      const expected = new Map(texts.flat());
      expect(
        new Map(
          merged
            .split(',')
            .filter(Boolean)
            .map((pair) => [pair[0], Number(pair.slice(2))]),
        ),
      ).toEqual(expected);
      expect(mergeMallocConf(merged, merged)).toBe(merged);
    }),
  );
});

test('any text never throws', () => {
  fc.assert(fc.property(fc.array(fc.string()), (texts) => void mergeMallocConf(...texts)));
});
