import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  parseEnvironment,
  parseNulSeparated,
  readCommandLine,
  readStartEnvironment,
} from '../../../../src/sources/procfs/process-strings.js';

test('arguments come back byte for byte, empty ones and such that are no UTF-8 too', () => {
  const argument = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0)));
  fc.assert(
    fc.property(fc.array(argument), (args) => {
      const block = Buffer.concat(args.flatMap((text) => [text, Buffer.of(0)]));
      expect(parseNulSeparated(block)).toEqual(args);
    }),
  );
});

test('what does not end with a NUL counts too', () => {
  expect(parseNulSeparated(Buffer.from('a\0b')).map(String)).toEqual(['a', 'b']);
  expect(parseNulSeparated(Buffer.alloc(0))).toEqual([]);
});

test('of a variable given twice the first counts, as in getenv', () => {
  const environment = parseEnvironment(Buffer.from('A=1\0B=x=y\0A=2\0noequals\0=odd\0C=\0'));
  expect([...environment]).toEqual([
    ['A', '1'],
    ['B', 'x=y'],
    ['C', ''],
  ]);
});

test('any bytes never throw', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseEnvironment(Buffer.from(bytes))));
});

test('of this process', () => {
  expect(readCommandLine(process.pid).length).toBeGreaterThan(0);
  expect(readStartEnvironment('self').get('PATH')).toBe(process.env['PATH']);
  expect(() => readCommandLine(2 ** 30)).toThrow(/ENOENT/);
});
