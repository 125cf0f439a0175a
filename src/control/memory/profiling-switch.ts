import type { MallctlRead } from '../../model/mallctl-outcome.js';
import { readMallctl } from '../../sources/mallctl/read-mallctl.js';

/** Heap profiling as it is now. */
export interface ProfilingState {
  /** `config.prof`, `opt.prof` and `prof.active`; undefined without jemalloc. */
  readonly compiledIn: boolean | undefined;
  readonly enabled: boolean | undefined;
  readonly active: boolean | undefined;
}

const truthOf = (read: MallctlRead<boolean>) => (read.kind === 'value' ? read.value : undefined);

/** Reads heap profiling's three switches. */
export function readProfilingState(): ProfilingState {
  return {
    compiledIn: truthOf(readMallctl('config.prof')),
    enabled: truthOf(readMallctl('opt.prof')),
    active: truthOf(readMallctl('prof.active')),
  };
}
