import { isSystemError, JemkitError } from '../../errors.js';
import type { LaunchFallback } from '../../model/launch-plan.js';
import type { MallocConfPresetName } from '../../model/malloc-conf-presets.js';
import { type InProcessJemalloc, nativeStatus, readInProcessJemalloc } from '../../native.js';
import { readFileSync } from '../../sources/file-system.js';
import { parsePreload, preloadVariable } from './preload-variable.js';
import { startAgain } from './start-again.js';

/** Holds the pid of a process that has replaced itself once: a second attempt would be a loop. */
const GUARD = 'JEMKIT_REEXEC';

/**
 * The first call takes the guard away, later ones must know still. On globalThis: `jemkit/auto` is a bundle of its own, and a program
 * may hold several copies of jemkit.
 */
const STARTED_AGAIN = Symbol.for('jemkit.startedAgain');
/** This process goes on without jemalloc, and who had to be told of it was. */
const FALLBACK_HANDLED = Symbol.for('jemkit.fallbackHandled');
const shared = globalThis as { [STARTED_AGAIN]?: boolean; [FALLBACK_HANDLED]?: boolean };

/** Whether `ensureJemalloc()` has dealt with the absence of jemalloc in this thread: nobody needs to say it again. */
export function wasFallbackHandled(): boolean {
  return shared[FALLBACK_HANDLED] === true;
}

/** Options of {@link ensureJemalloc}. */
export interface EnsureJemallocOptions {
  /** A library file, instead of searching. */
  readonly library?: string | undefined;
  /** MALLOC_CONF options; they count before those of the environment and the preset. */
  readonly conf?: string | undefined;
  /** A named set of options, or 'none'. Default 'balanced'. */
  readonly preset?: MallocConfPresetName | 'none' | undefined;
  /** Without a usable library: 'warn' (default) says one line on stderr, 'silent' none, 'fail' throws. */
  readonly fallback?: 'warn' | 'silent' | 'fail' | undefined;
}

/** What {@link ensureJemalloc} found. On success in a process without jemalloc it does not return: the process starts again. */
export type EnsureJemallocResult =
  | { readonly kind: 'jemalloc'; readonly how: 'already-there' | 're-executed'; readonly version: string | undefined }
  | { readonly kind: 'worker'; readonly reason: string }
  | {
      readonly kind: 'fallback';
      readonly reason: LaunchFallback['reason'] | 'disabled';
      readonly cause: string;
      readonly remedy: string;
    };

/** jemalloc in this process; where there is no addon to ask, by the files mapped. */
function presentJemalloc(): Pick<InProcessJemalloc, 'version'> | { readonly version: undefined } | undefined {
  const found = readInProcessJemalloc();
  if (found) return found.serves ? found : undefined;
  if (nativeStatus().kind === 'loaded') return undefined;
  if (!parsePreload(process.env[preloadVariable()]).some((path) => path.includes('jemalloc'))) return undefined;
  try {
    return readFileSync('/proc/self/maps', 'latin1').includes('libjemalloc') ? { version: undefined } : undefined;
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function giveUp(fallback: LaunchFallback, how: NonNullable<EnsureJemallocOptions['fallback']>): EnsureJemallocResult {
  if (how === 'fail') {
    throw new JemkitError('ERR_JEM_LIBRARY_UNUSABLE', `jemalloc is required and not used: ${fallback.cause}`, {
      hint: fallback.remedy,
      details: { reason: fallback.reason },
    });
  }
  shared[FALLBACK_HANDLED] = true;
  if (how === 'warn')
    process.stderr.write(`jem: going on without jemalloc: ${fallback.cause}; remedy: ${fallback.remedy}\n`);
  return { kind: 'fallback', ...fallback };
}

/**
 * Makes sure that this Node process runs under jemalloc. Where it does already, that is all; otherwise the process replaces itself
 * in place (same pid, streams, terminal, arguments, IPC channel) with jemalloc preloaded, and everything before this call has run
 * twice: call it first of all. Children, workers and cluster workers inherit it. In a worker thread nothing is done.
 *
 * The environment may say the same as the options, for code that cannot be changed: `JEMKIT_LIBRARY`, `JEMKIT_PRESET`,
 * `JEMKIT_FALLBACK`, and `JEMKIT_DISABLE=1` to do nothing at all.
 *
 * @returns what is the case; it does not return from a process that starts again.
 * @throws JemkitError ERR_JEM_LIBRARY_UNUSABLE with `fallback: 'fail'`; ERR_JEM_USAGE for an unknown preset.
 * @example
 * import { ensureJemalloc } from 'jemkit';
 * ensureJemalloc({ preset: 'low-memory' });
 */
export function ensureJemalloc(options: EnsureJemallocOptions = {}): EnsureJemallocResult {
  if (!process.getBuiltinModule('node:worker_threads').isMainThread)
    return { kind: 'worker', reason: 'a worker thread has the allocator of its process' };
  const how =
    options.fallback === undefined ? fallbackFromEnvironment() : checkedFallback(options.fallback, 'fallback');
  if (process.env[GUARD] === String(process.pid)) shared[STARTED_AGAIN] = true;
  const startedAgain = shared[STARTED_AGAIN] === true;
  delete process.env[GUARD];
  if (process.env['JEMKIT_DISABLE'] === '1') {
    return { kind: 'fallback', reason: 'disabled', cause: 'JEMKIT_DISABLE is 1', remedy: 'unset JEMKIT_DISABLE' };
  }
  const present = presentJemalloc();
  if (present)
    return { kind: 'jemalloc', how: startedAgain ? 're-executed' : 'already-there', version: present.version };
  if (startedAgain) {
    return giveUp(
      {
        reason: 'preload-had-no-effect',
        cause: `the process was started again with ${preloadVariable()}, and jemalloc still does not serve it`,
        remedy: `jem doctor ${process.pid}`,
      },
      how,
    );
  }
  const native = nativeStatus();
  if (native.kind === 'missing') {
    return giveUp(
      {
        reason: 'native-part-missing',
        cause: `the native part of jemkit, which replaces the process, does not load: ${native.reason}`,
        remedy: 'npm rebuild jemkit   (needs gcc or clang), or start with: jem run -- node …',
      },
      how,
    );
  }
  const failed = startAgain({
    library: options.library,
    conf: options.conf,
    preset: options.preset ?? (process.env['JEMKIT_PRESET'] as MallocConfPresetName | undefined),
    environment: { [GUARD]: String(process.pid) },
  });
  return giveUp(failed, how);
}

/** A mistyped 'fail' must not pass for 'warn'. */
function checkedFallback(value: string, from: string): NonNullable<EnsureJemallocOptions['fallback']> {
  if (value === 'warn' || value === 'silent' || value === 'fail') return value;
  throw new JemkitError('ERR_JEM_USAGE', `${from} is '${value}' (expected warn, silent or fail)`, {
    hint: 'leave it out for warn',
  });
}

function fallbackFromEnvironment(): NonNullable<EnsureJemallocOptions['fallback']> {
  const value = process.env['JEMKIT_FALLBACK'];
  return checkedFallback(value === undefined || value === '' ? 'warn' : value, 'JEMKIT_FALLBACK');
}
