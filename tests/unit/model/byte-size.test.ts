import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseByteSize } from '../../../src/model/byte-size.js';

describe('parseByteSize', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['500MB', 500_000_000],
    ['500M', 500_000_000],
    ['500MiB', 500 * 2 ** 20],
    ['500Mi', 500 * 2 ** 20],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['512k', 512_000],
    ['512Ki', 512 * 1024],
    ['10 GB', 10e9],
    ['2tib', 2 * 2 ** 40],
    ['.5M', 500_000],
    [' 7B ', 7],
  ])('%s is %i bytes', (text, bytes) => expect(parseByteSize(text)).toBe(bytes));

  it.each(['', 'MB', '-1', '1e3', '1.2.3', '5 M B', '5XB', '5iB', '0x10', '1,5G', '99999999PiB', 'NaN', '٣'])(
    "'%s' is none",
    (text) => expect(parseByteSize(text)).toBeUndefined(),
  );

  it('gives whole numbers from 0 on or nothing, for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,8} ?[kmgtpKMGTP]?i?[bB]?$/)), (text) => {
        const bytes = parseByteSize(text);
        expect(bytes === undefined || (Number.isSafeInteger(bytes) && bytes >= 0)).toBe(true);
      }),
    );
  });

  it('reads what is written with any unit', () => {
    const units = fc.constantFrom(['', 1], ['k', 1e3], ['MB', 1e6], ['Gi', 2 ** 30], ['KiB', 1024]) as fc.Arbitrary<
      [string, number]
    >;
    fc.assert(
      fc.property(fc.nat(1_000_000), units, (count, [unit, factor]) => {
        expect(parseByteSize(`${count}${unit}`)).toBe(count * factor);
      }),
    );
  });
});
