import { existsSync, lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../errors.js';
import { connectTo } from '../../sources/agent/agent-conversation.js';
import { agentDirectories } from '../../sources/agent/agent-path.js';

/** Younger than this, somebody may be about to listen on it. */
const SETTLED_MS = 60_000;
/** So many at once: a command waits for this. */
const MOST_LOOKED_AT = 64;
const CONNECT_MS = 100;

const OTHERS = 0o077;

/** The pid that a socket's name says; undefined for a file of another name. */
export function pidOfSocketName(name: string): number | undefined {
  const match = /^(\d{1,7})(?:\.node)?\.sock$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

async function isStale(path: string, pid: number): Promise<boolean> {
  const stats = lstatSync(path);
  if (!stats.isSocket() || Date.now() - stats.mtimeMs < SETTLED_MS || existsSync(`/proc/${pid}`)) return false;
  // In a container the process has another number here: then somebody listens.
  const outcome = await connectTo(path, Date.now() + CONNECT_MS);
  if (typeof outcome !== 'string') outcome.destroy();
  return outcome === 'ECONNREFUSED';
}

async function collectIn(folder: string, uid: number): Promise<number> {
  const stats = lstatSync(folder);
  if (!stats.isDirectory() || stats.uid !== uid || (stats.mode & OTHERS) !== 0) return 0;
  let collected = 0;
  for (const name of readdirSync(folder).slice(0, MOST_LOOKED_AT)) {
    const pid = pidOfSocketName(name);
    const path = join(folder, name);
    if (pid === undefined || !(await isStale(path, pid))) continue;
    unlinkSync(path);
    collected++;
  }
  return collected;
}

/**
 * Removes the sockets of processes that were killed, and could not do it themselves, from this user's own folders.
 *
 * @returns how many. Where it cannot, it leaves them: they do no harm.
 */
export async function collectStaleSockets(
  environment: Readonly<Record<string, string | undefined>>,
  uid: number | undefined,
): Promise<number> {
  if (uid === undefined) return 0;
  let collected = 0;
  for (const directory of agentDirectories(undefined, environment)) {
    try {
      collected += await collectIn(join(directory, `jemkit-${uid}`), uid);
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }
  return collected;
}
