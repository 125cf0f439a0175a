import { closeSync, constants, fstatSync, openSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { RungOutcome } from '../../model/memory-pressure.js';
import { writeMallctl } from '../mallctl/write-mallctl.js';
import { readProfilingState } from '../memory/profiling-switch.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

function whyNotProfiling(): string | undefined {
  const { compiledIn, enabled, active } = readProfilingState();
  if (compiledIn === undefined) return 'this process has no jemalloc';
  if (!compiledIn) return 'this jemalloc was built without profiling';
  if (!enabled) return 'the process was started without prof:true in MALLOC_CONF';
  return active ? undefined : 'profiling is switched off (prof.active)';
}

/** Others could put another file in the place of ours. */
function whyNotFolder(folder: string): string | undefined {
  const { mode, uid } = statSync(folder);
  const own = process.geteuid?.();
  if (own !== undefined && uid !== own && uid !== 0) return `${folder} belongs to another user`;
  const sticky = (mode & 0o1000) !== 0;
  return (mode & 0o002) !== 0 && !sticky ? `anybody may replace files in ${folder} (chmod o-w it)` : undefined;
}

/** jemalloc opens what it is named with O_TRUNC and 0644: the file is ours already, and named by its descriptor. */
function dumpInto(partial: string): RungOutcome | undefined {
  const descriptor = openSync(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    const name = process.platform === 'linux' ? `/proc/self/fd/${descriptor}` : partial;
    const written = writeMallctl('prof.dump', name);
    if (written.kind !== 'done')
      return { kind: 'failed', reason: `jemalloc did not write the profile (${written.kind})` };
    return fstatSync(descriptor).size === 0
      ? { kind: 'failed', reason: 'the profile is empty: is the disk full?' }
      : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes a heap profile of this process (`prof.dump`) into `folder`, as a file that only its owner can read and that has its name only when
 * it is whole: `jemkit-PID-TIME.heap`. The outcome's detail is its path.
 */
export function writeHeapDump(folder: string, at: Date): RungOutcome {
  const reason = whyNotProfiling();
  if (reason) return { kind: 'unavailable', reason };
  const target = join(folder, `jemkit-${process.pid}-${at.toISOString().replace(/[-:]|\.\d+/g, '')}.heap`);
  const partial = `${target}.partial`;
  try {
    const refusal = whyNotFolder(folder);
    if (refusal) return { kind: 'failed', reason: refusal };
    const trouble = dumpInto(partial);
    if (trouble) {
      unlinkSync(partial);
      return trouble;
    }
    renameSync(partial, target);
    return { kind: 'done', detail: target };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { kind: 'failed', reason: error.message };
  }
}
