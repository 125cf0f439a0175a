import { resolveProgram } from '../../sources/process/resolve-program.js';
import { probeLibraryOnce } from '../launch/probe-cache.js';
import { findLibrary } from '../library/find-library.js';

/** The jemalloc that `jem run` finds on this machine, where it was built with profiling. */
export function findProfilingLibrary(environment: NodeJS.ProcessEnv): string | undefined {
  const resolution = resolveProgram(process.execPath, undefined);
  if (resolution.kind !== 'resolved') return undefined;
  const { program } = resolution;
  const { JEMKIT_LIBRARY: _named, LD_PRELOAD: _preload, ...rest } = environment;
  const search = findLibrary({ allocator: 'jemalloc', target: program.target, environment: rest });
  if (search.kind === 'none') return undefined;
  const probe = probeLibraryOnce(program, search.library, rest, false);
  return probe.kind === 'works' && probe.answers['config.prof'] === 'true' ? search.library.path : undefined;
}
