import { expect, test } from 'vitest';
import { findMallctlKey } from '../../../../src/model/mallctl-keys.js';
import { formatMallctlValue } from '../../../../src/outputs/text/mallctl-value.js';

test.each<[string, unknown, string]>([
  ['stats.allocated', 4_294_967_296, '4294967296 B (4.00 GiB)'],
  ['stats.allocated', 17, '17 B'],
  ['arena.0.oversize_threshold', 18_446_744_073_709_551_615n, '18446744073709551615 B (16384 PiB)'],
  ['arena.0.dirty_decay_ms', 10_000, '10000 ms'],
  ['arena.0.dirty_decay_ms', -1, '-1 ms (for ever)'],
  ['stats.arenas.0.pdirty', 12, '12 pages'],
  ['stats.arenas.0.small.nmalloc', 9_007_199_254_740_993n, '9007199254740993'],
  ['opt.lg_prof_sample', 19, '19 (512 KiB)'],
  ['background_thread', true, 'true'],
  ['arena.0.dss', 'secondary', 'secondary'],
  ['arena.0.dss', '', "''"],
  ['version', '5.3\u001b[31m', '5.3?[31m'],
])('%s %s', (name, value, text) => {
  expect(formatMallctlValue(findMallctlKey(name)!.row, value)).toBe(text);
});
