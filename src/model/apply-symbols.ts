import { type Frame, frameAt, type HeapProfile } from './heap-profile.js';
import { type FrameInput, openProfileBuilder, type ProfileBuilder } from './heap-profile-builder.js';
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

/** Whether a frame is the allocator's, or the program's so that none behind it is. */
const OTHER = 0;
const ALLOCATOR = 1;
const PROGRAM = 2;

function sideOf(kind: Frame['kind'] | undefined): number {
  if (kind === 'allocator') return ALLOCATOR;
  return kind !== undefined && PROGRAM_KINDS.includes(kind) ? PROGRAM : OTHER;
}

/** What stands in place of each frame, looked up once: stacks have the same frames over and over. */
interface Replacements {
  /** Writes what stands for the frame behind the first `length` numbers of `into`, and gives the new length. */
  put(frame: number, into: Uint32Array, length: number): number;
  /** How much room the frame needs at most. */
  readonly longest: () => number;
}

/** Frames that may become part of the profile: those that are in no stack in the end do not. */
function openInputs(builder: ProfileBuilder) {
  const inputs: FrameInput[] = [];
  let sides = new Uint8Array(1024);
  /** Number in the profile, from 1; 0: none yet. */
  let numbers = new Uint32Array(1024);
  return {
    add(input: FrameInput): number {
      const at = inputs.push(input) - 1;
      sides = growArray(sides, at + 1);
      numbers = growArray(numbers, at + 1);
      sides[at] = sideOf(input.kind);
      return at;
    },
    /** How many frames at the leaf's end are the allocator's own: up to the last one of it, however it got there; all but one at most. */
    allocatorFrames(stack: Uint32Array, length: number): number {
      let leading = 0;
      for (let at = 0; at < length; at++) {
        const side = sides[stack[at]!]!;
        if (side === PROGRAM) break;
        if (side === ALLOCATOR) leading = at + 1;
      }
      return Math.max(0, Math.min(leading, length - 1));
    },
    /** Puts the profile's numbers in place of a stack's inputs. */
    intern(stack: Uint32Array, from: number, to: number): void {
      for (let at = from; at < to; at++) {
        const input = stack[at]!;
        if (numbers[input] === 0) numbers[input] = builder.frame(inputs[input]!) + 1;
        stack[at] = numbers[input]! - 1;
      }
    },
  };
}

function openReplacements(
  profile: HeapProfile,
  resolve: SymbolResolution['asLeaf'],
  add: (input: FrameInput) => number,
): Replacements {
  /** The first of a frame's inputs, which have consecutive numbers, from 1; 0: not looked up yet. */
  const first = new Uint32Array(profile.frames.count);
  const counts = new Uint32Array(profile.frames.count);
  let longest = 1;
  const lookUp = (frame: number) => {
    const inputs = resolve(frame) ?? [frameAt(profile, frame)];
    const numbers = inputs.map(add);
    counts[frame] = numbers.length;
    first[frame] = (numbers[0] ?? 0) + 1;
    longest = Math.max(longest, numbers.length);
  };
  return {
    put(frame, into, length) {
      if (first[frame] === 0) lookUp(frame);
      const from = first[frame]! - 1;
      const count = counts[frame]!;
      for (let at = 0; at < count; at++) into[length + at] = from + at;
      return length + count;
    },
    longest: () => longest,
  };
}

/**
 * The same profile with other frames: names in place of addresses. What the allocator itself adds to the leaf's end of each stack is
 * dropped, and stacks that have become the same are joined.
 */
export function applySymbols(profile: HeapProfile, resolution: SymbolResolution): HeapProfile {
  const builder = openProfileBuilder();
