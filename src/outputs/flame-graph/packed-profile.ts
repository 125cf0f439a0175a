import type { FrameKind } from '../../model/heap-profile.js';

/** What can be summed. The last says how many sampled objects the others stand on. */
export const VALUE_COLUMNS = [
  'liveBytes',
  'liveObjects',
  'allocatedBytes',
  'allocatedObjects',
  'sampledObjects',
] as const;

export type ValueColumn = (typeof VALUE_COLUMNS)[number];

/** What widths can show. */
export type Metric = Exclude<ValueColumn, 'sampledObjects'>;

/** Frames as a reader tells them apart. Texts are indices of `strings`, where 0 is the empty string. */
export interface PackedFrames {
  /** Empty where there is no symbol. */
  readonly name: readonly number[];
  /** What stands for the name where there is none: `libfoo.so+0x12f0`. */
  readonly place: readonly number[];
  readonly file: readonly number[];
  /** 0: not known. */
  readonly line: readonly number[];
  /** 0: not known. */
  readonly functionLine: readonly number[];
  readonly module: readonly number[];
  readonly group: readonly number[];
  /** Code of FRAME_KINDS. */
  readonly kind: readonly number[];
  readonly inlined: readonly number[];
}

/** All stacks from their roots, each beginning once, in preorder. Node 0 is the root, above all frames. */
export interface StackForest {
  readonly count: number;
  /** Of node 0: 0, without meaning. */
  readonly frame: Uint32Array;
  /** Of node 0: 0. */
  readonly parent: Uint32Array;
  /** One past the last node below this one. */
  readonly end: Uint32Array;
}

/** Values of stacks, by the node where each ends, in order of nodes. A column that was not recorded is undefined. */
export interface PackedRows {
  readonly count: number;
  readonly node: Uint32Array;
  /** string */
  readonly thread: Uint32Array;
  readonly columns: Readonly<Record<ValueColumn, Float64Array | undefined>>;
}

/** A profile, or two to be compared, as the report carries it. */
export interface PackedProfile {
  readonly strings: readonly string[];
  readonly frames: PackedFrames;
  readonly forest: StackForest;
  readonly now: PackedRows;
  readonly base: PackedRows | undefined;
}

/** How a reader calls a kind of frame. */
export const KIND_NAMES: Readonly<Record<FrameKind, string>> = {
  unknown: 'unknown',
  javascript: 'JavaScript',
  'node-javascript': 'Node.js JavaScript',
  native: 'native add-on',
  node: 'Node.js C++',
  v8: 'V8',
  libc: 'libc',
  allocator: 'allocator',
  wasm: 'WebAssembly',
  interpreted: 'interpreted',
  marker: 'marker',
};
