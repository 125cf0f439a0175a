import type { AllocatorLibrary } from '../../model/allocator.js';
import type { LibraryProbe } from '../../model/probe.js';
import type { ResolvedProgram } from '../../model/program.js';
import { agentLibraryPath } from '../../native.js';
import { canBePreloaded } from '../../sources/process/jemkit-folders.js';
import { parseProbeOutput } from '../../sources/process/probe-output.js';
import { preloadVariable, prependPreload } from './preload-variable.js';

const TIMEOUT_MS = 10_000;

/** What is asked of a jemalloc in every probe, beside what the caller wants to know. */
export const PROBE_QUESTIONS = ['s:version', 'b:config.prof', 'z:arenas.page'] as const;

function startProbe(
  interpreter: string,
  preload: string,
  questions: readonly string[],
  environment: NodeJS.ProcessEnv,
) {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  return spawnSync(interpreter, ['--version'], {
    env: { ...environment, [preloadVariable()]: preload, JEMKIT_PROBE: questions.join(',') },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
}

/**
 * Where the agent itself does not load (a damaged file, a mount that forbids it), nothing would stop the program before its start.
 * So it must first stop this node, of which `--version` is harmless.
 */
function agentStops(agent: string, environment: NodeJS.ProcessEnv): boolean {
  const { stdout } = startProbe(process.execPath, agent, [], environment);
  return stdout !== null && parseProbeOutput(stdout.toString('latin1')) !== undefined;
}

/**
 * Starts the program's real interpreter once with the library preloaded and stops it before its `main`: whatever would kill it
 * (a dependency that is missing, a symbol version, an `abort_conf`) shows here, and nothing of the program runs.
 *
 * @param questions mallctl names with their type letter, as `native/agent/probe.c` reads them.
 */
export function probeLibrary(
  program: Pick<ResolvedProgram, 'interpreter' | 'target' | 'unpreloadable'>,
  library: AllocatorLibrary | undefined,
  environment: NodeJS.ProcessEnv,
  questions: readonly string[] = PROBE_QUESTIONS,
): LibraryProbe {
  const untried = (reason: string): LibraryProbe => ({ kind: 'untried', reason });
  const agent = agentLibraryPath();
  if (!agent) return untried('the native part of jemkit is not built for this platform');
  if (!canBePreloaded(agent)) return untried(`the path of jemkit's own ${agent} has a space or a colon`);
  if (program.unpreloadable) return untried(`the program takes no preloaded library (${program.unpreloadable})`);
  if (program.target?.architecture !== process.arch) return untried('the program is of another architecture');
  if (!agent.endsWith(`-${program.target.libc}/libjemkit.so`)) {
    return untried(`the program uses ${program.target.libc}, which this build of jemkit has no probe for`);
  }
  if (program.interpreter !== process.execPath && !agentStops(agent, environment)) {
    return untried(`jemkit's own ${agent} does not load`);
  }
  // The loader initialises from the last to the first: the agent must come after the library, or tcmalloc is not yet there.
  const preload = prependPreload([agent, ...(library ? [library.path] : [])], environment[preloadVariable()]);
  const result = startProbe(program.interpreter, preload, questions, environment);
  const messages = result.stderr?.toString('utf8').split('\n').filter(Boolean) ?? [];
  if (result.error && !result.pid) return untried(`it could not be started (${result.error.message})`);
  const answer = parseProbeOutput(result.stdout.toString('latin1'));
  if (answer) return { ...answer, messages };
  return {
    kind: 'fails',
    message: messages[0] ?? (result.error ? `no answer in ${TIMEOUT_MS / 1000} s` : 'it ended without a word'),
    exitCode: result.status ?? undefined,
    signal: result.signal ?? undefined,
    messages,
  };
}
