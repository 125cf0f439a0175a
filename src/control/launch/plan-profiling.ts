import type { PreloadableAllocator } from '../../model/allocator.js';
import type { ProfilingPlan } from '../../model/launch-plan.js';
import { mergeMallocConf } from '../../model/merge-malloc-conf.js';
import type { LibraryProbe } from '../../model/probe.js';
import { readlinkSync } from '../../sources/file-system.js';

/** Compiled in and off: jemalloc can be told to sample as long as it runs. */
export const PROFILING_READY = 'prof:true,prof_active:false';

/** Where it starts, `prof_final` is on by itself before this release, and every process would leave a file. */
const FIRST_MAJOR = 5;

/** What a request asks for; `conf` is the user's with the pairs. */
export type ProfilingWish =
  | { readonly kind: 'add'; readonly conf: string }
  | { readonly kind: 'none'; readonly plan: ProfilingPlan };

/** The first option about profiling in a string: `prof:true` would give the others a meaning that nobody wanted. */
const profilingOption = (conf: string | undefined) =>
  (conf ?? '').split(',').find((pair) => /^(lg_)?prof(_[a-z_]+)?:/.test(pair.trim()));

/** jemalloc reads the target of this link as a configuration. */
function systemConf(): string | undefined {
  try {
    return readlinkSync('/etc/malloc.conf');
  } catch {
    return undefined;
  }
}

/** Whether a launch is to be tried with profiling. */
export function openProfilingWish(
  allocator: PreloadableAllocator,
  request: {
    readonly profiling?: boolean | undefined;
    readonly presetConf?: string | undefined;
    readonly conf?: string | undefined;
    readonly environment: NodeJS.ProcessEnv;
  },
  system: () => string | undefined = systemConf,
): ProfilingWish {
  if (allocator !== 'jemalloc') return { kind: 'none', plan: { kind: 'off' } };
  const { conf, presetConf, environment } = request;
  const option = [conf, environment['MALLOC_CONF'], presetConf].map(profilingOption).find(Boolean);
  if (option !== undefined) return { kind: 'none', plan: { kind: 'as-configured', option } };
  if (request.profiling !== true) return { kind: 'none', plan: { kind: 'off' } };
  const linked = profilingOption(system());
  if (linked !== undefined)
    return { kind: 'none', plan: { kind: 'as-configured', option: `${linked} (/etc/malloc.conf)` } };
  return { kind: 'add', conf: mergeMallocConf(conf, PROFILING_READY) };
}

/** Whether the library that was tried can profile. */
export function isReadyForProfiling(probe: LibraryProbe | undefined): ProfilingPlan {
  const leftOut = (cause: string): ProfilingPlan => ({ kind: 'left-out', cause });
  if (probe?.kind !== 'works') return leftOut('nobody could ask the library whether it was built with profiling');
  if (probe.answers['config.prof'] !== 'true')
    return leftOut('this jemalloc was built without profiling (config.prof)');
  const major = Number.parseInt(probe.version ?? '', 10);
  if (!(major >= FIRST_MAJOR))
    return leftOut(`this jemalloc (${probe.version ?? 'of an unknown version'}) is older than 5.0`);
  return { kind: 'ready' };
}
