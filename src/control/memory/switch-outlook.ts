import { isMainThread } from 'node:worker_threads';
import type { Reason } from '../../model/allocator-info.js';
import { nativeStatus } from '../../native.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { lossOfStartingAgain } from '../launch/start-again.js';

/**
 * Why `ensureJemalloc()` would not start this process again under jemalloc; undefined where it would, as far as that can be told
 * without starting anything: it tries the library on this node once more before it goes.
 */
export function whyNoSwitch(environment: NodeJS.ProcessEnv, jemallocFound: boolean): Reason | undefined {
  if (!isMainThread) {
    return {
      cause: 'this is a worker thread, which has the allocator of its process',
      remedy: 'call ensureJemalloc() as the first thing in the main thread, or start with: jem run -- node …',
    };
  }
  if (environment['JEMKIT_DISABLE'] === '1') return { cause: 'JEMKIT_DISABLE is 1', remedy: 'unset JEMKIT_DISABLE' };
  const native = nativeStatus();
  if (native.kind === 'missing') {
    return {
      cause: `the native part of jemkit, which replaces the process, does not load: ${native.reason}`,
      remedy: 'npm rebuild jemkit   (needs gcc or clang)',
    };
  }
  if ((globalThis as Record<symbol, unknown>)[Symbol.for('jemkit.startedAgain')] === true) {
    return {
      cause: 'the process was started again for jemalloc already, and jemalloc still does not serve it',
      remedy: `jem doctor ${process.pid}`,
    };
  }
  const resolution = resolveProgram(process.execPath, undefined);
  if (resolution.kind !== 'resolved' || resolution.program.unpreloadable) {
    return {
      cause: `nothing can be preloaded into ${process.execPath}`,
      remedy: `jem doctor -- ${process.execPath}`,
    };
  }
  if (!jemallocFound) return { cause: 'no jemalloc library was found', remedy: 'jem install' };
  return lossOfStartingAgain();
}
