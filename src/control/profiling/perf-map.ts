import { closeSync, constants, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { isSystemError, optional } from '../../errors.js';

/** A map of more is no map of code. */
const MOST_BYTES = 512 * 2 ** 20;

/** Whose map it is to be: one that was left by an earlier process of the same number would name everything wrongly. */
export interface PerfMapOwner {
  readonly pid: number;
  /** As the process sees itself, which is in the map's name. */
  readonly ownPid: number;
  readonly startedAtMs: number;
}

/** By the clock of the file system, which may be some milliseconds behind. */
const CLOCK_SLACK_MS = 2000;

/**
 * Copies the names that a process wrote down of the code it makes while it runs (`/tmp/perf-PID.map`: Node with `--perf-basic-prof`, Python with `-X
 * perf`, Java by jcmd). It is taken with the capture, as it goes on growing, and may go with the process.
 *
 * @param uids whose file it may be.
 * @returns false where there is none.
 */
export function copyPerfMap(
  { pid, ownPid, startedAtMs }: PerfMapOwner,
  uids: readonly number[],
  target: string,
): boolean {
  const path = `/proc/${pid}/root/tmp/perf-${ownPid}.map`;
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  const source = optional(() => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  if (source === undefined) return false;
  try {
    const { uid, size, mtimeMs } = fstatSync(source);
    const isTheirs = fstatSync(source).isFile() && uids.includes(uid) && size > 0 && size <= MOST_BYTES;
    if (!isTheirs || mtimeMs < startedAtMs - CLOCK_SLACK_MS) return false;
    writeFileSync(target, readFileSync(source), { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    // Names are missing then; the capture is none the worse.
    if (!isSystemError(error)) throw error;
    return false;
  } finally {
    closeSync(source);
  }
}
