import { describe, expect, test } from 'vitest';
import {
  type AllocationLook,
  type CaptureReason,
  type FollowOptions,
  followProcess,
} from '../../../../src/control/profiling/follow-process.js';

const MIB = 2 ** 20;

interface Story {
  /** What is allocated at a moment; undefined: nobody answers. */
  readonly allocated?: (atMs: number) => AllocationLook | undefined;
  readonly endsAtMs?: number;
  readonly toldAtMs?: number;
  /** How long a capture takes. */
  readonly captureMs?: number;
}

/** Follows a process by a clock that only sleeping and capturing move. */
async function follow(options: FollowOptions, story: Story) {
  let nowMs = 0;
  const captures: (readonly [atMs: number, reason: CaptureReason])[] = [];
  const end = await followProcess(options, {
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
    isAlive: () => nowMs < (story.endsAtMs ?? Number.POSITIVE_INFINITY),
    isOver: () => nowMs >= (story.toldAtMs ?? Number.POSITIVE_INFINITY),
    look: async () => story.allocated?.(nowMs),
    capture: async (reason) => {
      captures.push([nowMs, reason]);
      nowMs += story.captureMs ?? 0;
    },
  });
  return { end, captures, tookMs: nowMs };
}

const held = (heldBytes: number) => ({ heldBytes, everBytes: undefined });

describe('followProcess', () => {
  test('ends with the time, when it is told, and with the process', async () => {
    expect(await follow({ forMs: 30_000 }, {})).toEqual({ end: 'time', captures: [], tookMs: 30_000 });
    expect((await follow({ forMs: 30_000 }, { toldAtMs: 400 })).end).toBe('told');
    expect((await follow({ forMs: 30_000 }, { endsAtMs: 400 })).end).toBe('process');
    expect((await follow({}, { endsAtMs: 400, toldAtMs: 400 })).end).toBe('process');
  });

  test('captures at even distances, however long a capture takes', async () => {
    const { captures } = await follow({ everyMs: 1000, forMs: 4500 }, { captureMs: 300 });
    expect(captures).toEqual([
      [1000, 'time'],
      [2000, 'time'],
      [3000, 'time'],
      [4000, 'time'],
    ]);
  });

  test('does not catch up on what it missed', async () => {
    const { captures } = await follow({ everyMs: 1000, forMs: 10_000 }, { captureMs: 3500 });
    expect(captures.map(([atMs]) => Math.round(atMs / 100))).toEqual([10, 45, 80]);
  });

  test('captures each so many bytes that were allocated, counted from where it began', async () => {
    const { captures } = await follow(
      { everyBytes: 10 * MIB, forMs: 3000 },
      { allocated: (atMs) => ({ everBytes: 500 * MIB + (atMs / 100) * MIB, heldBytes: undefined }) },
    );
    expect(captures).toEqual([
      [1000, 'bytes'],
      [2000, 'bytes'],
    ]);
  });

  test('captures a peak a tenth above the last one, and none on the way down', async () => {
    const bytes = [100, 105, 109, 111, 100, 60, 111, 121, 123, 50].map((mib) => mib * MIB);
    const { captures } = await follow(
      { atPeak: true, forMs: 2500 },
      { allocated: (atMs) => held(bytes[Math.floor(atMs / 250)] ?? 0) },
    );
    expect(captures).toEqual([
      [750, 'peak'],
      [2000, 'peak'],
    ]);
  });

  test('a small program does not make a peak of every page', async () => {
    const { captures } = await follow({ atPeak: true, forMs: 2500 }, { allocated: (atMs) => held(MIB + atMs * 400) });
    expect(captures).toEqual([]);
  });

  test('a look that is not answered is none: it begins with the first that is', async () => {
    const { captures } = await follow(
      { atPeak: true, forMs: 2000 },
      { allocated: (atMs) => (atMs < 500 ? undefined : held(atMs < 1500 ? 100 * MIB : 120 * MIB)) },
    );
    expect(captures).toEqual([[1500, 'peak']]);
  });

  test('of a program that has just started, all that it allocated counts', async () => {
    const allocated = () => ({ everBytes: 15 * MIB, heldBytes: 12 * MIB });
    expect((await follow({ atPeak: true, fromStart: true, forMs: 900 }, { allocated })).captures).toEqual([
      [0, 'peak'],
    ]);
    const { captures } = await follow({ everyBytes: 10 * MIB, fromStart: true, forMs: 900 }, { allocated });
    expect(captures).toEqual([[0, 'bytes']]);
  });

  test('one moment is one capture, whatever asks for it', async () => {
    const { captures } = await follow(
      { atPeak: true, everyMs: 500, forMs: 900 },
      { allocated: (atMs) => held(atMs < 500 ? 100 * MIB : 200 * MIB) },
    );
    expect(captures).toEqual([[500, 'peak']]);
  });
});
