import { describe, expect, test } from 'vitest';
import { explainNoProfile, explainPlainStacks } from '../../../src/analyses/explain-profiler.js';

const ALL = { nativeTrouble: undefined, compiledIn: true, enabled: true, active: true };

describe('why there is no heap profile', () => {
  test.each([
    ['no-native-part', { ...ALL, nativeTrouble: 'it was not built for this platform', compiledIn: undefined }],
    ['no-jemalloc', { ...ALL, compiledIn: undefined, enabled: undefined, active: undefined }],
    ['not-compiled-in', { ...ALL, compiledIn: false, enabled: false, active: false }],
    ['not-enabled', { ...ALL, enabled: false, active: false }],
    ['not-active', { ...ALL, active: false }],
  ])('%s', (kind, ground) => {
    const refusal = explainNoProfile(ground, true);
    expect(refusal?.kind).toBe(kind);
    expect(refusal?.cause).not.toBe('');
    expect(refusal?.remedy).not.toBe('');
  });

  test('where all is well, nothing is to be explained', () => {
    expect(explainNoProfile(ALL, true)).toBeUndefined();
  });

  test('what start() would switch on is in nobody’s way', () => {
    expect(explainNoProfile({ ...ALL, active: false }, false)).toBeUndefined();
  });
});

test('plain stacks: the cause, and which library would', () => {
  const { cause, remedy } = explainPlainStacks('experimental.hooks.prof_backtrace is missing', '5.2.1-0-gea6b3e9');
  expect(cause).toContain('5.2.1-0-gea6b3e9');
  expect(cause).toContain('experimental.hooks.prof_backtrace is missing');
  expect(remedy).toContain('5.3.0');
});
