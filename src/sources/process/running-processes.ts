import { isSystemError } from '../../errors.js';
import { readProcessIds } from '../procfs/process-list.js';
import { readProcessStat } from '../procfs/process-stat.js';
import { readProcessStatus } from '../procfs/process-status.js';
import { readCommandLine } from '../procfs/process-strings.js';

/** A process, as one is chosen by its name. */
export interface RunningProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly uid: number | undefined;
  readonly residentBytes: number | undefined;
  readonly commandName: string;
  readonly argv: readonly string[];
}

/** One process; undefined for one that has ended, and for threads of the kernel. */
export function readRunningProcess(pid: number): RunningProcess | undefined {
  try {
    const stat = readProcessStat(pid);
    if (!stat || stat.kernelThread || 'ZX'.includes(stat.state)) return undefined;
    const { effectiveUid, residentBytes } = readProcessStatus(pid);
    const argv = readCommandLine(pid).map((argument) => argument.toString('utf8'));
    const { parentPid, commandName } = stat;
    return { pid, parentPid, uid: effectiveUid, residentBytes, commandName, argv };
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** The processes that this user may see, but for this one and those above it, by pid. */
export function listRunningProcesses(ownPid: number = process.pid): RunningProcess[] {
  const all = readProcessIds().flatMap((pid) => readRunningProcess(pid) ?? []);
  const byPid = new Map(all.map((one) => [one.pid, one]));
  const ourselves = new Set<number>();
  for (let pid = ownPid; pid > 0 && !ourselves.has(pid); pid = byPid.get(pid)?.parentPid ?? 0) ourselves.add(pid);
  return all.filter(({ pid }) => !ourselves.has(pid));
}
