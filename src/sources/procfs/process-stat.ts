import { readFileSync } from 'node:fs';
import type { ProcessStat } from '../../model/process.js';

const PF_KTHREAD = 0x00200000;

/** The fields of `/proc/PID/stat` behind the name, which stands in parentheses and may hold any character: the first is the state. */
export function statFields(text: string): string[] {
  return text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
}

/** Parses `/proc/PID/stat`. Undefined for any other text. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open === -1 || close < open) return undefined;
  const pid = Number(text.slice(0, open));
  const fields = statFields(text);
  const [state = '', parentPid] = fields;
  const flags = Number(fields[6]);
  const startTicks = Number(fields[19]);
  if (!Number.isInteger(pid) || state.length !== 1 || !Number.isInteger(flags) || Number.isNaN(startTicks))
    return undefined;
  return {
    pid,
    commandName: text.slice(open + 1, close),
    state,
    parentPid: Number(parentPid),
    kernelThread: (flags & PF_KTHREAD) !== 0,
    startTicks,
  };
}

/** Reads `/proc/PID/stat`. Throws the system's error: ENOENT or ESRCH for a pid that is gone. */
export function readProcessStat(pid: number | 'self'): ProcessStat | undefined {
  return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
