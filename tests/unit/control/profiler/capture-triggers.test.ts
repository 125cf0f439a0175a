import { describe, expect, test } from 'vitest';
import {
  openCaptureTriggers,
  type TriggerOptions,
  type TriggerWorld,
} from '../../../../src/control/profiler/capture-triggers.js';
import type { CaptureOutcome } from '../../../../src/model/profiler-outcome.js';

const MIB = 2 ** 20;

/** A world whose clock, memory and signals the test moves. */
function simulate(options: Partial<TriggerOptions>, outcome?: CaptureOutcome) {
  const files = new Set<string>();
  const warnings: string[] = [];
  const told: string[] = [];
  const timers = new Map<number, { atMs: number; callback: () => void }>();
  const state = { nowMs: 0, everBytes: 0, heldBytes: 0, handler: undefined as (() => void) | undefined, count: 0 };
  const world: TriggerWorld = {
    capture() {
      if (outcome) return outcome;
      const path = `/profiles/${++state.count}.heap`;
      files.add(path);
      return { kind: 'captured', path };
    },
    remove: (path) => void files.delete(path),
    look: () => ({ everBytes: state.everBytes, heldBytes: state.heldBytes }),
    now: () => state.nowMs,
    after(ms, callback) {
      const key = timers.size + state.nowMs * 1000;
      timers.set(key, { atMs: state.nowMs + ms, callback });
      return () => void timers.delete(key);
    },
    onSignal(_signal, callback) {
      state.handler = callback;
      return () => {
        state.handler = undefined;
      };
    },
    warn: (message) => void warnings.push(message),
  };
  const triggers = openCaptureTriggers(world, {
    keep: 10,
    onCapture: (_outcome, trigger) => void told.push(trigger),
    ...options,
  });
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return {
    files,
    warnings,
    told,
    timers,
    state,
    triggers,
    async pass(ms: number) {
      await settle();
      for (const end = state.nowMs + ms; ; ) {
        const next = [...timers].sort((left, right) => left[1].atMs - right[1].atMs)[0];
        if (!next || next[1].atMs > end) {
          state.nowMs = end;
          return;
        }
        timers.delete(next[0]);
        state.nowMs = next[1].atMs;
        next[1].callback();
        await settle();
      }
    },
  };
}

describe('captures by themselves', () => {
  test('at intervals', async () => {
    const run = simulate({ everyMs: 1000 });
    await run.pass(3500);
    expect(run.told).toEqual(['time', 'time', 'time']);
  });

  test('each so many bytes, however large the step was', async () => {
    const run = simulate({ everyBytes: 10 * MIB });
    await run.pass(500);
    expect(run.told).toEqual([]);
    run.state.everBytes = 35 * MIB;
    await run.pass(1000);
    expect(run.told).toEqual(['bytes']);
    run.state.everBytes = 44 * MIB;
    await run.pass(1000);
    expect(run.told).toEqual(['bytes']);
    run.state.everBytes = 45 * MIB;
    await run.pass(1000);
    expect(run.told).toEqual(['bytes', 'bytes']);
  });

  test('at a new peak, a tenth above the last', async () => {
    const run = simulate({ atPeak: true });
    run.state.heldBytes = 100 * MIB;
    await run.pass(500);
    for (const held of [105, 111, 80, 120, 123]) {
      run.state.heldBytes = held * MIB;
      await run.pass(500);
    }
    // From nothing to 100 MiB, to 111 and to 123.
    expect(run.told).toEqual(['peak', 'peak', 'peak']);
  });

  test('on the signal, until it is closed', () => {
    const run = simulate({ signal: 'SIGUSR2' });
    run.state.handler?.();
    run.state.handler?.();
    run.triggers.close();
    expect(run.state.handler).toBeUndefined();
    expect(run.told).toEqual(['signal', 'signal']);
  });

  test('keep the latest only', () => {
    const run = simulate({ signal: 'SIGUSR2', keep: 3 });
    for (let time = 0; time < 5; time++) run.state.handler?.();
    expect([...run.files]).toEqual(['/profiles/3.heap', '/profiles/4.heap', '/profiles/5.heap']);
  });

  test('end when it is closed, and no timer is left', async () => {
    const run = simulate({ everyMs: 1000 });
    await run.pass(1500);
    run.triggers.close();
    run.triggers.close();
    await run.pass(5000);
    expect(run.told).toEqual(['time']);
    expect(run.timers.size).toBe(0);
  });

  test('without any, there is no timer', async () => {
    const run = simulate({});
    await run.pass(1000);
    expect(run.timers.size).toBe(0);
  });
});

describe('what goes wrong', () => {
  test('is told to who asked', () => {
    const outcomes: CaptureOutcome[] = [];
    const failure: CaptureOutcome = { kind: 'not-written', reason: 'no space left on device (ENOSPC)' };
    const run = simulate({ signal: 'SIGUSR2', onCapture: (outcome) => void outcomes.push(outcome) }, failure);
    run.state.handler?.();
    expect(outcomes).toEqual([failure]);
    expect(run.warnings).toEqual([]);
  });

  test('is warned of once, where nobody did', () => {
    const run = simulate(
      { signal: 'SIGUSR2', onCapture: undefined },
      { kind: 'not-written', reason: 'no space left on device (ENOSPC)' },
    );
    run.state.handler?.();
    run.state.handler?.();
    expect(run.warnings).toEqual(['no heap profile was written: no space left on device (ENOSPC) (told once)']);
  });

  test('in the listener does not end the program', () => {
    const run = simulate({
      signal: 'SIGUSR2',
      onCapture() {
        throw new Error('broken');
      },
    });
    expect(() => run.state.handler?.()).not.toThrow();
    expect(run.warnings).toEqual([expect.stringContaining('broken')]);
  });
});
