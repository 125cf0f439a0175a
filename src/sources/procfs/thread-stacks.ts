import { readdirSync, readFileSync } from 'node:fs';
import { isSystemError } from '../../errors.js';
import type { ThreadStack } from '../../model/mapping-memory.js';

/**
 * The stack pointer in `/proc/PID/task/TID/syscall`: the last but one word, in hexadecimal. Undefined for a thread that is running, and for any
 * other text. (`stat` has a field for it, which is 0 in every living thread since Linux 4.11.)
 */
export function parseStackPointer(text: string): number | undefined {
  const match = /^-?\d+ (?:0x[0-9a-f]+ )*0x([0-9a-f]+) 0x[0-9a-f]+\n?$/.exec(text);
  const address = match ? Number.parseInt(match[1] ?? '', 16) : 0;
  return address > 0 && Number.isSafeInteger(address) ? address : undefined;
}

function optional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** The threads of a process. Throws the system's error where the process is gone; a thread that ends meanwhile is left out. */
export function readThreadStacks(pid: number | 'self'): ThreadStack[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const name = optional(`/proc/${pid}/task/${thread}/comm`);
    if (name === undefined) return [];
    const syscall = optional(`/proc/${pid}/task/${thread}/syscall`);
    return [
      {
        threadId: Number(thread),
        name: name.trimEnd(),
        stackPointer: syscall === undefined ? undefined : parseStackPointer(syscall),
      },
    ];
  });
}
