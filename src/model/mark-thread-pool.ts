import { type Frame, frameAt, type HeapProfile, stackFrames } from './heap-profile.js';
import { openProfileBuilder } from './heap-profile-builder.js';
import { growArray } from './intern-table.js';

/** What the stacks of libuv's pool end in. */
export const THREAD_POOL = '(thread pool)';

/** What the C library has below a thread's first function: `start_thread` and `clone`, with or without symbols. */
const MOST_START_FRAMES = 3;

const isLibuv = ({ name, kind, module }: Frame) =>
  name === 'worker' && (kind === 'node' || /(?:^|\/)libuv\.so[.\d]*$/.test(module));

const isJavascript = ({ kind }: Frame) => kind === 'javascript' || kind === 'node-javascript';
/** Says where the work comes from: `(asynchronous)`, or this module's own. */
const isMark = ({ kind }: Frame) => kind === 'marker';

interface PoolStacks {
  /** By stack: it begins where libuv's pool has its threads begin. */
  readonly beginsInPool: Uint8Array;
  /** By stack: it tells already where its work comes from. */
  readonly isTold: Uint8Array;
  /** By stack: of a thread that runs JavaScript. */
  readonly runsJavascript: Uint8Array;
}

function findPoolStacks(profile: HeapProfile): PoolStacks | undefined {
  const { frames, stacks } = profile;
  const read = Array.from({ length: frames.count }, (_, frame) => frameAt(profile, frame));
  const workers = Uint8Array.from(read, (frame) => (isLibuv(frame) ? 1 : 0));
  if (!workers.includes(1)) return undefined;
  const libc = Uint8Array.from(read, ({ kind }) => (kind === 'libc' ? 1 : 0));
  const marks = Uint8Array.from(read, (frame) => (isMark(frame) ? 1 : 0));
  const scripts = Uint8Array.from(read, (frame) => (isJavascript(frame) ? 1 : 0));
  const found: PoolStacks = {
    beginsInPool: new Uint8Array(stacks.count),
    isTold: new Uint8Array(stacks.count),
    runsJavascript: new Uint8Array(stacks.count),
  };
  for (let stack = 0; stack < stacks.count; stack++) {
    const own = stackFrames(profile, stack);
    const isMarked = own.some((frame) => marks[frame] === 1);
    const hasJavascript = own.some((frame) => scripts[frame] === 1);
    found.isTold[stack] = isMarked || hasJavascript ? 1 : 0;
    found.runsJavascript[stack] = hasJavascript && !isMarked ? 1 : 0;
    let outermost = own.length - 1;
    while (outermost > 0 && own.length - outermost <= MOST_START_FRAMES && libc[own[outermost]!] === 1) outermost--;
    found.beginsInPool[stack] = workers[own[outermost] ?? -1] ?? 0;
  }
  return found;
}

/** Threads, by string, that are the pool's for as long as they live. A name may be that of several, so not where JavaScript runs too. */
function findPoolThreads({ samples }: HeapProfile, { beginsInPool, runsJavascript }: PoolStacks): ReadonlySet<number> {
  const threads = new Set<number>();
  for (let at = 0; at < samples.count; at++)
    if (samples.thread[at] !== 0 && beginsInPool[samples.stack[at]!] === 1) threads.add(samples.thread[at]!);
  for (let at = 0; at < samples.count; at++)
    if (runsJavascript[samples.stack[at]!] === 1) threads.delete(samples.thread[at]!);
  return threads;
}

/**
 * Has stacks of libuv's thread pool end in a frame `(thread pool)`, behind the one that is outermost. A stack is one where its outermost function says so; where
 * the walk did not reach that, through libraries without unwind tables, its thread may: one that has been the pool's is nobody else's. Stacks whose asker is known stay
 * as they are.
 *
 * @param profile with symbols.
 */
export function markThreadPool(profile: HeapProfile): HeapProfile {
  const found = findPoolStacks(profile);
  if (!found) return profile;
  const threads = findPoolThreads(profile, found);
  const builder = openProfileBuilder();
  const { samples, strings, stacks } = profile;
  const frames = Uint32Array.from({ length: profile.frames.count }, (_, frame) =>
    builder.frame(frameAt(profile, frame)),
  );
  const pool = builder.frame({ name: THREAD_POOL, kind: 'marker' });
  // By stack, from 1: as it was, and with the mark.
  const plain = new Uint32Array(stacks.count);
  const marked = new Uint32Array(stacks.count);
  let scratch = new Uint32Array(256);
  const numberOf = (stack: number, isMarked: boolean): number => {
    const numbers = isMarked ? marked : plain;
    if (numbers[stack] === 0) {
      const own = stackFrames(profile, stack);
      scratch = growArray(scratch, own.length + 1);
      for (let at = 0; at < own.length; at++) scratch[at] = frames[own[at]!]!;
      scratch[own.length] = pool;
      numbers[stack] = builder.stack(scratch.subarray(0, own.length + (isMarked ? 1 : 0))) + 1;
    }
    return numbers[stack]! - 1;
  };
  for (let at = 0; at < samples.count; at++) {
    const stack = samples.stack[at]!;
    const isPool = found.beginsInPool[stack] === 1 || threads.has(samples.thread[at]!);
    builder.sample({
      stack: numberOf(stack, isPool && found.isTold[stack] === 0),
      thread: strings[samples.thread[at]!],
      liveObjects: samples.liveObjects[at]!,
      liveBytes: samples.liveBytes[at]!,
      allocatedObjects: samples.allocatedObjects?.[at],
      allocatedBytes: samples.allocatedBytes?.[at],
      sampledObjects: samples.sampledObjects[at],
    });
  }
  for (const module of profile.modules) builder.module(module);
  return builder.build(profile.capture);
}
