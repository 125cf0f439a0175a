import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JemkitError } from '../../../../src/errors.js';
import { sniffFormat } from '../../../../src/sources/heap-dump/sniff-format.js';
import { faultsOf, goldenProfiles, PARSERS, type ParsedFormat } from '../../../support/golden-profiles.js';

const GOLDEN = goldenProfiles();

const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('change', 'remove', 'repeat', 'insert'),
  length: fc.nat(40),
  bytes: fc.uint8Array({ maxLength: 12 }),
});

type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Buffer, { at, kind, length, bytes: inserted }: Mutation): Buffer {
  const from = Math.floor(at * bytes.length);
  const [before, middle, after] = [
    bytes.subarray(0, from),
    bytes.subarray(from, from + length),
    bytes.subarray(from + length),
  ];
  if (kind === 'remove') return Buffer.concat([before, after]);
  if (kind === 'repeat') return Buffer.concat([before, middle, middle, after]);
  if (kind === 'insert') return Buffer.concat([before, inserted, middle, after]);
  return Buffer.concat([before, inserted, bytes.subarray(from + inserted.length)]);
}

/** A profile without a fault, or an error that says what is wrong. */
function parsesOrRefuses(format: ParsedFormat, bytes: Uint8Array): void {
  try {
    expect(faultsOf(PARSERS[format](bytes))).toEqual([]);
  } catch (error) {
    if (!(error instanceof JemkitError)) throw error;
    expect(error.code).toBe('ERR_JEM_PROFILE');
    expect(error.message).toMatch(/received .*expected /s);
    expect(error.hint).toBeTruthy();
  }
}

test.each(GOLDEN)('$name, changed anywhere', ({ bytes, format }) => {
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
      parsesOrRefuses(format, mutations.reduce(mutate, bytes));
    }),
    { numRuns: 60 },
  );
});

test.each(GOLDEN)('$name, cut off anywhere', ({ bytes, format }) => {
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), (length) => parsesOrRefuses(format, bytes.subarray(0, length))),
    { numRuns: 60 },
  );
});

test.each(Object.keys(PARSERS) as ParsedFormat[])('anything, as %s', (format) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => parsesOrRefuses(format, bytes)));
});

test('anything has a form or is foreign', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(sniffFormat(bytes).kind).toBeTruthy();
    }),
  );
});
