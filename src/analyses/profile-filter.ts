import { frameName } from '../model/frame-names.js';
import { type Frame, frameAt, type HeapProfile, stackFrames } from '../model/heap-profile.js';
import { type FrameInput, openProfileBuilder } from '../model/heap-profile-builder.js';

/** What of a profile is looked at; the words are pprof's. A pattern is compared with a frame's function, file and module. */
export interface ProfileFilter {
  /** Only stacks with such a frame. */
  readonly focus?: RegExp | undefined;
  /** No stack with such a frame. */
  readonly ignore?: RegExp | undefined;
  /** Stacks without such frames: their bytes go to whoever called them. */
  readonly hide?: RegExp | undefined;
  /** Stacks with such frames only. */
  readonly show?: RegExp | undefined;
  /** Only what this thread allocated. */
  readonly thread?: string | undefined;
}

/** Stands for a stack of which no frame is shown, so that no byte is lost. */
const HIDDEN: FrameInput = { name: '(hidden)', kind: 'marker' };

function matches(pattern: RegExp | undefined, frames: readonly (readonly string[])[]): Uint8Array | undefined {
  if (!pattern) return undefined;
  return Uint8Array.from(frames, (texts) => (texts.some((text) => text !== '' && pattern.test(text)) ? 1 : 0));
}

/** The part of a profile that the filter leaves. Without `focus`, `ignore` and `thread` the sums stay what they were. */
export function filterProfile(profile: HeapProfile, filter: ProfileFilter): HeapProfile {
  const { focus, ignore, hide, show, thread } = filter;
  if (!focus && !ignore && !hide && !show && thread === undefined) return profile;
  const { samples, stacks, strings } = profile;
  const facts = Array.from({ length: profile.frames.count }, (_, frame): Frame => frameAt(profile, frame));
  const texts = facts.map((frame) => [frameName(frame, profile.modules), frame.file, frame.module]);
  const [focused, ignored, hidden, shown] = [focus, ignore, hide, show].map((pattern) => matches(pattern, texts));
  const builder = openProfileBuilder();
  const numbers = new Int32Array(facts.length).fill(-1);
  const frameOf = (frame: number) => {
    if (numbers[frame] === -1) numbers[frame] = builder.frame(facts[frame]!);
    return numbers[frame]!;
  };
  /** -1: dropped; -2: not looked at yet. */
  const kept = new Int32Array(stacks.count).fill(-2);
  const keep = (stack: number) => {
    const frames = stackFrames(profile, stack);
    if (focused && !frames.some((frame) => focused[frame] === 1)) return -1;
    if (ignored && frames.some((frame) => ignored[frame] === 1)) return -1;
    const left = frames.filter((frame) => hidden?.[frame] !== 1 && shown?.[frame] !== 0);
    if (left.length === 0 && frames.length > 0) return builder.stack([builder.frame(HIDDEN)]);
    return builder.stack(left.map(frameOf));
  };
  for (let sample = 0; sample < samples.count; sample++) {
    const name = strings[samples.thread[sample]!]!;
    if (thread !== undefined && name !== thread) continue;
    const stack = samples.stack[sample]!;
    if (kept[stack] === -2) kept[stack] = keep(stack);
    if (kept[stack] === -1) continue;
    builder.sample({
      stack: kept[stack]!,
      thread: name,
      liveObjects: samples.liveObjects[sample]!,
      liveBytes: samples.liveBytes[sample]!,
      allocatedObjects: samples.allocatedObjects?.[sample],
      allocatedBytes: samples.allocatedBytes?.[sample],
      sampledObjects: samples.sampledObjects[sample],
    });
  }
  for (const module of profile.modules) builder.module(module);
  return builder.build(profile.capture);
}
