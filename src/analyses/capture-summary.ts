import { FRAME_KINDS, type HeapProfile } from '../model/heap-profile.js';

/** A capture in a few numbers. */
export interface CaptureSummary {
  readonly liveBytes: number;
  readonly liveObjects: number;
  /** How many sampled objects that stands on; undefined where the format does not tell. */
  readonly sampledObjects: number | undefined;
  readonly stacks: number;
  /** Of the live bytes, those whose stack has a function of JavaScript with a name, from 0 to 1; undefined where there is nothing. */
  readonly javascriptShare: number | undefined;
  /** Of the live bytes, those whose allocating function has a name: the innermost that is of no runtime library. */
  readonly namedShare: number | undefined;
  readonly sampleBytes: number | undefined;
  readonly unwinder: 'jemkit' | 'jemalloc' | undefined;
  readonly notes: readonly string[];
}

const code = (kind: (typeof FRAME_KINDS)[number]) => FRAME_KINDS.indexOf(kind);

/** Adds a profile up. */
export function summarizeCapture({ frames, stacks, samples, capture }: HeapProfile): CaptureSummary {
  const javascript = [code('javascript'), code('node-javascript')];
  const runtime = [code('allocator'), code('libc'), code('marker')];
  const isNamed = (frame: number) => (frames.name[frame] ?? 0) !== 0;
  const kindOf = (frame: number) => frames.kind[frame] ?? 0;
  const has = Array.from({ length: stacks.count }, (_, stack) => {
    const own = stacks.frames.subarray(stacks.offsets[stack], stacks.offsets[stack + 1]);
    return {
      javascript: own.some((frame) => isNamed(frame) && javascript.includes(kindOf(frame))),
      name: isNamed(own.find((frame) => !runtime.includes(kindOf(frame))) ?? own[0] ?? -1),
    };
  });
  let [liveBytes, liveObjects, sampledObjects, javascriptBytes, namedBytes] = [0, 0, 0, 0, 0];
  for (let sample = 0; sample < samples.count; sample++) {
    const bytes = samples.liveBytes[sample] ?? 0;
    const stack = has[samples.stack[sample] ?? 0];
    liveBytes += bytes;
    liveObjects += samples.liveObjects[sample] ?? 0;
    sampledObjects += samples.sampledObjects[sample] ?? Number.NaN;
    if (stack?.javascript) javascriptBytes += bytes;
    if (stack?.name) namedBytes += bytes;
  }
  return {
    liveBytes,
    liveObjects,
    sampledObjects: Number.isNaN(sampledObjects) ? undefined : sampledObjects,
    stacks: stacks.count,
    javascriptShare: liveBytes > 0 ? javascriptBytes / liveBytes : undefined,
    namedShare: liveBytes > 0 ? namedBytes / liveBytes : undefined,
    sampleBytes: capture.sampleBytes,
    unwinder: capture.unwinder,
    notes: capture.notes,
  };
}
