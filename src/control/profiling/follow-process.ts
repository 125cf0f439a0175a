/** All bytes that a process ever allocated, and those that it holds. */
export interface AllocationLook {
  readonly everBytes: number | undefined;
  readonly heldBytes: number | undefined;
}

/** What makes a capture while a process runs. */
export type CaptureReason = 'time' | 'bytes' | 'peak' | 'asked' | 'end';

/** When captures are to be taken. */
export interface FollowOptions {
  readonly everyMs?: number | undefined;
  readonly everyBytes?: number | undefined;
  readonly atPeak?: boolean | undefined;
  /** What was allocated before the first look counts, too: the program has just started. */
  readonly fromStart?: boolean | undefined;
  /** After so long it is over; left out, when it is told or the process has ended. */
  readonly forMs?: number | undefined;
}

/** The outside of following. */
export interface FollowWorld {
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** Resolves after that time, or when it is over. */
  sleep(ms: number): Promise<void>;
  /** False once the process has ended. */
  isAlive(): boolean;
  /** True once somebody ended it. */
  isOver(): boolean;
  /** Undefined where it cannot be told (yet). */
  look(wantsEver: boolean): Promise<AllocationLook | undefined>;
  capture(reason: CaptureReason): Promise<void>;
}

/** How often is looked whether a threshold is passed. */
export const LOOK_MS = 250;
/** A new peak is this much above the last one that was captured. */
const PEAK_FACTOR = 1.1;
const PEAK_BYTES = 2 ** 20;

const above = (bytes: number) => Math.max(bytes * PEAK_FACTOR, bytes + PEAK_BYTES);

/**
 * Captures a process whenever its moment has come.
 *
 * @returns what ended it.
 */
export async function followProcess(options: FollowOptions, world: FollowWorld): Promise<'time' | 'told' | 'process'> {
  const { everyMs, everyBytes, atPeak = false, fromStart = false, forMs = Number.POSITIVE_INFINITY } = options;
  const startMs = world.now();
  const endMs = startMs + forMs;
  let nextMs = startMs + (everyMs ?? Number.POSITIVE_INFINITY);
  let nextEver: number | undefined;
  let nextPeak: number | undefined;
  const looks = everyBytes !== undefined || atPeak;
  for (;;) {
    if (!world.isAlive()) return 'process';
    if (world.isOver()) return 'told';
    const now = world.now();
    if (now >= endMs) return 'time';
    const found = looks ? await world.look(everyBytes !== undefined) : undefined;
    const ever = found?.everBytes;
    const held = found?.heldBytes;
    if (everyBytes !== undefined && ever !== undefined) nextEver ??= (fromStart ? 0 : ever) + everyBytes;
    if (atPeak && held !== undefined) nextPeak ??= above(fromStart ? 0 : held);
    const isPeak = held !== undefined && nextPeak !== undefined && held >= nextPeak;
    const isDue = ever !== undefined && nextEver !== undefined && ever >= nextEver;
    const isTime = now >= nextMs;
    // One look, one capture: several would show the same.
    if (isPeak) nextPeak = above(held);
    if (isDue) nextEver = ever + (everyBytes ?? 0);
    // After a standstill (a laptop's sleep) it does not catch up.
    if (isTime) nextMs = now + (everyMs ?? 0) - ((now - startMs) % (everyMs ?? 1));
    if (isPeak || isDue || isTime) await world.capture(isPeak ? 'peak' : isDue ? 'bytes' : 'time');
    const until = Math.min(nextMs, endMs) - world.now();
    await world.sleep(Math.max(1, Math.min(until, LOOK_MS)));
  }
}
