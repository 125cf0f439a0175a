import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { HeapProfile } from '../../src/model/heap-profile.js';
import { parseCollapsed } from '../../src/sources/heap-dump/parse-collapsed.js';
import { parseHeapOlder } from '../../src/sources/heap-dump/parse-heap-older.js';
import { parseHeapV2 } from '../../src/sources/heap-dump/parse-heap-v2.js';
import { parsePprof } from '../../src/sources/heap-dump/parse-pprof.js';
import { sniffFormat } from '../../src/sources/heap-dump/sniff-format.js';

export const GOLDEN_PROFILES = join(import.meta.dirname, '..', 'golden', 'heap-profiles');

export const PARSERS = {
  'heap-v2': parseHeapV2,
  'heap-older': parseHeapOlder,
  pprof: parsePprof,
  collapsed: parseCollapsed,
} as const;

export type ParsedFormat = keyof typeof PARSERS;

export interface GoldenProfile {
  readonly name: string;
  /** Unpacked. */
  readonly bytes: Buffer;
  readonly format: ParsedFormat;
}

/** A real profile's bytes, unpacked. */
export function goldenBytes(name: string): Buffer {
  const bytes = readFileSync(join(GOLDEN_PROFILES, name));
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

export function goldenProfiles(): GoldenProfile[] {
  return readdirSync(GOLDEN_PROFILES, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(heap|gz|txt|collapsed)$/.test(name))
    .sort()
    .map((name) => {
      const bytes = goldenBytes(name);
      const { kind } = sniffFormat(bytes);
      if (!(kind in PARSERS)) throw new Error(`${name} is ${kind}`);
      return { name, bytes, format: kind as ParsedFormat };
    });
}

/** The sums over all samples. */
export function totalsOf({ samples }: HeapProfile) {
  const sum = (column: Float64Array | undefined) => column?.reduce((total, value) => total + value, 0);
  return {
    liveBytes: sum(samples.liveBytes) ?? Number.NaN,
    liveObjects: sum(samples.liveObjects) ?? Number.NaN,
    allocatedBytes: sum(samples.allocatedBytes),
    allocatedObjects: sum(samples.allocatedObjects),
  };
}

/** What must hold of every profile: all numbers point to something, and no value is absurd. */
export function faultsOf(profile: HeapProfile): string[] {
  const { strings, frames, stacks, samples } = profile;
  const faults: string[] = [];
  const claim = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault);
  };
  claim(strings[0] === '', 'string 0 is not empty');
  claim(new Set(strings).size === strings.length, 'a string occurs twice');
  for (const column of [frames.name, frames.file, frames.module]) {
    claim(column.length === frames.count, 'a column of another length');
    claim(
      column.every((text) => text < strings.length),
      'a string that is not there',
    );
  }
  claim(stacks.offsets.length === stacks.count + 1, 'offsets of another length');
  claim(stacks.frames.length === stacks.offsets[stacks.count], 'frames beyond the last stack');
  claim(
    stacks.frames.every((frame) => frame < frames.count),
    'a frame that is not there',
  );
  claim(
    samples.stack.every((stack) => stack < stacks.count),
    'a stack that is not there',
  );
  claim(
    samples.thread.every((thread) => thread < strings.length),
    'a thread that is not there',
  );
  for (const column of [samples.liveBytes, samples.liveObjects, samples.allocatedBytes, samples.allocatedObjects]) {
    claim(column?.every((value) => Number.isNaN(value) || Number.isFinite(value)) ?? true, 'an infinite value');
  }
  return faults;
}
