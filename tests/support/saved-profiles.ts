import { statSync } from 'node:fs';
import { expect } from 'vitest';
import { frameAt, type HeapProfile, stackFrames } from '../../src/model/heap-profile.js';
import { readHeapProfile } from '../../src/sources/heap-dump/read-profile.js';

/** Live bytes of the stacks that have a function with such a name. */
export function bytesOf(profile: HeapProfile, name: RegExp): number {
  const { samples } = profile;
  let bytes = 0;
  for (let at = 0; at < samples.count; at++) {
    const frames = stackFrames(profile, samples.stack[at] ?? 0);
    if (frames.some((frame) => name.test(frameAt(profile, frame).name))) bytes += samples.liveBytes[at] ?? 0;
  }
  return bytes;
}

/** All live bytes. */
export const liveBytes = ({ samples }: HeapProfile) => samples.liveBytes.reduce((sum, bytes) => sum + bytes, 0);

/** Reads a profile that jem wrote, which only its owner may read. */
export function readSaved(path: string): Promise<HeapProfile> {
  expect(statSync(path).mode & 0o777).toBe(0o600);
  return readHeapProfile(path);
}
