import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError, JemkitError } from '../../errors.js';
import { readProcessStat } from '../../sources/procfs/process-stat.js';
import { interrupted } from './run-command.js';

/** Where pids cannot be compared (another container or machine shares the folder) only age tells that a holder is gone. */
const FOREIGN_STALE_MS = 15 * 60_000;
const POLL_MS = 100;

interface Holder {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: a later process of the same number has another. */
  readonly startTicks: number | undefined;
  /** Boot and pid namespace: where `pid` means something. */
  readonly place: string;
}

function readStartTicks(pid: number): number | undefined {
  try {
    return readProcessStat(pid)?.startTicks;
  } catch {
    return undefined;
  }
}

function readPlace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return process.platform;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    return value && Number.isSafeInteger(value.pid) && typeof value.place === 'string' ? (value as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives, as another user.
    if (isSystemError(error) && error.code === 'ESRCH') return false;
  }
  return holder.startTicks === undefined || readStartTicks(holder.pid) === holder.startTicks;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The process that holds the lock, or undefined where its holder is gone. A damaged lock file has no holder. */
function liveHolder(path: string, text: string): Holder | undefined {
  const holder = parseHolder(text);
  if (!holder) return undefined;
  if (holder.place === readPlace()) return isAlive(holder) ? holder : undefined;
  try {
    return Date.now() - statSync(path).mtimeMs < FOREIGN_STALE_MS ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Takes a dead holder's file away, unless somebody else has put a live one in its place meanwhile. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return;
    throw error;
  }
  if (readText(aside) !== stale) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (!isSystemError(error) || error.code !== 'EEXIST') throw error;
    }
  }
  rmSync(aside, { force: true });
}

/** A link appears with its whole content or not at all: nobody ever reads half a lock. */
function placeLock(beside: string, path: string, content: string): void {
  try {
    linkSync(beside, path);
  } catch (error) {
    // A file system without hard links (CIFS, some FUSE): half a lock is possible there, for the time of one write.
    if (!isSystemError(error) || !['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(error.code ?? '')) throw error;
    writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
  }
}

/** Tries once. Gives the holder where the lock is taken. */
function tryLock(path: string, content: string): Holder | undefined {
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, content, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        placeLock(beside, path, content);
        return undefined;
      } catch (error) {
        if (!isSystemError(error) || error.code !== 'EEXIST') throw error;
      }
      const text = readText(path);
      if (text === undefined) continue;
      const holder = liveHolder(path, text);
      if (holder) return holder;
      removeStale(path, text);
    }
    return { pid: 0, startTicks: undefined, place: '' };
  } finally {
    rmSync(beside, { force: true });
  }
}

export interface LockOptions {
  /** How long to wait for another holder; 0 does not wait. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once, before the first wait. */
  readonly onWait?: ((pid: number) => void) | undefined;
}

/**
 * Takes the one lock of a cache folder, runs `use`, and lets go of it whatever happens. A holder that died is no holder.
 *
 * @throws {JemkitError} ERR_JEM_INSTALL_BUSY where another live process holds it for longer than `waitMs`.
 */
export async function withInstallLock<T>(cacheFolder: string, options: LockOptions, use: () => Promise<T>): Promise<T> {
  const path = join(cacheFolder, '.install.lock');
  const content = JSON.stringify({
    pid: process.pid,
    startTicks: readStartTicks(process.pid),
    place: readPlace(),
    since: new Date().toISOString(),
    nonce: Math.random(),
  });
  const deadline = Date.now() + options.waitMs;
  let said = false;
  for (;;) {
    const holder = tryLock(path, content);
    if (!holder) break;
    if (Date.now() >= deadline) {
      throw new JemkitError('ERR_JEM_INSTALL_BUSY', `process ${holder.pid} is installing into ${cacheFolder}`, {
        hint: `wait for it to end, then run the same command again (ps -p ${holder.pid})`,
        details: { pid: holder.pid, lock: path },
      });
    }
    if (!said) options.onWait?.(holder.pid);
    said = true;
    try {
      await sleep(POLL_MS, undefined, options.signal ? { signal: options.signal } : undefined);
    } catch (error) {
      throw interrupted(error);
    }
  }
  try {
    return await use();
  } finally {
    if (readText(path) === content) rmSync(path, { force: true });
  }
}
