import { frameName } from '../model/frame-names.js';
import { type CaptureFacts, frameAt, type HeapProfile, stackFrames, UNKNOWN_CAPTURE } from '../model/heap-profile.js';
import { openProfileBuilder } from '../model/heap-profile-builder.js';

/** Times what a profile's values are taken. */
interface Part {
  readonly profile: HeapProfile;
  readonly factor: number;
}

/** Frames have the same number when their names are the same: addresses differ from run to run, so they are left out. */
function sumProfiles(parts: readonly Part[], capture: CaptureFacts): HeapProfile {
  const builder = openProfileBuilder();
  for (const { profile, factor } of parts) {
    const { samples, stacks, strings } = profile;
    const frames = Uint32Array.from({ length: profile.frames.count }, (_, number) => {
      const frame = frameAt(profile, number);
      return builder.frame({ ...frame, name: frameName(frame, profile.modules), address: Number.NaN, position: -1 });
    });
    const numbers = Uint32Array.from({ length: stacks.count }, (_, stack) =>
      builder.stack(stackFrames(profile, stack).map((frame) => frames[frame]!)),
    );
    for (let sample = 0; sample < samples.count; sample++) {
      const times = (column: Float64Array | undefined) => column && column[sample]! * factor;
      builder.sample({
        stack: numbers[samples.stack[sample]!]!,
        thread: strings[samples.thread[sample]!],
        liveObjects: times(samples.liveObjects)!,
        liveBytes: times(samples.liveBytes)!,
        allocatedObjects: times(samples.allocatedObjects),
        allocatedBytes: times(samples.allocatedBytes),
        // Objects that were counted in both are no evidence of a difference.
        sampledObjects: factor < 0 ? Number.NaN : samples.sampledObjects[sample],
      });
    }
    if (factor > 0) for (const module of profile.modules) builder.module(module);
  }
  return builder.build(capture);
}

function commonRate(profiles: readonly HeapProfile[]): number | undefined {
  const [first, ...rest] = profiles.map(({ capture }) => capture.sampleBytes);
  return rest.every((rate) => rate === first) ? first : undefined;
}

/** Profiles of several processes, or of one at several times, added up. */
export function addProfiles(profiles: readonly HeapProfile[]): HeapProfile {
  const [first] = profiles;
  if (!first || profiles.length === 1) return first ?? sumProfiles([], EMPTY);
  return sumProfiles(
    profiles.map((profile) => ({ profile, factor: 1 })),
    {
      ...first.capture,
      pid: undefined,
      takenAtMs: undefined,
      statistics: undefined,
      sizeClasses: undefined,
      sampleBytes: commonRate(profiles),
      notes: [...new Set(profiles.flatMap(({ capture }) => capture.notes))],
    },
  );
}

/** What a profile has more (or, below 0, less) than an older one, stack by stack. */
export function subtractProfile(profile: HeapProfile, base: HeapProfile): HeapProfile {
  const parts = [
    { profile, factor: 1 },
    { profile: base, factor: -1 },
  ];
  return sumProfiles(parts, { ...profile.capture, sampleBytes: commonRate([profile, base]) });
}

const EMPTY: CaptureFacts = { ...UNKNOWN_CAPTURE, format: 'none' };

/** A difference without what shrank. */
export function withoutShrunk(difference: HeapProfile): HeapProfile {
  const { samples } = difference;
  const grown = (column: Float64Array) => column.map((value) => Math.max(0, value));
  return {
    ...difference,
    samples: {
      ...samples,
      liveBytes: grown(samples.liveBytes),
      liveObjects: grown(samples.liveObjects),
      allocatedBytes: samples.allocatedBytes && grown(samples.allocatedBytes),
      allocatedObjects: samples.allocatedObjects && grown(samples.allocatedObjects),
    },
  };
}
