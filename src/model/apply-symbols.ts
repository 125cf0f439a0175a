import { type Frame, frameAt, type HeapProfile, stackFrames } from './heap-profile.js';
import { type FrameInput, openProfileBuilder } from './heap-profile-builder.js';

/** What stands in a profile in place of a frame: the frame itself, and in front of it what the compiler put into it. */
export interface SymbolResolution {
  /** Where the frame allocates. Undefined: it stays as it is. */
  readonly asLeaf: (frame: number) => readonly FrameInput[] | undefined;
  /** Where it called another. */
  readonly asCaller: (frame: number) => readonly FrameInput[] | undefined;
  readonly notes: readonly string[];
}

/** Frames through which a program never asks for memory from inside the allocator. */
const PROGRAM_KINDS: readonly Frame['kind'][] = ['javascript', 'node-javascript', 'wasm', 'interpreted', 'marker'];

/** How many frames at the leaf's end are the allocator's own: up to the last one of it, however it got there; all but one at most. */
function allocatorFrames(stack: readonly FrameInput[]): number {
  let leading = 0;
  for (const [at, { kind }] of stack.entries()) {
    if (kind && PROGRAM_KINDS.includes(kind)) break;
    if (kind === 'allocator') leading = at + 1;
  }
  return Math.min(leading, stack.length - 1);
}

/**
 * The same profile with other frames: names in place of addresses. What the allocator itself adds to the leaf's end of each stack is
 * dropped, and stacks that have become the same are joined.
 */
export function applySymbols(profile: HeapProfile, resolution: SymbolResolution): HeapProfile {
  const builder = openProfileBuilder();
  const cached = (resolve: SymbolResolution['asLeaf']) => {
    const known = new Map<number, readonly FrameInput[]>();
    return (frame: number): readonly FrameInput[] => {
      let frames = known.get(frame);
      if (!frames) {
        frames = resolve(frame) ?? [frameAt(profile, frame)];
        known.set(frame, frames);
      }
      return frames;
    };
  };
  const leaf = cached(resolution.asLeaf);
  const caller = cached(resolution.asCaller);
  const numbers = new Map<FrameInput, number>();
  const numberOf = (frame: FrameInput): number => {
    let number = numbers.get(frame);
    if (number === undefined) {
      number = builder.frame(frame);
      numbers.set(frame, number);
    }
    return number;
  };

  const stacks = new Uint32Array(profile.stacks.count);
  for (let stack = 0; stack < stacks.length; stack++) {
    const frames: FrameInput[] = [];
    for (const [at, frame] of stackFrames(profile, stack).entries()) {
      for (const one of at === 0 ? leaf(frame) : caller(frame)) frames.push(one);
    }
    stacks[stack] = builder.stack(frames.slice(Math.max(0, allocatorFrames(frames))).map(numberOf));
  }

  const { samples, strings } = profile;
  for (let sample = 0; sample < samples.count; sample++) {
    builder.sample({
      stack: stacks[samples.stack[sample]!]!,
      thread: strings[samples.thread[sample]!],
      liveObjects: samples.liveObjects[sample]!,
      liveBytes: samples.liveBytes[sample]!,
      allocatedObjects: samples.allocatedObjects?.[sample],
      allocatedBytes: samples.allocatedBytes?.[sample],
      sampledObjects: samples.sampledObjects[sample],
    });
  }
  for (const module of profile.modules) builder.module(module);
  const { capture } = profile;
  const added = resolution.notes.filter((note) => !capture.notes.includes(note));
  return builder.build({ ...capture, notes: [...capture.notes, ...added] });
}
