import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isSystemError, JemkitError, optional } from '../../errors.js';
import type { AgentFolder } from '../../sources/agent/agent-folder.js';
import { openAgentFolder } from '../../sources/agent/agent-folder.js';
import { readProcessStat } from '../../sources/procfs/process-stat.js';
import { cannotWrite } from '../recording/cannot-write.js';
import type { CapturePlace } from './take-capture.js';

/** A fresh folder in which a process writes captures: the process's own, and nobody else's to use. Close it. */
export interface CaptureFolder {
  /** A name in it that nothing has yet, as the process sees its files. */
  nextPath(): string;
  /** Moves what the process wrote there into a new file of ours, mode 0600. @returns its bytes. */
  take(path: string, place: CapturePlace): number;
  /** Removes it with all in it. */
  close(): void;
}

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const CHUNK_BYTES = 1 << 20;

/** Folders of a jem that was killed in the middle; its pid is in the name. */
function sweep(here: string): void {
  for (const name of optional(() => readdirSync(here)) ?? []) {
    const pid = Number(/^profile-(\d+)-[0-9a-f]{12}$/.exec(name)?.[1]);
    if (!pid || optional(() => readProcessStat(pid))) continue;
    // Another pid namespace has other numbers: what is in use is not old.
    const descriptor = optional(() => openSync(`${here}/${name}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (descriptor === undefined) continue;
    const old = Date.now() - fstatSync(descriptor).mtimeMs > 3_600_000;
    closeSync(descriptor);
    if (old) optional(() => rmSync(`${here}/${name}`, { recursive: true, force: true }));
  }
}

/** What lies there is the process's to change: a link, a pipe or somebody else's file is not followed. */
function openWritten(path: string, uid: number): number {
  const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const { uid: owner, nlink } = fstatSync(descriptor);
  if (fstatSync(descriptor).isFile() && owner === uid && nlink === 1) return descriptor;
  closeSync(descriptor);
  throw new JemkitError('ERR_JEM_FILE', `what the process wrote to ${path} is no plain file of its own`);
}

function copyInto(source: number, target: string): number {
  const descriptor = openSync(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let total = 0;
    for (;;) {
      const read = readSync(source, chunk);
      if (read === 0) return total;
      for (let at = 0; at < read; ) at += writeSync(descriptor, chunk, at, read - at);
      total += read;
    }
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function makeIn(folder: AgentFolder): CaptureFolder {
  const [socket] = folder.sockets;
  if (!socket) throw new JemkitError('ERR_JEM_INTERNAL', 'a folder of an agent without a socket');
  const here = dirname(folder.pathFromHere(socket));
  const there = dirname(socket.path);
  sweep(here);
  const name = `profile-${process.pid}-${randomBytes(6).toString('hex')}`;
  mkdirSync(`${here}/${name}`, { mode: 0o700 });
  const descriptor = openSync(`${here}/${name}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (process.geteuid?.() !== folder.uid) fchownSync(descriptor, folder.uid, -1);
  let count = 0;
  return {
    nextPath: () => `${there}/${name}/${++count}.heap`,
    take(path, place) {
      const written = `/proc/self/fd/${descriptor}/${path.slice(path.lastIndexOf('/') + 1)}`;
      const source = openWritten(written, folder.uid);
      try {
        const bytes = copyInto(source, place.path);
        unlinkSync(written);
        return bytes;
      } catch (error) {
        throw cannotWrite(place.becomes, error);
      } finally {
        closeSync(source);
      }
    },
    close() {
      optional(() => rmSync(`${here}/${name}`, { recursive: true, force: true }));
      closeSync(descriptor);
      folder.close();
    },
  };
}

/**
 * Makes a folder for captures beside the socket of a process's agent, in the process's own view of the files: a container's processes do not
 * see ours.
 *
 * @throws JemkitError ERR_JEM_FILE where it cannot be made; ERR_JEM_AGENT_LOST where the process has no agent (any more).
 */
export function openCaptureFolder(pid: number): CaptureFolder {
  const opening = openAgentFolder(pid);
  if (opening.kind !== 'open') {
    throw new JemkitError('ERR_JEM_AGENT_LOST', `the agent of process ${pid} is gone`, { details: { pid } });
  }
  const { folder } = opening;
  try {
    return makeIn(folder);
  } catch (error) {
    const path = dirname(folder.sockets[0]?.path ?? '/');
    folder.close();
    throw isSystemError(error)
      ? new JemkitError(
          'ERR_JEM_FILE',
          `cannot make a folder for captures in ${path} of process ${pid}: ${error.message}`,
          {
            hint: 'make room there, or start the process with another folder: JEMKIT_AGENT_DIR=/var/tmp jem run -- PROGRAM',
            details: { pid, path },
            cause: error,
          },
        )
      : error;
  }
}
