import { isSystemError } from '../../errors.js';
import type { ProcessStatus } from '../../model/process.js';
import { readFileSync } from '../file-system.js';

function numbersAfter(text: string, label: string): number[] {
  const at = text.indexOf(`\n${label}:`);
  if (at === -1) return [];
  const end = text.indexOf('\n', at + 1);
  const words = text.slice(at + label.length + 2, end === -1 ? undefined : end).split(/\s+/);
  return words.filter((word) => /^\d+$/.test(word)).map(Number);
}

/** Parses `/proc/PID/status`; its first line is the name, so that every other one has a line feed in front. */
export function parseProcessStatus(text: string): ProcessStatus {
  const [realUid, effectiveUid] = numbersAfter(text, 'Uid');
  const [residentKib] = numbersAfter(text, 'VmRSS');
  const [threads] = numbersAfter(text, 'Threads');
  const [noNewPrivileges] = numbersAfter(text, 'NoNewPrivs');
  return {
    realUid,
    effectiveUid,
    residentBytes: residentKib === undefined ? undefined : residentKib * 1024,
    threads,
    noNewPrivileges: noNewPrivileges === undefined ? undefined : noNewPrivileges === 1,
  };
}

/** The real, effective, saved and file system user in the text of `/proc/PID/status`. */
export function parseProcessUids(text: string): number[] {
  return numbersAfter(text, 'Uid');
}

/** The process that a thread is of, in the text of `/proc/PID/status`. */
export function parseThreadGroup(text: string): number | undefined {
  return numbersAfter(text, 'Tgid')[0];
}

/** A process's id as it sees itself, in the innermost namespace, in the text of `/proc/PID/status`; undefined before Linux 4.1. */
export function parseNamespacePid(text: string): number | undefined {
  return numbersAfter(text, 'NSpid').at(-1);
}

/** How this process's system calls are filtered: 0 not, 1 strictly, 2 by programs. 0 also where the system has no such thing. */
export function readSeccompMode(): number {
  try {
    return numbersAfter(readFileSync('/proc/self/status', 'utf8'), 'Seccomp')[0] ?? 0;
  } catch (error) {
    if (isSystemError(error)) return 0;
    throw error;
  }
}

/** Reads `/proc/PID/status`. Throws the system's error. */
export function readProcessStatus(pid: number | 'self'): ProcessStatus {
  return parseProcessStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
