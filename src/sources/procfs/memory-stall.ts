import type { MemoryStall, StallShare } from '../../model/memory-pressure.js';

const LINE = /^(some|full) avg10=(\d+(?:\.\d+)?) avg60=(\d+(?:\.\d+)?) avg300=(\d+(?:\.\d+)?) total=(\d+)$/gm;

/**
 * Parses a file of pressure stall information: `/proc/pressure/memory`, or a group's `memory.pressure`. Undefined for any other text.
 * Before Linux 5.13 some of these files have no line `full`.
 */
export function parseMemoryStall(text: string): MemoryStall | undefined {
  const shares: { some?: StallShare; full?: StallShare } = {};
  for (const [, name, avg10, avg60, avg300, total] of text.matchAll(LINE)) {
    shares[name as 'some' | 'full'] = {
      avg10: Number(avg10),
      avg60: Number(avg60),
      avg300: Number(avg300),
      totalMicroseconds: Number(total),
    };
  }
  return shares.some || shares.full ? { some: shares.some, full: shares.full } : undefined;
}
