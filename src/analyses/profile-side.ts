import type { HeapProfile } from '../model/heap-profile.js';
import type { ProfileSide } from '../model/profile-report.js';

export interface SideColumns {
  readonly bytes: Float64Array;
  readonly objects: Float64Array;
}

/** Whether a profile tells what was ever allocated (`prof_accum:true`). */
export function hasAllocated({ samples }: HeapProfile): boolean {
  return samples.allocatedBytes !== undefined;
}

/** The columns of one side; zeros for a side that was not recorded. */
export function sideOf({ samples }: HeapProfile, side: ProfileSide): SideColumns {
  if (side === 'live') return { bytes: samples.liveBytes, objects: samples.liveObjects };
  return {
    bytes: samples.allocatedBytes ?? new Float64Array(samples.count),
    objects: samples.allocatedObjects ?? new Float64Array(samples.count),
  };
}

export function sumOf(column: Float64Array): number {
  let sum = 0;
  for (const value of column) sum += value;
  return sum;
}
