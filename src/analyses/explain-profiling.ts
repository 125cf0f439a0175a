import type { Reason } from '../model/allocator-info.js';

/** Heap profiling's switches as they are; undefined where there is no jemalloc to ask. */
export interface ProfilingSwitches {
  readonly compiledIn: boolean | undefined;
  readonly enabled: boolean | undefined;
  readonly active: boolean | undefined;
}

const START = 'start the process with: jem run --conf prof:true,prof_active:false -- node …';

/** Why no allocation is sampled for a heap profile; undefined where they are. */
export function explainProfilingOff({ compiledIn, enabled, active }: ProfilingSwitches): Reason | undefined {
  if (compiledIn === undefined)
    return { cause: 'heap profiles are made by jemalloc, which does not serve this process', remedy: START };
  if (!compiledIn) {
    return {
      cause: 'this jemalloc was built without heap profiling (config.prof is false)',
      remedy: `use a library built with --enable-prof, as Debian's libjemalloc2 is, and ${START}`,
    };
  }
  if (!enabled) {
    return {
      cause: 'the process was started without prof:true in MALLOC_CONF, which jemalloc takes at its start only',
      remedy: START,
    };
  }
  if (!active)
    return {
      cause: 'prof.active is off: it was switched off by other code, or by close()',
      remedy: "jemalloc.write('prof.active', true)",
    };
  return undefined;
}
