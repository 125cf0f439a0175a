import { isSystemError } from '../../errors.js';
import type { LaunchFallback } from '../../model/launch-plan.js';
import type { MallocConfPresetName } from '../../model/malloc-conf-presets.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { readCommandLine } from '../../sources/procfs/process-strings.js';
import { agentModeOf } from './plan-agent.js';
import { planFor } from './plan-launch.js';
import { presetConf } from './preset-conf.js';
import { replaceProcess } from './replace-process.js';

/** What this process is to start again with. */
export interface StartAgainRequest {
  readonly library: string | undefined;
  readonly conf: string | undefined;
  readonly preset: MallocConfPresetName | 'none' | undefined;
  /** Set in the new process beside what jemalloc needs. */
  readonly environment: Readonly<Record<string, string>>;
}

const READS_STDIN_AS_SCRIPT = (argv: readonly string[], execArgv: readonly string[]) =>
  argv[1] === '-' || (argv[1] === undefined && !execArgv.some((flag) => /^(-e|-p|-pe|--eval|--print)\b/.test(flag)));

/**
 * What starting again would lose. Once the event loop has run, Node may have read messages of the parent (or a script on stdin)
 * that the new program would never see. Node 20 runs the loop before an ES module entry, later versions do not.
 */
export function lossOfStartingAgain(): LaunchFallback | undefined {
  if (process.getBuiltinModule('node:perf_hooks').performance.nodeTiming.loopStart === -1) return undefined;
  if (process.connected) {
    return {
      reason: 'ipc-messages-would-be-lost',
      cause: `this process has an IPC channel to its parent, and Node ${process.versions.node} has started reading it before jemkit could run`,
      remedy:
        'start the parent under jemalloc (its children inherit it), or load jemkit with --require jemkit/auto or as the first line of a CommonJS entry',
    };
  }
  if (READS_STDIN_AS_SCRIPT(process.argv, process.execArgv) && !process.getBuiltinModule('node:tty').isatty(0)) {
    return {
      reason: 'stdin-script-would-be-lost',
      cause: `the script comes on stdin, and Node ${process.versions.node} has started reading it before jemkit could run`,
      remedy: 'use --require jemkit/auto, or: jem run -- node -',
    };
  }
  return undefined;
}

/**
 * The command line of this process as bytes. A process that has set its title has overwritten what the system shows: then Node's
 * own strings are taken, which differ only where an argument was no UTF-8.
 *
 * @param shown what the system shows, or undefined.
 */
export function restoreCommandLine(
  shown: readonly Buffer[] | undefined,
  own: { readonly argv0: string; readonly execArgv: readonly string[]; readonly argv: readonly string[] },
): Buffer[] {
  const head = [own.argv0, ...own.execArgv];
  const tail = own.argv.slice(2);
  const texts = shown?.map((argument) => argument.toString());
  if (shown && texts) {
    // Between them stand the script, as it was typed, and perhaps a `--`.
    const middle = texts.slice(head.length, texts.length - tail.length);
    const fits =
      texts.length >= head.length + tail.length &&
      head.every((argument, i) => argument === texts[i]) &&
      tail.every((argument, i) => argument === texts[texts.length - tail.length + i]) &&
      middle.length <= 2 &&
      !middle.includes('');
    if (fits) return [...shown];
  }
  return [...head, ...own.argv.slice(1)].map((argument) => Buffer.from(argument));
}

function shownCommandLine(): Buffer[] | undefined {
  try {
    return readCommandLine('self');
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/**
 * Replaces this Node process with itself, jemalloc preloaded.
 *
 * @returns why it did not; on success it does not return.
 * @throws JemkitError ERR_JEM_USAGE for an unknown preset.
 */
export function startAgain(request: StartAgainRequest): LaunchFallback {
  const loss = lossOfStartingAgain();
  if (loss) return loss;
  const resolution = resolveProgram(process.execPath, undefined);
  if (resolution.kind !== 'resolved') {
    return {
      reason: 'program-unpreloadable',
      cause: `node's own file ${process.execPath} cannot be read`,
      remedy: 'jem run -- node …',
    };
  }
  const plan = planFor(resolution.program, {
    allocator: 'jemalloc',
    libraryPath: request.library,
    presetConf: presetConf(request.preset),
    conf: request.conf,
    children: true,
    // In Node the addon answers the same questions: nobody gets the agent here without asking for it.
    agent: agentModeOf(process.env, undefined),
    environment: process.env,
  });
  if (plan.fallback) return plan.fallback;
  const refused = replaceProcess({
    path: process.platform === 'linux' ? '/proc/self/exe' : process.execPath,
    argv: restoreCommandLine(shownCommandLine(), process),
    environment: { ...plan.environment, ...request.environment },
    hasRun: true,
  });
  return {
    reason: 'native-part-missing',
    cause: `the kernel refuses to start node again (${refused})`,
    remedy: 'jem run -- node …',
  };
}
