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
 * Functions that allocate for whoever calls them, and say nothing of what for: `zmalloc`, `_PyObject_Malloc`, `os::malloc`, `g_strdup`, `operator new`. Java's
 * `Interpreter` is all of its code that is not compiled.
 */
const FOR_OTHERS =
  /(^|[^a-z])[a-z]{0,3}(malloc|calloc|realloc|zalloc|memalign|aligned_alloc|strn?dup|memdup)(0|_[a-z]{1,12})?$|^operator new|^AllocateHeap$|^(Interpreter|StubRoutines)\b/i;

/** Such functions come after all others of their kind. */
const AFTER = 0.5;

function rankFrames({ frames, strings }: HeapProfile): Float32Array {
  return Float32Array.from(frames.kind, (kind, frame) => {
    const rank = RANK_OF[kind]!;
    const name = strings[frames.name[frame]!]!;
    return FOR_OTHERS.test(name.replace(/\(.*$/s, '')) ? rank + AFTER : rank;
  });
}

/**
 * The frame of each stack that its memory is put down to: the nearest JavaScript function of the application or of a package; without one
 * the nearest native function that is neither Node's, V8's nor the C library's, and that does not just allocate for others. -1 for a stack without frames.
 */
export function ownerFrames(profile: HeapProfile): Int32Array {
  const { stacks } = profile;
  const ranks = rankFrames(profile);
  const owners = new Int32Array(stacks.count).fill(-1);
  for (let stack = 0; stack < stacks.count; stack++) {
    let best = RANKS.length;
    for (let at = stacks.offsets[stack]!; at < stacks.offsets[stack + 1]! && best > 0; at++) {
      const frame = stacks.frames[at]!;
      const rank = ranks[frame]!;
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
