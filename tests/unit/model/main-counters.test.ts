import { expect, test } from 'vitest';
import {
  CONSTANT_COUNTERS,
  DERIVED_COUNTERS,
  deriveCounters,
  MAIN_COUNTER_KEYS,
  MAIN_COUNTERS,
  type MainCounter,
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
  const later = [...CONSTANT_COUNTERS.map(({ at }) => at), ...DERIVED_COUNTERS];
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

test('what is derived follows from what is asked for, and is unknown where that is', () => {
  const counters = MAIN_COUNTERS.map((_, at) => 1000 - at);
  const of = (name: MainCounter) => counters[MAIN_COUNTERS.indexOf(name)];
  deriveCounters(counters);
  expect(of('unusedActiveBytes')).toBe(of('activeBytes')! - of('allocatedBytes')!);
  expect(of('requests')).toBe(of('smallRequests')! + of('largeRequests')!);
  expect(of('dirtyBytes')).toBe(of('dirtyPages')! * of('pageBytes')!);
  counters[MAIN_COUNTERS.indexOf('dirtyPages')] = Number.NaN;
  deriveCounters(counters);
  expect(of('dirtyBytes')).toBeNaN();
});
