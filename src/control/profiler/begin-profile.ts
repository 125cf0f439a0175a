import type { ProfilerState } from '../../model/profiler-state.js';
import { nativeStatus, type ProfilerAddon, profilerAddon } from '../../native.js';
import { parseProfilerState } from '../../sources/agent/parse-profiler-state.js';

// Not `import … from`, for the reason in sources/file-system.ts.
const { isMainThread } = process.getBuiltinModule('node:worker_threads');
const { constants } = process.getBuiltinModule('node:os');
const { getSystemErrorMap } = process.getBuiltinModule('node:util');
const { setFlagsFromString } = process.getBuiltinModule('node:v8');

/** What loading `jemkit/profile` did in this thread. */
export interface ProfileBeginning {
  /** V8 tells of the code of this thread's isolate, so that profiles name its functions. */
  readonly listening: boolean;
  /** Allocations are sampled from here on: `JEMKIT_PROFILE=1`. */
  readonly started: boolean;
  /** A capture is written to this file when the process ends: `JEMKIT_PROFILE_AT_EXIT`. */
  readonly atExit: string | undefined;
}

const NOTHING: ProfileBeginning = { listening: false, started: false, atExit: undefined };

const AT_EXIT = 'JEMKIT_PROFILE_AT_EXIT';
const THREAD_POOL = 1;

const say = (text: string) => void process.stderr.write(`jem: ${text}\n`);

const wordsFor = (errno: number) => getSystemErrorMap().get(-errno)?.join(': ') ?? `error ${errno}`;

/**
 * Where the capture at the end goes, if it is this process that is meant: the first that sees a path without a pid (the preloaded library puts its own in
 * front: `PID:PATH`). Its children do not find the variable any more.
 */
function claimExitPath(): string | undefined {
  const value = process.env[AT_EXIT];
  const [, pid, path] = /^(?:(\d+):)?(\/.*)$/s.exec(value ?? '') ?? [];
  if (path === undefined || (pid !== undefined && Number(pid) !== process.pid)) return undefined;
  delete process.env[AT_EXIT];
  return path;
}

function whyNot(addon: ProfilerAddon | undefined, state: ProfilerState | undefined): string | undefined {
  if (!addon) {
    const native = nativeStatus();
    return native.kind === 'missing' ? `the native part of jemkit: ${native.reason}` : 'jemkit has no profiler here';
  }
  if (!state) return 'this process has no jemalloc';
  if (!state.compiledIn) return 'it has no jemalloc that was built with profiling';
  return state.enabled ? undefined : 'it was started without prof:true in MALLOC_CONF';
}

/** Baseline code and Maglev's do not tell which line of a function is at work; bytecode and TurboFan's do. */
function keepToExactLines(): void {
  for (const flag of ['--no-sparkplug', '--no-maglev']) setFlagsFromString(flag);
}

function captureAtExit(addon: ProfilerAddon, path: string): void {
  process.once('exit', () => {
    try {
      const errno = addon.profilerCapture(path);
      if (errno !== 0) say(`no heap profile of process ${process.pid} in ${path}: ${wordsFor(errno)}`);
    } catch (error) {
      say(`no heap profile of process ${process.pid}: ${error instanceof Error ? error.message : error}`);
    }
  });
}

function begin(): ProfileBeginning {
  const atExit = isMainThread ? claimExitPath() : undefined;
  const wanted = isMainThread && process.env['JEMKIT_PROFILE'] === '1';
  const addon = profilerAddon();
  const text = addon?.profilerState();
  const state = text === undefined ? undefined : parseProfilerState(text);
  const reason = whyNot(addon, state);
  if (!addon || reason !== undefined) {
    if (wanted || atExit !== undefined) {
      say(`process ${process.pid} cannot be profiled: ${reason}`);
      // Once: children would say it again.
      delete process.env['JEMKIT_PROFILE'];
    }
    return NOTHING;
  }
  if (wanted && process.env['JEMKIT_PROFILE_EXACT_LINES'] === '1') keepToExactLines();
  const listening = addon.profilerListen();
  if (listening !== 0 && listening !== constants.errno.EALREADY && (wanted || atExit !== undefined))
    say(`functions of JavaScript may have no names in heap profiles of process ${process.pid}: ${wordsFor(listening)}`);
  const flags = process.env['JEMKIT_PROFILE_THREAD_POOL'] === '1' ? THREAD_POOL : 0;
  const started = wanted ? addon.profilerStart(-1, flags) : 0;
  if (started !== 0 && started !== constants.errno.EALREADY)
    say(`process ${process.pid} cannot be profiled: ${wordsFor(started)}`);
  if (atExit !== undefined) captureAtExit(addon, atExit);
  return { listening: listening === 0, started: wanted && started === 0, atExit };
}

/** What `jemkit/profile` does in each thread that loads it; whatever goes wrong, the program must not notice. */
export function beginProfile(): ProfileBeginning {
  try {
    return begin();
  } catch (error) {
    say(`process ${process.pid} cannot be profiled: ${error instanceof Error ? error.message : error}`);
    return NOTHING;
  }
}
