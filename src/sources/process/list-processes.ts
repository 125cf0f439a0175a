import { readFileSync } from 'node:fs';
import { isSystemError } from '../../errors.js';
import type { ListedProcess } from '../../model/process.js';
import { readProcessIds } from '../procfs/process-list.js';
import { readProcessStat } from '../procfs/process-stat.js';
import { readProcessStatus } from '../procfs/process-status.js';
import { readCommandLine } from '../procfs/process-strings.js';
import { identifyAllocator } from './identify-allocator.js';
import type { ImageReader } from './mapped-images.js';
import { openProcessView } from './process-view.js';

/** Parses `/etc/passwd` into names by uid; of several names of one uid the first counts. */
export function parseUserNames(text: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name, , uid] = line.split(':');
    if (name && uid && /^\d+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}

/** The machine's users by uid; empty where there is no such file. */
export function readUserNames(): ReadonlyMap<number, string> {
  try {
    return parseUserNames(readFileSync('/etc/passwd', 'utf8'));
  } catch (error) {
    if (isSystemError(error)) return new Map();
    throw error;
  }
}

/** Which processes are listed. */
export interface ListOptions {
  /** Kernel threads and zombies too. */
  readonly everything: boolean;
}

/** One process with its allocator; undefined for one that is left out or that ended meanwhile. */
function readListedProcess(pid: number, reader: ImageReader, { everything }: ListOptions): ListedProcess | undefined {
  const view = openProcessView(pid);
  try {
    const identity = identifyAllocator(view, reader, 'quick');
    const hasMemory = identity.kind !== 'kernel-thread' && identity.kind !== 'zombie';
    if (identity.kind === 'gone' || !(hasMemory || everything)) return undefined;
    const status = readProcessStatus(pid);
    const argv = readCommandLine(pid).map((argument) => argument.toString('utf8'));
    const commandName = argv.length > 0 ? '' : (readProcessStat(pid)?.commandName ?? '');
    return { pid, uid: status.effectiveUid, residentBytes: status.residentBytes, commandName, argv, identity };
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  } finally {
    view.close();
  }
}

/** The processes of this machine that this user may see. */
export function listProcesses(reader: ImageReader, options: ListOptions): ListedProcess[] {
  return readProcessIds()
    .map((pid) => readListedProcess(pid, reader, options))
    .filter((process) => process !== undefined);
}
