import type { MemorySample } from '../../src/model/memory-sample.js';
import type { Recording } from '../../src/model/recording.js';
import { readRecording } from '../../src/sources/recording/read-recording.js';

/** A recording with all of its samples. */
export function readAll(path: string): Recording & { readonly all: readonly MemorySample[] } {
  const all: MemorySample[] = [];
  return { ...readRecording(path, (sample) => all.push(sample)), all };
}
