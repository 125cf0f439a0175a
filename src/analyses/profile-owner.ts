import { APPLICATION, packageOf } from '../model/frame-names.js';
import { FRAME_KINDS, type FrameKind, frameAt, type HeapProfile } from '../model/heap-profile.js';

/** Whom memory is put down to, the best first. */
const RANKS: readonly (readonly FrameKind[])[] = [
  ['javascript', 'interpreted', 'wasm'],
  ['native'],
  ['node-javascript'],
  ['marker'],
  ['node'],
  ['unknown'],
  ['v8'],
  ['libc', 'allocator'],
];

const RANK_OF = FRAME_KINDS.map((kind) => RANKS.findIndex((kinds) => kinds.includes(kind)));

/**
 * The frame of each stack that its memory is put down to: the nearest JavaScript function of the application or of a package; without one
 * the nearest native function that is neither Node's, V8's nor the C library's. -1 for a stack without frames.
 */
export function ownerFrames({ stacks, frames }: HeapProfile): Int32Array {
  const owners = new Int32Array(stacks.count).fill(-1);
  for (let stack = 0; stack < stacks.count; stack++) {
    let best = RANKS.length;
    for (let at = stacks.offsets[stack]!; at < stacks.offsets[stack + 1]! && best > 0; at++) {
      const frame = stacks.frames[at]!;
      const rank = RANK_OF[frames.kind[frame]!]!;
      if (rank >= best) continue;
      best = rank;
      owners[stack] = frame;
    }
  }
  return owners;
}

/** The nearest frame of each stack that is the application's own JavaScript; -1: none. */
export function applicationFrames(profile: HeapProfile): Int32Array {
  const { stacks, frames } = profile;
  const mine = new Uint8Array(frames.count);
  for (let frame = 0; frame < frames.count; frame++) {
    const facts = frameAt(profile, frame);
    mine[frame] = RANKS[0]!.includes(facts.kind) && packageOf(facts) === APPLICATION ? 1 : 0;
  }
  return Int32Array.from({ length: stacks.count }, (_, stack) => {
    for (let at = stacks.offsets[stack]!; at < stacks.offsets[stack + 1]!; at++) {
      const frame = stacks.frames[at]!;
      if (mine[frame] === 1) return frame;
    }
    return -1;
  });
}
