import { closeSync, constants, fstatSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { explainNoProfile } from '../../analyses/explain-profiler.js';
import { isSystemError } from '../../errors.js';
import type { CaptureOutcome, ProfilerRefusal } from '../../model/profiler-outcome.js';
import { nativeStatus, profilerAddon } from '../../native.js';
import { writeMallctl } from '../mallctl/write-mallctl.js';
import { readProfilingState } from '../memory/profiling-switch.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const { EEXIST } = osConstants.errno;

/** Why there is nothing to capture; undefined where there is. `wantsActive`: sampling must be on. */
export function whyNoProfile(wantsActive: boolean): ProfilerRefusal | undefined {
  const native = nativeStatus();
  const nativeTrouble = native.kind === 'missing' ? native.reason : undefined;
  return explainNoProfile({ nativeTrouble, ...readProfilingState() }, wantsActive);
}

/** Others could put another file in the place of ours. */
function whyNotFolder(folder: string): string | undefined {
  const { mode, uid } = statSync(folder);
  const own = process.geteuid?.();
  if (own !== undefined && uid !== own && uid !== 0) return `${folder} belongs to another user`;
  const sticky = (mode & 0o1000) !== 0;
  return (mode & 0o002) !== 0 && !sticky ? `anybody may replace files in ${folder} (chmod o-w it)` : undefined;
}

/** `no space left on device (ENOSPC)` */
export function wordsForErrno(errno: number): string {
  const [name, words] = getSystemErrorMap().get(-errno) ?? [`error ${errno}`, 'it did not work'];
  return `${words} (${name})`;
}

/** jemalloc opens what it is named with O_TRUNC and 0644: the file is ours already, and named by its descriptor. */
function dumpInto(path: string): CaptureOutcome {
  const partial = `${path}.partial`;
  const descriptor = openSync(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    const name = process.platform === 'linux' ? `/proc/self/fd/${descriptor}` : partial;
    const written = writeMallctl('prof.dump', name);
    const reason =
      written.kind !== 'done'
        ? `jemalloc did not write the profile (${written.kind})`
        : fstatSync(descriptor).size === 0
          ? 'the profile is empty: is the disk full?'
          : undefined;
    if (reason) return { kind: 'not-written', reason };
    renameSync(partial, path);
    return { kind: 'captured', path };
  } finally {
    closeSync(descriptor);
    rmSync(partial, { force: true });
  }
}

/** Writes a capture to `path`, which is absolute and must not exist: mode 0600, a whole file or none. Throws errors of the system. */
export function captureTo(path: string): CaptureOutcome {
  const refusal = whyNoProfile(true);
  if (refusal) return refusal;
  const addon = profilerAddon();
  if (!addon) return dumpInto(path);
  const errno = addon.profilerCapture(path);
  if (errno === 0) return { kind: 'captured', path };
  return { kind: 'not-written', reason: `cannot write ${path}: ${wordsForErrno(errno)}` };
}

const isTaken = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** More captures in one second than this are refused. */
const MOST_A_SECOND = 100;

/** Writes `jemkit-PID-TIME.heap` into `folder`, which must be nobody else's to change. */
export function captureInto(folder: string, at: Date): CaptureOutcome {
  const refusal = whyNoProfile(true);
  if (refusal) return refusal;
  const time = at.toISOString().replace(/[-:]|\.\d+/g, '');
  try {
    const reason = whyNotFolder(folder);
    if (reason) return { kind: 'not-written', reason };
    for (let copy = 1; copy <= MOST_A_SECOND; copy++) {
      const path = join(folder, `jemkit-${process.pid}-${time}${copy === 1 ? '' : `-${copy}`}.heap`);
      if (!isTaken(path)) return captureTo(path);
    }
    return { kind: 'not-written', reason: wordsForErrno(EEXIST) };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { kind: 'not-written', reason: error.message };
  }
}
