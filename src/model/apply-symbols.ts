import { type Frame, frameAt, type HeapProfile } from './heap-profile.js';
import { type FrameInput, openProfileBuilder } from './heap-profile-builder.js';
import { growArray } from './intern-table.js';

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

/** Frames that may come into the new profile, with what a stack's beginning is judged by. */
interface Candidates {
  readonly inputs: FrameInput[];
  /** 1: the allocator's; 2: one behind which nothing is. */
  sides: Uint8Array;
  /** In the new profile, from 1; 0: not in it yet, since frames that are in no stack do not come into it. */
  numbers: Uint32Array;
}

const ALLOCATOR = 1;
const PROGRAM = 2;

function addCandidate(candidates: Candidates, input: FrameInput): number {
  const at = candidates.inputs.push(input) - 1;
  candidates.sides = growArray(candidates.sides, at + 1);
  candidates.numbers = growArray(candidates.numbers, at + 1);
  if (input.kind === 'allocator') candidates.sides[at] = ALLOCATOR;
  else if (input.kind !== undefined && PROGRAM_KINDS.includes(input.kind)) candidates.sides[at] = PROGRAM;
  return at;
}

/** The candidates in place of each frame: they follow one another, so the first and their count tell them. */
interface Replacements {
  /** From 1; 0: not looked up yet. */
  readonly first: Uint32Array;
  readonly count: Uint32Array;
  lookUp(frame: number): void;
}

function openReplacements(
  profile: HeapProfile,
  resolve: SymbolResolution['asLeaf'],
  candidates: Candidates,
): Replacements {
  const first = new Uint32Array(profile.frames.count);
  const count = new Uint32Array(profile.frames.count);
  return {
    first,
    count,
    lookUp(frame) {
      const inputs = resolve(frame) ?? [frameAt(profile, frame)];
      first[frame] = candidates.inputs.length + 1;
      count[frame] = inputs.length;
      for (const input of inputs) addCandidate(candidates, input);
    },
  };
}

/** How many frames at the leaf's end are the allocator's own: up to the last one of it, however it got there; all but one at most. */
function allocatorFrames(stack: Uint32Array, length: number, { sides }: Candidates): number {
  let leading = 0;
  for (let at = 0; at < length; at++) {
    const side = sides[stack[at]!]!;
    if (side === PROGRAM) break;
    if (side === ALLOCATOR) leading = at + 1;
  }
  return Math.max(0, Math.min(leading, length - 1));
}

/** Gives each stack its number in the new profile. Stacks have millions of frames, so each is an index into typed arrays. */
function replaceStacks(
  profile: HeapProfile,
  { asLeaf, asCaller }: SymbolResolution,
  builder: ReturnType<typeof openProfileBuilder>,
): Uint32Array {
  const candidates: Candidates = { inputs: [], sides: new Uint8Array(1024), numbers: new Uint32Array(1024) };
  const leaf = openReplacements(profile, asLeaf, candidates);
  const caller = openReplacements(profile, asCaller, candidates);
  const { offsets, frames, count } = profile.stacks;
  const stacks = new Uint32Array(count);
  let scratch = new Uint32Array(1024);
  for (let stack = 0; stack < count; stack++) {
    const from = offsets[stack]!;
    const to = offsets[stack + 1]!;
    let length = 0;
    for (let at = from; at < to; at++) {
      const frame = frames[at]!;
      const table = at === from ? leaf : caller;
      if (table.first[frame] === 0) table.lookUp(frame);
      const candidate = table.first[frame]! - 1;
      const more = table.count[frame]!;
      if (length + more > scratch.length) scratch = growArray(scratch, length + more);
      for (let next = 0; next < more; next++) scratch[length++] = candidate + next;
    }
    const start = allocatorFrames(scratch, length, candidates);
    const { numbers, inputs } = candidates;
    for (let at = start; at < length; at++) {
      const candidate = scratch[at]!;
      if (numbers[candidate] === 0) numbers[candidate] = builder.frame(inputs[candidate]!) + 1;
      scratch[at] = numbers[candidate]! - 1;
    }
    stacks[stack] = builder.stack(scratch.subarray(start, length));
  }
  return stacks;
}

/**
 * The same profile with other frames: names in place of addresses. What the allocator itself adds to the leaf's end of each stack is
 * dropped, and stacks that have become the same are joined.
 */
export function applySymbols(profile: HeapProfile, resolution: SymbolResolution): HeapProfile {
  const builder = openProfileBuilder();
  const stacks = replaceStacks(profile, resolution, builder);
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
