import {
  type CaptureFacts,
  FRAME_KINDS,
  type Frame,
  type FrameTable,
  type HeapProfile,
  type ProfileModule,
  type ProfileSamples,
  type StackTable,
} from './heap-profile.js';
import { growArray, mixHash, openInternTable } from './intern-table.js';

/** What is known of a frame; what is left out is not known. */
export type FrameInput = Partial<Frame>;

export interface SampleInput {
  /** A number that `stack` gave. */
  readonly stack: number;
  /** Left out: the sum over all threads. */
  readonly thread?: string | undefined;
  readonly liveObjects: number;
  readonly liveBytes: number;
  /** Left out everywhere: not recorded. Beside samples that have them, left out counts as 0. */
  readonly allocatedObjects?: number | undefined;
  readonly allocatedBytes?: number | undefined;
  readonly sampledObjects?: number | undefined;
}

/** Makes a profile in which each string, frame and stack stands once. */
export interface ProfileBuilder {
  /** The number of a text. */
  string(text: string): number;
  /** The number of a frame: the same for the same content. */
  frame(frame: FrameInput): number;
  /** The number of a stack, the allocating function first: the same for the same frames. */
  stack(frames: ArrayLike<number>): number;
  /** Adds to what this stack has in this thread. */
  sample(sample: SampleInput): void;
  module(module: ProfileModule): void;
  /** The profile so far, which later additions do not change. */
  build(capture: CaptureFacts): HeapProfile;
}

export function openProfileBuilder(): ProfileBuilder {
  const strings: string[] = [''];
  const numbers = new Map([['', 0]]);
  const string = (text: string): number => {
    let number = numbers.get(text);
    if (number === undefined) {
      number = strings.push(text) - 1;
      numbers.set(text, number);
    }
    return number;
  };
  const frames = openFrames(string);
  const stacks = openStacks();
  const samples = openSamples();
  const modules: ProfileModule[] = [];
  return {
    string,
    frame: frames.intern,
    stack: stacks.intern,
    sample: (sample) => samples.add(sample, string(sample.thread ?? '')),
    module: (module) => {
      modules.push(module);
    },
    build: (capture) => ({
      strings: strings.slice(),
      frames: frames.table(),
      stacks: stacks.table(),
      samples: samples.table(),
      modules: modules.slice(),
      capture,
    }),
  };
}

/** Columns of a frame that are numbers or texts. */
const ROW = 7;

function openFrames(string: (text: string) => number): {
  intern(frame: FrameInput): number;
  table(): FrameTable;
} {
  const index = openInternTable();
  let count = 0;
  let address = new Float64Array(16);
  let position = new Int32Array(16);
  let kind = new Uint8Array(16);
  let inlined = new Uint8Array(16);
  /** name, file, module, line, column, functionLine, functionColumn of each frame. */
  let rest = new Uint32Array(16 * ROW);
  const row = new Uint32Array(ROW);
  return {
    intern(frame) {
      row[0] = string(frame.name ?? '');
      row[1] = string(frame.file ?? '');
      row[2] = string(frame.module ?? '');
      row[3] = frame.line ?? 0;
      row[4] = frame.column ?? 0;
      row[5] = frame.functionLine ?? 0;
      row[6] = frame.functionColumn ?? 0;
      const at = frame.address ?? Number.NaN;
      const place = frame.position ?? -1;
      const sort = Math.max(0, FRAME_KINDS.indexOf(frame.kind ?? 'unknown'));
      const inner = frame.inlined ? 1 : 0;
      let hash = mixHash(mixHash(place, at | 0), at / 4294967296);
      for (const value of row) hash = mixHash(hash, value);
      hash = mixHash(hash, sort * 2 + inner);
      const known = index.find(
        hash,
        (other) =>
          Object.is(address[other], at) &&
          position[other] === place &&
          kind[other] === sort &&
          inlined[other] === inner &&
          row.every((value, column) => rest[other * ROW + column] === value),
      );
      if (known >= 0) return known;
      index.add(hash);
      address = growArray(address, count + 1);
      position = growArray(position, count + 1);
      kind = growArray(kind, count + 1);
      inlined = growArray(inlined, count + 1);
      rest = growArray(rest, count * ROW + ROW);
      address[count] = at;
      position[count] = place;
      kind[count] = sort;
      inlined[count] = inner;
      rest.set(row, count * ROW);
      return count++;
    },
    table() {
      const column = (at: number) => Uint32Array.from({ length: count }, (_, frame) => rest[frame * ROW + at]!);
      return {
        count,
        address: address.slice(0, count),
        name: column(0),
        file: column(1),
        line: column(3),
        column: column(4),
        position: position.slice(0, count),
        functionLine: column(5),
        functionColumn: column(6),
        module: column(2),
        kind: kind.slice(0, count),
        inlined: inlined.slice(0, count),
      };
    },
  };
}

function openStacks(): { intern(frames: ArrayLike<number>): number; table(): StackTable } {
  const index = openInternTable();
  let count = 0;
  let offsets = new Uint32Array(16);
  let frames = new Uint32Array(256);
  return {
    intern(stack) {
      const { length } = stack;
      let hash = length;
      for (let at = 0; at < length; at++) hash = mixHash(hash, stack[at]!);
      const known = index.find(hash, (other) => {
        const from = offsets[other]!;
        if (offsets[other + 1]! - from !== length) return false;
        for (let at = 0; at < length; at++) if (frames[from + at] !== stack[at]) return false;
        return true;
      });
      if (known >= 0) return known;
      index.add(hash);
      const from = offsets[count]!;
      frames = growArray(frames, from + length);
      for (let at = 0; at < length; at++) frames[from + at] = stack[at]!;
      offsets = growArray(offsets, count + 2);
      offsets[count + 1] = from + length;
      return count++;
    },
    table: () => ({
      count,
      offsets: offsets.slice(0, count + 1),
      frames: frames.slice(0, offsets[count]),
    }),
  };
}

function openSamples(): { add(sample: SampleInput, thread: number): void; table(): ProfileSamples } {
  const index = openInternTable();
  let count = 0;
  let recordsAllocated = false;
  let stacks = new Uint32Array(16);
  let threads = new Uint32Array(16);
  let liveObjects = new Float64Array(16);
  let liveBytes = new Float64Array(16);
  let allocatedObjects = new Float64Array(16);
  let allocatedBytes = new Float64Array(16);
  let sampledObjects = new Float64Array(16);
  const row = (stack: number, thread: number): number => {
    const hash = mixHash(mixHash(0, stack), thread);
    const known = index.find(hash, (other) => stacks[other] === stack && threads[other] === thread);
    if (known >= 0) return known;
    index.add(hash);
    stacks = growArray(stacks, count + 1);
    threads = growArray(threads, count + 1);
    liveObjects = growArray(liveObjects, count + 1);
    liveBytes = growArray(liveBytes, count + 1);
    allocatedObjects = growArray(allocatedObjects, count + 1);
    allocatedBytes = growArray(allocatedBytes, count + 1);
    sampledObjects = growArray(sampledObjects, count + 1);
    stacks[count] = stack;
    threads[count] = thread;
    return count++;
  };
  return {
    add(sample, thread) {
      const at = row(sample.stack, thread);
      liveObjects[at]! += sample.liveObjects;
      liveBytes[at]! += sample.liveBytes;
      sampledObjects[at]! += sample.sampledObjects ?? Number.NaN;
      if (sample.allocatedObjects === undefined && sample.allocatedBytes === undefined) return;
      recordsAllocated = true;
      allocatedObjects[at]! += sample.allocatedObjects ?? 0;
      allocatedBytes[at]! += sample.allocatedBytes ?? 0;
    },
    table: () => ({
      count,
      stack: stacks.slice(0, count),
      thread: threads.slice(0, count),
      liveObjects: liveObjects.slice(0, count),
      liveBytes: liveBytes.slice(0, count),
      allocatedObjects: recordsAllocated ? allocatedObjects.slice(0, count) : undefined,
      allocatedBytes: recordsAllocated ? allocatedBytes.slice(0, count) : undefined,
      sampledObjects: sampledObjects.slice(0, count),
    }),
  };
}
