import { spawnSync } from 'node:child_process';
import type { AllocatorLibrary } from '../../model/allocator.js';
import type { LibraryProbe } from '../../model/probe.js';
import type { ResolvedProgram } from '../../model/program.js';
import { agentLibraryPath } from '../../native.js';
import { parseProbeOutput } from '../../sources/process/probe-output.js';
import { preloadVariable, prependPreload } from './preload-variable.js';

const TIMEOUT_MS = 10_000;

/** What is asked of a jemalloc in every probe, beside what the caller wants to know. */
export const PROBE_QUESTIONS = ['s:version', 'b:config.prof', 'z:arenas.page'] as const;

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
  const agent = agentLibraryPath();
  if (!agent) return { kind: 'untried', reason: 'the native part of jemkit is not built for this platform' };
  if (program.unpreloadable) return { kind: 'untried', reason: `the program takes no preloaded library (${program.unpreloadable})` };
  // Where the agent itself could not load, the program would run to its end instead of stopping before its start.
  if (program.target?.architecture !== process.arch) return { kind: 'untried', reason: 'the program is of another architecture' };
  if (!agent.includes(`-${program.target.libc}`)) {
    return { kind: 'untried', reason: `the program uses ${program.target.libc}, which this build of jemkit has no probe for` };
  }
  const preload = preloadVariable();
  const result = spawnSync(program.interpreter, ['--version'], {
    env: {
      ...environment,
      [preload]: prependPreload([...(library ? [library.path] : []), agent], environment[preload]),
      JEMKIT_PROBE: questions.join(','),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const messages = result.stderr?.toString('utf8').split('\n').filter(Boolean) ?? [];
  if (result.error && !result.pid) return { kind: 'untried', reason: `it could not be started (${result.error.message})` };
  const answer = parseProbeOutput(result.stdout.toString('latin1'));
  if (answer) return { ...answer, messages };
  return {
    kind: 'fails',
    message: messages[0] ?? (result.error ? `no answer in ${TIMEOUT_MS / 1000} s` : 'it ended without a word'),
    exitCode: result.status ?? undefined,
    signal: result.signal ?? undefined,
  };
}
