import type { CountLine } from './count-line.js';
import type { RawCounts } from './dump-stacks.js';
import { samplingFactor } from './unbias.js';

const ALL_THREADS = -1;

/** Threads whose counts are this close to the sum are all of them: from 5.3.0 on jemalloc rounds each line for itself. */
const COVERED = 0.98;

/** A stack's estimates: of the sum, or, where the dump has them, of each thread so that they add up to that of the sum. */
export function divideAmongThreads(
  total: CountLine | undefined,
  threads: readonly CountLine[],
  sampleBytes: number | undefined,
  give: (thread: number, estimate: RawCounts, sampledObjects: number) => void,
): void {
  if (threads.length <= 1) {
    const sum = total ?? threads[0];
    const only = threads[0];
    const isAll = only !== undefined && (total === undefined || covers(only, total));
    if (sum !== undefined) give(isAll ? only.thread : ALL_THREADS, estimate(sum, sampleBytes), sum.objects);
    return;
  }
  const parts = threads.map((thread) => estimate(thread, sampleBytes));
  const sum = parts.reduce(plus, NOTHING);
  const counted = threads.reduce(plus, NOTHING);
  const whole = total === undefined ? sum : estimate(total, sampleBytes);
  // Of the sum over all threads, the part that the listed ones have.
  const share = total === undefined || covers(counted, total) ? 1 : counted.bytes / Math.max(1, total.bytes);
  const live = ratio(whole.bytes * share, sum.bytes);
  const liveObjects = ratio(whole.objects * share, sum.objects);
  const allocated = ratio(whole.allocatedBytes, sum.allocatedBytes);
  const allocatedObjects = ratio(whole.allocatedObjects, sum.allocatedObjects);
  threads.forEach((thread, at) => {
    const part = parts[at]!;
    const scaled = {
      objects: part.objects * liveObjects,
      bytes: part.bytes * live,
      allocatedObjects: part.allocatedObjects * allocatedObjects,
      allocatedBytes: part.allocatedBytes * allocated,
    };
    give(thread.thread, scaled, thread.objects);
  });
  if (share < 1 && total !== undefined) {
    const rest = {
      objects: whole.objects * (1 - share),
      bytes: whole.bytes * (1 - share),
      allocatedObjects: 0,
      allocatedBytes: 0,
    };
    give(ALL_THREADS, rest, Math.max(0, total.objects - counted.objects));
  }
}

const NOTHING: RawCounts = { objects: 0, bytes: 0, allocatedObjects: 0, allocatedBytes: 0 };

function covers(part: RawCounts, whole: RawCounts): boolean {
  return part.bytes >= whole.bytes * COVERED && part.allocatedBytes >= whole.allocatedBytes * COVERED;
}

function ratio(whole: number, sum: number): number {
  return sum === 0 ? 1 : whole / sum;
}

function plus(one: RawCounts, other: RawCounts): RawCounts {
  return {
    objects: one.objects + other.objects,
    bytes: one.bytes + other.bytes,
    allocatedObjects: one.allocatedObjects + other.allocatedObjects,
    allocatedBytes: one.allocatedBytes + other.allocatedBytes,
  };
}

function estimate(counts: RawCounts, sampleBytes: number | undefined): RawCounts {
  const live = samplingFactor(counts.objects, counts.bytes, sampleBytes);
  const allocated = samplingFactor(counts.allocatedObjects, counts.allocatedBytes, sampleBytes);
  return {
    objects: counts.objects * live,
    bytes: counts.bytes * live,
    allocatedObjects: counts.allocatedObjects * allocated,
    allocatedBytes: counts.allocatedBytes * allocated,
  };
}
