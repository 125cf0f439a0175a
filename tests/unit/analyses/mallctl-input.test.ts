import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMallctlInput } from '../../../src/analyses/mallctl-input.js';
import { findMallctlKey } from '../../../src/model/mallctl-keys.js';

const parse = (name: string, text: string) => parseMallctlInput(findMallctlKey(name)!.row, text);

test.each<[string, string, unknown]>([
  ['background_thread', 'true', true],
  ['background_thread', 'Off', false],
  ['background_thread', '1', undefined],
  // jemalloc counts in milliseconds, so a plain number is that many.
  ['arena.0.dirty_decay_ms', '5000', 5000n],
  ['arena.0.dirty_decay_ms', '5s', 5000n],
  ['arena.0.dirty_decay_ms', '1m', 60_000n],
  ['arena.0.dirty_decay_ms', '-1', -1n],
  ['arena.0.dirty_decay_ms', '5 apples', undefined],
  ['arena.0.oversize_threshold', '8MiB', 8_388_608n],
  ['arena.0.oversize_threshold', '18446744073709551615', 18_446_744_073_709_551_615n],
  ['arena.0.oversize_threshold', '5s', undefined],
  ['max_background_threads', '4', 4n],
  ['max_background_threads', '4k', undefined],
  ['arena.0.dss', 'primary', 'primary'],
  ['arena.0.purge', '1', undefined],
])('%s %s', (name, text, value) => {
  expect(parse(name, text)).toBe(value);
});

test('whole numbers of every size stay exact, and no text throws', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.string(), (number, text) => {
      expect(parse('arena.0.oversize_threshold', String(number))).toBe(number);
      const parsed = parse('arena.0.dirty_decay_ms', text);
      expect(parsed === undefined || typeof parsed === 'bigint').toBe(true);
    }),
  );
});
