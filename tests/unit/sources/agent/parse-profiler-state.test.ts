import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProfilerState } from '../../../../src/model/profiler-state.js';
import { parseProfilerState } from '../../../../src/sources/agent/parse-profiler-state.js';

const states: fc.Arbitrary<ProfilerState> = fc.record({
  compiledIn: fc.boolean(),
  enabled: fc.boolean(),
  active: fc.boolean(),
  unwinder: fc.constantFrom('none', 'jemalloc', 'jemkit'),
  why: fc.string(),
  lgSample: fc.nat(63),
  threadPool: fc.boolean(),
  threadPoolWhy: fc.string(),
  startedNs: fc.nat(),
  samples: fc.nat(),
  truncated: fc.nat(),
  withoutJavascript: fc.nat(),
  isolatesListening: fc.nat(),
  codeEvents: fc.nat(),
  framesNumbered: fc.nat(),
  memoryBytes: fc.nat(),
});

test('a state comes back as it was', () => {
  fc.assert(
    fc.property(states, (state) => {
      expect(parseProfilerState(JSON.stringify(state))).toEqual(state);
    }),
  );
});

test('what an older part does not tell is 0, what a newer one tells beside it is left out', () => {
  const told = { enabled: true, active: false, unwinder: 'jemalloc', colour: 'blue' };
  const state = parseProfilerState(JSON.stringify(told));
  expect(state).toMatchObject({ enabled: true, compiledIn: false, samples: 0, why: '' });
  expect(state).not.toHaveProperty('colour');
});

test('another text is none', () => {
  for (const text of ['', 'null', '[]', '7', '{}', '{"unwinder":"magic","enabled":true,"active":true}'])
    expect(parseProfilerState(text)).toBeUndefined();
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(() => parseProfilerState(text)).not.toThrow();
    }),
  );
});
