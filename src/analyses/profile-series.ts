import type { HeapProfile } from '../model/heap-profile.js';
import type { SnapshotFigures } from '../model/profile-report.js';
import { sideOf, sumOf } from './profile-side.js';

/** A profile and what the user calls it. */
export interface NamedProfile {
  readonly name: string;
  readonly profile: HeapProfile;
}

/** Snapshots in order of time; in the order given where one has no time. */
export function orderSnapshots<T extends NamedProfile>(snapshots: readonly T[]): readonly T[] {
  const times = snapshots.map(({ profile }) => profile.capture.takenAtMs);
  if (times.includes(undefined)) return snapshots;
  return snapshots.toSorted((a, b) => a.profile.capture.takenAtMs! - b.profile.capture.takenAtMs!);
}

export function snapshotFigures({ name, profile }: NamedProfile): SnapshotFigures {
  const { bytes, objects } = sideOf(profile, 'live');
  return { name, takenAtMs: profile.capture.takenAtMs, liveBytes: sumOf(bytes), liveObjects: sumOf(objects) };
}

/** The snapshot with the most live bytes; undefined of none. */
export function highWater<T extends NamedProfile>(snapshots: readonly T[]): T | undefined {
  let highest: { readonly snapshot: T; readonly bytes: number } | undefined;
  for (const snapshot of snapshots) {
    const bytes = snapshotFigures(snapshot).liveBytes;
    if (!highest || bytes > highest.bytes) highest = { snapshot, bytes };
  }
  return highest?.snapshot;
}
