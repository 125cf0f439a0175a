import { readFileSync } from 'node:fs';
import { statFields } from './process-stat.js';

/** The kernel counts for user space in hundredths of a second on every architecture Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** Processor time of a whole process, its ended threads included, in seconds. */
export interface ProcessorTime {
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

/** Parses `utime` and `stime` of `/proc/PID/stat`; undefined for any other text. */
export function parseProcessorTime(text: string): ProcessorTime | undefined {
  const fields = statFields(text);
  const user = Number.parseInt(fields[11] ?? '', 10);
  const system = Number.parseInt(fields[12] ?? '', 10);
  if (Number.isNaN(user) || Number.isNaN(system) || user < 0 || system < 0) return undefined;
  return { userSeconds: user / TICKS_PER_SECOND, systemSeconds: system / TICKS_PER_SECOND };
}

/** Processor time a process has used so far; undefined where it has ended or there is no /proc. */
export function readProcessorTime(pid: number | 'self'): ProcessorTime | undefined {
  try {
    return parseProcessorTime(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}
