import { readFileSync } from 'node:fs';

/** Keys of the auxiliary vector (getauxval(3)). */
export const AT = { PAGESZ: 6, SECURE: 23 } as const;

/** Parses `/proc/PID/auxv`: pairs of longs in the process's own width; the first of each key counts. */
export function parseAuxiliaryVector(
  content: Buffer,
  longBytes: 4 | 8,
  littleEndian = true,
): ReadonlyMap<number, number> {
  const long = (at: number) => {
    if (longBytes === 4) return littleEndian ? content.readUInt32LE(at) : content.readUInt32BE(at);
    return Number(littleEndian ? content.readBigUInt64LE(at) : content.readBigUInt64BE(at));
  };
  const entries = new Map<number, number>();
  for (let at = 0; at + longBytes * 2 <= content.length; at += longBytes * 2) {
    const key = long(at);
    if (key === 0) break;
    if (!entries.has(key)) entries.set(key, long(at + longBytes));
  }
  return entries;
}

/** Reads `/proc/PID/auxv`. Throws the system's error. */
export function readAuxiliaryVector(pid: number | 'self', longBytes: 4 | 8 = 8): ReadonlyMap<number, number> {
  return parseAuxiliaryVector(readFileSync(`/proc/${pid}/auxv`), longBytes);
}
