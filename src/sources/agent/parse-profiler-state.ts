import type { ProfilerState } from '../../model/profiler-state.js';

const UNWINDERS = ['none', 'jemalloc', 'jemkit'] as const satisfies readonly ProfilerState['unwinder'][];

/** Parses the state that a profiler's native part tells as JSON; undefined for another text. What an older part does not tell is 0. */
export function parseProfilerState(text: string): ProfilerState | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (said === null || typeof said !== 'object' || Array.isArray(said)) return undefined;
  const of = said as Readonly<Record<string, unknown>>;
  const truth = (name: string) => of[name] === true;
  const number = (name: string) => (typeof of[name] === 'number' && Number.isFinite(of[name]) ? of[name] : 0);
  const unwinder = UNWINDERS.find((name) => name === of['unwinder']);
  if (unwinder === undefined || typeof of['enabled'] !== 'boolean' || typeof of['active'] !== 'boolean')
    return undefined;
  return {
    compiledIn: truth('compiledIn'),
    enabled: truth('enabled'),
    active: truth('active'),
    unwinder,
    why: typeof of['why'] === 'string' ? of['why'] : '',
    lgSample: number('lgSample'),
    threadPool: truth('threadPool'),
    threadPoolWhy: typeof of['threadPoolWhy'] === 'string' ? of['threadPoolWhy'] : '',
    startedNs: number('startedNs'),
    samples: number('samples'),
    truncated: number('truncated'),
    withoutJavascript: number('withoutJavascript'),
    isolatesListening: number('isolatesListening'),
    codeEvents: number('codeEvents'),
    framesNumbered: number('framesNumbered'),
    memoryBytes: number('memoryBytes'),
  };
}
