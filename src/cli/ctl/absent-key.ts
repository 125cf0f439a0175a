import { explainAbsentKey } from '../../analyses/mallctl-name.js';
import type { AgentConnection } from '../../sources/agent/agent-connection.js';
import type { KeyArgument } from './key-arguments.js';

/** Why the jemalloc of a process does not have a key that others have. `arenas`: how many arenas it may have now. */
export function whyAbsent({ hello }: AgentConnection, argument: KeyArgument, arenas: number | undefined): string {
  if (argument.row.needs === 'config.prof' && hello.profilingCompiledIn && !hello.profilingEnabled)
    return 'heap profiling is compiled in, and was not switched on at the start: jem run --agent --conf prof:true -- PROGRAM';
  return explainAbsentKey(argument, hello.jemallocVersion, arenas);
}
