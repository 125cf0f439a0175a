import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isSystemError } from '../../errors.js';
import type { AgentAbsence } from '../../model/agent.js';
import { parseNamespacePid, parseProcessUids } from '../procfs/process-status.js';
import { readStartEnvironment } from '../procfs/process-strings.js';
import { agentDirectories, socketNames, userAsSeen } from './agent-path.js';

/** The socket of an agent. */
export interface AgentSocket {
  /** As this process sees it. */
  readonly pid: number;
  /** As the process itself sees its files. */
  readonly path: string;
  readonly place: 'addon' | 'preloaded';
}

/** A folder that holds a process's sockets, and was looked at: it belongs to the process's user, and to nobody else's use. */
export interface AgentFolder {
  readonly pid: number;
  /** The process's id as it sees itself. */
  readonly ownPid: number;
  /** Whom the process belongs to. */
  readonly uid: number;
  /** The sockets, the one to ask first in front. */
  readonly sockets: readonly AgentSocket[];
  /** A path to a socket that is short enough to connect to, while the folder is open. */
  pathFromHere(socket: AgentSocket): string;
  close(): void;
}

/** Where an agent's sockets are, or why there is none. */
export type AgentFolderOpening = { readonly kind: 'open'; readonly folder: AgentFolder } | AgentAbsence;

/** The same number on all of Linux's architectures that Node runs on; Node has no name for it. */
const O_PATH = 0o10000000;

/** Mode bits of group and others. */
const OTHERS = 0o077;

function codeOf(error: unknown): string {
  if (!isSystemError(error)) throw error;
  return error.code ?? '';
}

function readEnvironment(pid: number): ReadonlyMap<string, string> | undefined {
  try {
    return readStartEnvironment(pid);
  } catch (error) {
    codeOf(error);
    return undefined;
  }
}

/** True where the process has other files than we have, or that cannot be told. */
export function seesOtherFiles(pid: number): boolean {
  try {
    return (
      readlinkSync(`/proc/${pid}/ns/mnt`) !== readlinkSync('/proc/self/ns/mnt') ||
      readlinkSync(`/proc/${pid}/root`) !== readlinkSync('/proc/self/root')
    );
  } catch (error) {
    codeOf(error);
    return false;
  }
}

/**
 * Opens a folder step by step, no step through a symbolic link: below another process's root an absolute one would lead out of it,
 * into our own files.
 */
function openWithoutLinks(root: string, path: string): number {
  const flags = O_PATH | constants.O_DIRECTORY;
  let descriptor = openSync(root, flags);
  for (const part of path.split('/').filter((name) => name !== '' && name !== '.')) {
    const before = descriptor;
    try {
      if (part === '..') throw Object.assign(new Error('leads upwards'), { code: 'ELOOP' });
      descriptor = openSync(`/proc/self/fd/${before}/${part}`, flags | constants.O_NOFOLLOW);
    } finally {
      closeSync(before);
    }
  }
  return descriptor;
}

/** Opens a folder as the process has it. Throws the system's error. */
function openFolder(pid: number, path: string, elsewhere: boolean): number {
  if (elsewhere) return openWithoutLinks(`/proc/${pid}/root`, path);
  return openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** Why a folder cannot be trusted with a socket of this user; undefined where it can. */
function distrust(descriptor: number, uid: number): string | undefined {
  const { uid: owner, mode } = fstatSync(descriptor);
  if (owner !== uid) return `its folder belongs to user ${owner}, and the process to user ${uid}`;
  if ((mode & OTHERS) !== 0) return `others than its owner may use its folder (mode ${(mode & 0o777).toString(8)})`;
  return undefined;
}

/** The sockets in an open folder; a text says what lies there instead of one. */
function socketsIn(descriptor: number, pid: number, ownPid: number, uid: number, path: string): AgentSocket[] | string {
  const sockets: AgentSocket[] = [];
  for (const [name, place] of socketNames(ownPid)) {
    try {
      const stats = lstatSync(`/proc/self/fd/${descriptor}/${name}`);
      if (!stats.isSocket()) return `${path}/${name} is no socket`;
      if (stats.uid !== uid) return `${path}/${name} belongs to user ${stats.uid}, and the process to user ${uid}`;
      sockets.push({ pid, path: `${path}/${name}`, place });
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
  return sockets;
}

function readUserMap(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/uid_map`, 'latin1');
  } catch (error) {
    codeOf(error);
    return '';
  }
}

/** What `/proc/PID/status` says of who a process is. */
interface ProcessIdentity {
  readonly ownPid: number;
  readonly effectiveUid: number;
  /** All it may have had when its socket was made: a daemon gives root up after its start. */
  readonly uids: readonly number[];
}

function readIdentity(pid: number): ProcessIdentity | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'latin1');
    const uids = parseProcessUids(text);
    const [, effectiveUid] = uids;
    if (effectiveUid === undefined || /^State:\s+[ZX]/m.test(text)) return undefined;
    return { ownPid: parseNamespacePid(text) ?? pid, effectiveUid, uids: [...new Set([effectiveUid, ...uids])] };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** Looks into one folder; `empty` where it holds no socket of the process, or is not there. `path` is for people, `open` opens it. */
function lookInto(
  pid: number,
  { ownPid, effectiveUid }: ProcessIdentity,
  path: string,
  uid: number,
  open: () => number,
): AgentFolderOpening | { readonly kind: 'empty' } {
  let descriptor: number | undefined;
  try {
    const opened = open();
    descriptor = opened;
    const sockets = distrust(opened, uid) ?? socketsIn(opened, pid, ownPid, uid, path);
    if (typeof sockets === 'string') return { kind: 'foreign', path, detail: sockets };
    if (sockets.length === 0) return { kind: 'empty' };
    descriptor = undefined;
    return {
      kind: 'open',
      folder: {
        pid,
        ownPid,
        uid,
        sockets,
        pathFromHere: (socket) => `/proc/self/fd/${opened}/${socket.path.slice(path.length + 1)}`,
        close: () => closeSync(opened),
      },
    };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ESRCH') return { kind: 'empty' };
    if (code === 'EACCES' || code === 'EPERM') return { kind: 'not-permitted', uid: effectiveUid };
    if (code === 'ELOOP' || code === 'ENOTDIR')
      return { kind: 'foreign', path, detail: `${path} is no folder, or is reached by a symbolic link` };
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The name that an agent gives its thread. */
const AGENT_THREAD = 'jemkit-agent';

/**
 * The folders that a process's agents hold open: links of /proc, which lead there whatever the path is here. They tell where no name
 * does: a program wrote its title over its environment, or changed its root after its agent had opened.
 */
function heldFolders(pid: number): { readonly link: string; readonly path: string }[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .filter((thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'latin1').trim() === AGENT_THREAD)
      .flatMap((thread) => {
        const folder = `/proc/${pid}/task/${thread}/fd`;
        return readdirSync(folder).map((name) => ({
          link: `${folder}/${name}`,
          path: readlinkSync(`${folder}/${name}`),
        }));
      })
      .filter(({ path }) => /\/jemkit-\d+$/.test(path));
  } catch (error) {
    // A thread that ended meanwhile, or another user's process.
    codeOf(error);
    return [];
  }
}

/**
 * Looks for the sockets of a process's agents. Nothing is followed that somebody else could have placed: the folder must belong to
 * the process's user alone, and be no symbolic link.
 */
export function openAgentFolder(pid: number): AgentFolderOpening {
  const identity = readIdentity(pid);
  if (!identity) return { kind: 'gone' };
  const environment = readEnvironment(pid);
  const elsewhere = seesOtherFiles(pid);
  const users = readUserMap(pid);
  let absence: AgentAbsence | undefined;
  for (const directory of agentDirectories(environment, process.env)) {
    for (const uid of identity.uids) {
      // The folder has the user's number as the process sees it, its owner is the one that we see.
      const path = `${directory === '/' ? '' : directory}/jemkit-${userAsSeen(users, uid)}`;
      const found = lookInto(pid, identity, path, uid, () => openFolder(pid, path, elsewhere));
      if (found.kind === 'open') return found;
      if (found.kind !== 'empty') absence ??= found;
    }
  }
  for (const { link, path } of heldFolders(pid)) {
    for (const uid of identity.uids) {
      const found = lookInto(pid, identity, path, uid, () => openSync(link, O_PATH | constants.O_DIRECTORY));
      if (found.kind === 'open') return found;
    }
  }
  if (absence) return absence;
  const { effectiveUid } = identity;
  // Another user's environment is not ours to read: its sockets may be in a folder that only it names.
  const hidden = environment === undefined && effectiveUid !== process.geteuid?.() && process.geteuid?.() !== 0;
  return hidden ? { kind: 'not-permitted', uid: effectiveUid } : { kind: 'no-agent' };
}
