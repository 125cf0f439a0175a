import type { MallctlRead } from '../../model/mallctl-outcome.js';
import { readMallctl } from '../../sources/mallctl/read-mallctl.js';
import { updateMallctl, writeMallctl } from '../mallctl/write-mallctl.js';

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

/**
 * Who holds profiling on, and whether it was on before the first of them. On globalThis: a thread may hold several copies of jemkit. Only
 * the main thread holds it: others would have counts of their own of one switch.
 */
const HOLDERS = Symbol.for('jemkit.profilingHolders');
const shared = globalThis as { [HOLDERS]?: { count: number; wasActive: boolean } };

/**
 * Switches `prof.active` on, until the last of those who did so closes. Only where the process was started with `prof:true`; undefined
 * where it could not be done, and nothing is to be undone.
 */
export function holdProfilingActive(): { close(): void } | undefined {
  const { enabled } = readProfilingState();
  if (!enabled) return undefined;
  shared[HOLDERS] ??= { count: 0, wasActive: false };
  const holders = shared[HOLDERS];
  const before = updateMallctl('prof.active', true);
  if (before.kind !== 'value') return undefined;
  if (holders.count++ === 0) holders.wasActive = before.value;
  let open = true;
  return {
    close() {
      if (!open) return;
      open = false;
      if (--holders.count === 0 && !holders.wasActive) writeMallctl('prof.active', false);
    },
  };
}
