import { startsWith } from './byte-lines.js';
import { textOf } from './profile-error.js';

/** What a file is, by its first bytes. */
export type SniffedFormat =
  | { readonly kind: 'gzip' | 'heap-v2' | 'heap-older' | 'pprof' | 'collapsed' | 'empty' }
  /** `name` completes 'the file is …'; `hint` is the next thing to do. */
  | { readonly kind: 'foreign'; readonly name: string; readonly hint?: string };

/** How many bytes tell a format, where a file has so many. */
export const SNIFF_BYTES = 16 * 1024;

const UNPACK = 'unpack it first: ';

/** Files of others, by how they begin (as Latin-1). */
const SIGNATURES: readonly (readonly [begin: string, name: string, hint?: string])[] = [
  ['\x28\xb5\x2f\xfd', 'compressed with zstd', `${UNPACK}zstd -d FILE`],
  ['\xfd7zXZ', 'compressed with xz', `${UNPACK}xz -d FILE`],
  ['BZh', 'compressed with bzip2', `${UNPACK}bzip2 -d FILE`],
  ['PK\x03\x04', 'a zip archive', `${UNPACK}unzip FILE`],
  ['\x7fELF', 'a program, library or core dump', 'give the heap profile; the program is found by itself'],
  ['PERFILE2', 'a recording of perf', 'perf script | stackcollapse-perf.pl > FILE.collapsed'],
  ['<!DOCTYPE', 'a web page'],
  ['<html', 'a web page'],
  ['<?xml', 'XML'],
  ['desc: ', "a profile of valgrind's massif"],
  ['___ Begin jemalloc statistics ___', "jemalloc's statistics", 'jem stats PID shows such statistics'],
  ['{"jemalloc"', "jemalloc's statistics", 'jem stats PID shows such statistics'],
  ['{"snapshot":', "a heap snapshot of V8, which has JavaScript's heap only", 'open it in the DevTools of Chrome'],
  ['{"head":', "a sampled heap profile of V8, which has JavaScript's heap only", 'open it in the DevTools of Chrome'],
  ['{"nodes":', 'a CPU profile of V8', 'open it in the DevTools of Chrome'],
  ['{', 'JSON'],
  ['[', 'JSON'],
  ['\x89PNG', 'a picture'],
];

export function sniffFormat(head: Uint8Array): SniffedFormat {
  const { length } = head;
  if (length === 0) return { kind: 'empty' };
  if (head[0] === 0x1f && head[1] === 0x8b) return { kind: 'gzip' };
  if (startsWith(head, 0, length, 'heap_v2/')) return { kind: 'heap-v2' };
  if (startsWith(head, 0, length, 'heap profile:')) return { kind: 'heap-older' };
  for (const [begin, name, hint] of SIGNATURES) {
    if (startsWith(head, 0, length, begin)) return { kind: 'foreign', name, ...(hint === undefined ? {} : { hint }) };
  }
  if (looksLikePprof(head)) return { kind: 'pprof' };
  if (head.includes(0)) return { kind: 'foreign', name: 'binary data of a form that jemkit does not know' };
  const first = textOf(head, 0, length)
    .split(/\r?\n/, 200)
    .find((line) => line.trim() !== '' && !line.startsWith('#'));
  if (first === undefined) return { kind: 'empty' };
  if (/\S\s+\d+(\.\d+)?\s*$/.test(first) || (first.includes(';') && first.length > 4096)) return { kind: 'collapsed' };
  return { kind: 'foreign', name: `no heap profile; it begins with ${JSON.stringify(first.trim().slice(0, 60))}` };
}

/** Wire types of the fields of pprof's Profile: 2 (a length and bytes) or 0 (a number). */
const PPROF_WIRE_TYPES = [-1, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 2, 0, 2, 0, 0];

/** Whether the bytes are fields of a Profile, one after the other. */
function looksLikePprof(head: Uint8Array): boolean {
  let at = 0;
  let fields = 0;
  while (at < head.length) {
    const field = head[at]! >> 3;
    const wireType = head[at]! & 7;
    const packed = (field === 13 || field === 14) && (wireType === 0 || wireType === 2);
    if (field === 0 || field >= PPROF_WIRE_TYPES.length || (PPROF_WIRE_TYPES[field] !== wireType && !packed))
      return false;
    at += 1;
    let value = 0;
    let shift = 0;
    for (; at < head.length && head[at]! >= 128; at++, shift += 7) value += (head[at]! & 127) * 2 ** shift;
    if (shift > 63) return false;
    value += (head[at] ?? 0) * 2 ** shift;
    at += 1;
    if (wireType === 2) at += value;
    fields += 1;
  }
  return fields > 0 && (at === head.length || (fields > 1 && head.length >= SNIFF_BYTES) || head.length >= SNIFF_BYTES);
}
