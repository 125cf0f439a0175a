/** What a frame is, for colours and groups. The order is that of the codes in `FrameTable.kind`. */
export const FRAME_KINDS = [
  /** Not told: no symbol, no mapping. */
  'unknown',
  /** JavaScript of the application and of its packages. */
  'javascript',
  /** JavaScript of Node.js itself (`node:…`). */
  'node-javascript',
  /** A native add-on or any other library or program. */
  'native',
  /** C++ of the node executable that is not V8's. */
  'node',
  'v8',
  /** The C and C++ runtimes. */
  'libc',
  /** malloc and its like. */
  'allocator',
  /** WebAssembly. */
  'wasm',
  /** A function of another language that a perf map named: Python, Java, Ruby. */
  'interpreted',
  /** No code: says something of the frames below it, such as `(thread pool)` or `(asynchronous)`. */
  'marker',
] as const;

export type FrameKind = (typeof FRAME_KINDS)[number];

/** Frames, each once. `string` numbers are indices of `HeapProfile.strings`, where 0 is the empty string: not known. */
export interface FrameTable {
  readonly count: number;
  /** The address as the profile has it; NaN where it has none. Below 2^53 always, so exact. */
  readonly address: Float64Array;
  /** string */
  readonly name: Uint32Array;
  /** string: the source file; a path, a URL or `node:fs`. */
  readonly file: Uint32Array;
  /** The line of the call, from 1; 0: not known. */
  readonly line: Uint32Array;
  /** From 1; 0: not known. */
  readonly column: Uint32Array;
  /** The call's character position in the script, from 0, where a capture tells no line; -1: not known. */
  readonly position: Int32Array;
  /** The line where the function begins, from 1; 0: not known. */
  readonly functionLine: Uint32Array;
  /** The column on that line, from 1; 0: not known. V8's functions begin at their parameters, behind the name. */
  readonly functionColumn: Uint32Array;
  /** string: the path of the executable or library. */
  readonly module: Uint32Array;
  /** Code of FRAME_KINDS. */
  readonly kind: Uint8Array;
  /** 1: the compiler put the function's code into its caller, the frame after it. */
  readonly inlined: Uint8Array;
}

/** Stacks, each once, the allocating function first. Stack `i` is `frames[offsets[i]]` to `frames[offsets[i + 1] - 1]`. */
export interface StackTable {
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly frames: Uint32Array;
}

/**
 * Values by stack (and thread), estimates of all allocations: what was sampled is divided by the chance it had to be, per stack. Undefined
 * columns were not recorded.
 */
export interface ProfileSamples {
  readonly count: number;
  readonly stack: Uint32Array;
  /** string: the thread's name or number; empty for the sum over all threads. */
  readonly thread: Uint32Array;
  /** Still held at the moment of the profile. */
  readonly liveObjects: Float64Array;
  readonly liveBytes: Float64Array;
  /** Ever allocated since profiling began or was reset (`prof_accum:true`). */
  readonly allocatedObjects: Float64Array | undefined;
  readonly allocatedBytes: Float64Array | undefined;
  /** How many sampled objects `liveObjects` stands on: the estimate's relative error is about 1/√n. NaN where the format does not tell. */
  readonly sampledObjects: Float64Array;
}

/** A file that was mapped into the profiled process. Addresses are below 2^53. */
export interface ProfileModule {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly fileOffset: number;
  /** Lower-case hex. */
  readonly buildId: string | undefined;
}

/** One size class at the moment of the profile (jemalloc's `stats.arenas.<all>.bins.<j>`). */
export interface SizeClassUse {
  readonly sizeBytes: number;
  readonly slabBytes: number;
  readonly regionsPerSlab: number;
  readonly regionsInUse: number;
  readonly slabs: number;
}

/** Where a profile comes from. What its format does not tell is undefined. */
export interface CaptureFacts {
  /** `jemalloc heap_v2`, `pprof`, `collapsed`, … */
  readonly format: string;
  readonly takenAtMs: number | undefined;
  /** How long allocations were counted, for profiles that have such a time. */
  readonly durationMs: number | undefined;
  readonly pid: number | undefined;
  readonly program: string | undefined;
  readonly nodeVersion: string | undefined;
  readonly jemallocVersion: string | undefined;
  /** The mean distance between two samples; undefined: every allocation, or not known. */
  readonly sampleBytes: number | undefined;
  /** Who walked the stacks; `jemalloc` has no JavaScript frames. */
  readonly unwinder: 'jemkit' | 'jemalloc' | undefined;
  /** `stats.allocated` and so on, by mallctl name, at the same moment. */
  readonly statistics: Readonly<Record<string, number>> | undefined;
  readonly sizeClasses: readonly SizeClassUse[] | undefined;
  /** What a reader of the numbers must know: truncated stacks, frames without names. Whole sentences. */
  readonly notes: readonly string[];
}

/** The facts of a capture of which nothing is known. */
export const UNKNOWN_CAPTURE: CaptureFacts = {
  format: '',
  takenAtMs: undefined,
  durationMs: undefined,
  pid: undefined,
  program: undefined,
  nodeVersion: undefined,
  jemallocVersion: undefined,
  sampleBytes: undefined,
  unwinder: undefined,
  statistics: undefined,
  sizeClasses: undefined,
  notes: [],
};

/** A heap profile: which stacks hold how much memory. */
export interface HeapProfile {
  readonly strings: readonly string[];
  readonly frames: FrameTable;
  readonly stacks: StackTable;
  readonly samples: ProfileSamples;
  readonly modules: readonly ProfileModule[];
  readonly capture: CaptureFacts;
}

/** A frame as one reads it. */
export interface Frame {
  /** Empty where it is not known. */
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** -1: none. */
  readonly position: number;
  readonly functionLine: number;
  readonly functionColumn: number;
  readonly module: string;
  readonly kind: FrameKind;
  readonly inlined: boolean;
  /** NaN: none. */
  readonly address: number;
}

export function frameAt(profile: HeapProfile, frame: number): Frame {
  const { strings, frames } = profile;
  const text = (column: Uint32Array) => strings[column[frame] ?? 0] ?? '';
  return {
    name: text(frames.name),
    file: text(frames.file),
    line: frames.line[frame] ?? 0,
    column: frames.column[frame] ?? 0,
    position: frames.position[frame] ?? -1,
    functionLine: frames.functionLine[frame] ?? 0,
    functionColumn: frames.functionColumn[frame] ?? 0,
    module: text(frames.module),
    kind: FRAME_KINDS[frames.kind[frame] ?? 0] ?? 'unknown',
    inlined: frames.inlined[frame] === 1,
    address: frames.address[frame] ?? Number.NaN,
  };
}

/** The frames of one stack, the allocating function first: a view, not a copy. */
export function stackFrames({ stacks }: HeapProfile, stack: number): Uint32Array {
  return stacks.frames.subarray(stacks.offsets[stack], stacks.offsets[stack + 1]);
}
