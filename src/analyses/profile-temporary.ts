import type { HeapProfile } from '../model/heap-profile.js';
import { subtractProfile } from './profile-merge.js';
import { hasAllocated } from './profile-side.js';

/**
 * What was allocated and freed again, as a profile whose live figures are that: allocated − live. With an earlier profile of the same process
 * only what was both since then. Undefined where the profiles do not tell what was ever allocated.
 */
export function temporaryProfile(profile: HeapProfile, earlier?: HeapProfile): HeapProfile | undefined {
  if (!hasAllocated(profile) || (earlier && !hasAllocated(earlier))) return undefined;
  const between = earlier ? subtractProfile(profile, earlier) : profile;
  const { samples } = between;
  // Two estimates: the lesser may come out above the greater. Where less is live than before, older memory was freed too: what was freed
  // of the new is at most all of it.
  const rest = (allocated: Float64Array, live: Float64Array) =>
    allocated.map((value, sample) => Math.max(0, Math.min(value, value - live[sample]!)));
  return {
    ...between,
    samples: {
      ...samples,
      liveBytes: rest(samples.allocatedBytes!, samples.liveBytes),
      liveObjects: rest(samples.allocatedObjects!, samples.liveObjects),
      allocatedBytes: undefined,
      allocatedObjects: undefined,
      sampledObjects: samples.sampledObjects.map(() => Number.NaN),
    },
  };
}
