import { readFileSync } from 'node:fs';
import type { ProcessMemory } from '../../model/memory-sample.js';
import { parseProcessorTime } from './processor-time.js';

/** How a process's memory is read. */
export interface ReadProcessMemoryOptions {
  /** Reads PSS too, which makes the kernel walk the page tables: 1 to 24 ms. */
  readonly proportional?: boolean;
}

function kibAfter(text: string, label: string): number | undefined {
  const kib = new RegExp(`^${label}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** Parses the memory in `/proc/PID/status`; undefined for a process without any (a zombie, a thread of the kernel). */
export function parseMemoryStatus(text: string): ProcessMemory | undefined {
  const residentBytes = kibAfter(text, 'VmRSS');
  if (residentBytes === undefined) return undefined;
  const threads = /^Threads:\s+(\d+)$/m.exec(text)?.[1];
  return {
    residentBytes,
    peakResidentBytes: kibAfter(text, 'VmHWM'),
    virtualBytes: kibAfter(text, 'VmSize'),
    anonymousBytes: kibAfter(text, 'RssAnon'),
    fileBytes: kibAfter(text, 'RssFile'),
    sharedMemoryBytes: kibAfter(text, 'RssShmem'),
    swapBytes: kibAfter(text, 'VmSwap'),
    threads: threads === undefined ? undefined : Number(threads),
  };
}

/** PSS in the text of `/proc/PID/smaps_rollup`, in bytes. */
export function parseProportionalBytes(text: string): number | undefined {
  return kibAfter(text, 'Pss');
}

function readOwn(pid: number | 'self', name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return undefined;
  }
}

/**
 * What the kernel says of a process's memory; undefined where it has ended, or there is no /proc. All figures but PSS and the
 * processor time are of one moment and add up: they are from one read of `status`, in about 40 µs.
 */
export function readProcessMemory(
  pid: number | 'self',
  options: ReadProcessMemoryOptions = {},
): ProcessMemory | undefined {
  const status = readOwn(pid, 'status');
  const memory = status === undefined ? undefined : parseMemoryStatus(status);
  if (!memory) return undefined;
  const stat = readOwn(pid, 'stat');
  const time = stat === undefined ? undefined : parseProcessorTime(stat);
  const rollup = options.proportional ? readOwn(pid, 'smaps_rollup') : undefined;
  return {
    ...memory,
    processorMs: time && Math.round((time.userSeconds + time.systemSeconds) * 1000),
    proportionalBytes: rollup === undefined ? undefined : parseProportionalBytes(rollup),
  };
}
