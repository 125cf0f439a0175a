import type { AllocatorLibrary, LibraryTarget } from '../../model/allocator.js';
import type { LibraryProbe } from '../../model/probe.js';
import type { ResolvedProgram } from '../../model/program.js';
import { agentLibraryPath } from '../../native.js';
import { closeSync, openSync } from '../../sources/file-system.js';
import { canBePreloaded } from '../../sources/process/jemkit-folders.js';
import { parseProbeOutput } from '../../sources/process/probe-output.js';
import { preloadVariable, prependPreload } from './preload-variable.js';

const TIMEOUT_MS = 10_000;

/** What is asked of a jemalloc in every probe, beside what the caller wants to know. */
export const PROBE_QUESTIONS = ['s:version', 'b:config.prof', 'z:arenas.page'] as const;

/** Has the agent's system calls be tried, where a filter might not let them pass. */
export const FILTER_QUESTION = 'filters';

interface ProbeStart {
  readonly interpreter: string;
  readonly agent: string;
  readonly library: AllocatorLibrary | undefined;
  readonly questions: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

function startProbe({ interpreter, agent, library, questions, environment }: ProbeStart) {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const variable = preloadVariable();
  // A path with a space or a colon cannot stand in LD_PRELOAD; a descriptor that the program gets as its third can.
  const descriptor = canBePreloaded(agent) ? undefined : openSync(agent, 'r');
  try {
    const agentName = descriptor === undefined ? agent : '/proc/self/fd/3';
    // The loader initialises from the last to the first: the agent must come after the library, or tcmalloc is not yet there.
    const preload = prependPreload([agentName, ...(library ? [library.path] : [])], environment[variable]);
    return spawnSync(interpreter, ['--version'], {
      env: { ...environment, [variable]: preload, JEMKIT_PROBE: questions.join(',') },
      stdio: ['ignore', 'pipe', 'pipe', ...(descriptor === undefined ? [] : [descriptor])],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Whether the agent, which is built for one platform, can be loaded into a program. */
export function agentFits(agent: string, target: LibraryTarget | undefined): boolean {
  return target?.architecture === process.arch && agent.endsWith(`-${target.libc}/libjemkit.so`);
}

/**
 * Where there is no agent, glibc's own loader can at least list what it would load, and run nothing (ldd asks the same way). It
 * tells of missing files and symbol versions; who would serve malloc stays unknown.
 */
function listLibraries(
  { interpreter, target }: Pick<ResolvedProgram, 'interpreter' | 'target'>,
  library: AllocatorLibrary,
  environment: NodeJS.ProcessEnv,
): LibraryProbe | undefined {
  if (target?.libc !== 'glibc') return undefined;
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const variable = preloadVariable();
  const { stdout, stderr, status, signal, error } = spawnSync(interpreter, ['--version'], {
    env: {
      ...environment,
      [variable]: prependPreload([library.path], environment[variable]),
      LD_TRACE_LOADED_OBJECTS: '1',
      LD_WARN: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  if (error) return undefined;
  const messages = stderr.toString('utf8').split('\n').filter(Boolean);
  const missing = /^\s*(\S+) => not found$/m.exec(stdout.toString('utf8'))?.[1];
  if (!missing && status === 0) return undefined;
  return {
    kind: 'fails',
    message: missing
      ? `${missing}: cannot open shared object file`
      : (messages[0] ?? 'the loader ended without a word'),
    // The listing itself ends well where a file is missing; how the program would end was not seen.
    exitCode: missing ? undefined : (status ?? undefined),
    signal: signal ?? undefined,
    messages,
  };
}

/**
 * Where the agent itself does not load (a damaged file, a mount that forbids it), nothing would stop the program before its start.
 * So it must first stop this node, of which `--version` is harmless.
 */
function agentStops(agent: string, environment: NodeJS.ProcessEnv): boolean {
  const start = { interpreter: process.execPath, agent, library: undefined, questions: [], environment };
  const { stdout } = startProbe(start);
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
  if (program.unpreloadable) return untried(`the program takes no preloaded library (${program.unpreloadable})`);
  if (program.target?.architecture !== process.arch) return untried('the program is of another architecture');
  const agent = agentLibraryPath();
  const withoutAgent = (reason: string) => (library && listLibraries(program, library, environment)) ?? untried(reason);
  if (!agent) return withoutAgent('the native part of jemkit is not built for this platform');
  if (!agentFits(agent, program.target)) {
    return withoutAgent(`the program uses ${program.target.libc}, which this build of jemkit has no probe for`);
  }
  if (program.interpreter !== process.execPath && !agentStops(agent, environment)) {
    return withoutAgent(`jemkit's own ${agent} does not load`);
  }
  const result = startProbe({ interpreter: program.interpreter, agent, library, questions, environment });
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
