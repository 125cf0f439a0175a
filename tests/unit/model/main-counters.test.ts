import { expect, test } from 'vitest';
import {
  CONSTANT_COUNTERS,
  DERIVED_COUNTERS,
  MAIN_COUNTER_KEYS,
  MAIN_COUNTERS,
} from '../../../src/model/main-counters.js';
import { MALLCTL_TYPES } from '../../../src/model/mallctl-keys/row.js';
import { findMallctlKey } from '../../../src/model/mallctl-keys.js';

const UNITS: Readonly<Record<string, RegExp>> = {
  bytes: /Bytes$/,
  ms: /Ms$/,
  ns: /Ns$/,
  pages: /Pages$/,
  count: /[^a-z]*/,
};

test('are forty, each once, and each has its place', () => {
  expect(MAIN_COUNTERS).toHaveLength(40);
  expect(new Set(MAIN_COUNTERS).size).toBe(40);
  const later = [...DERIVED_COUNTERS, ...CONSTANT_COUNTERS].map(({ at }) => at);
  const asked = MAIN_COUNTER_KEYS.map((_, at) => at);
  expect([...asked, ...later]).toEqual(MAIN_COUNTERS.map((_, at) => at));
});

test.each(MAIN_COUNTER_KEYS.map((key, at) => [MAIN_COUNTERS[at]!, key] as const))(
  '%s is %s, with its unit',
  (name, key) => {
    const row = findMallctlKey(key)?.row;
    expect(['number', 'bigint']).toContain(row && MALLCTL_TYPES[row.type].javascript);
    expect(row?.refused).toBeUndefined();
    expect(name).toMatch(UNITS[row?.unit ?? ''] ?? /never/);
  },
);

test('what is derived comes from what is asked for', () => {
  for (const { from, and } of DERIVED_COUNTERS) expect(Math.max(from, and)).toBeLessThan(MAIN_COUNTER_KEYS.length);
});
