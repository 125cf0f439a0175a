import { type Frame, frameAt, type HeapProfile } from '../model/heap-profile.js';
import { openProfileBuilder } from '../model/heap-profile-builder.js';
import type { FrameGrouping, LifetimeRow, ProfileLifetimes } from '../model/profile-report.js';
import type { RecentAllocation } from '../model/recent-allocation.js';
import { median } from './compare-runs.js';
import { groupFrames, NO_STACK } from './profile-groups.js';
import { ownerFrames } from './profile-owner.js';

/**
 * The allocations as a profile whose addresses can be given names: by the mapped files and the numbered frames of a dump of the same
 * process. Symbols may put stacks together, so each allocation is kept apart as a thread of its own, called by its number.
 */
export function recentProfile(recent: readonly RecentAllocation[], dump: HeapProfile): HeapProfile {
  const builder = openProfileBuilder();
  const known = new Map<number, Frame>();
  for (let frame = 0; frame < dump.frames.count; frame++) known.set(dump.frames.address[frame]!, frameAt(dump, frame));
  recent.forEach(({ trace, bytes, freed }, number) => {
    builder.sample({
      stack: builder.stack(trace.map((address) => builder.frame(known.get(address) ?? { address }))),
      thread: String(number),
      liveBytes: freed ? 0 : bytes,
      liveObjects: freed ? 0 : 1,
    });
  });
  for (const module of dump.modules) builder.module(module);
  return builder.build({ ...dump.capture, statistics: undefined, sizeClasses: undefined });
}

interface Lives {
  bytes: number;
  samples: number;
  freed: number;
  readonly livesMs: number[];
}

/** How long allocations live, by who asked for them: what is freed at once could be avoided, what never is may leak. */
export function analyseProfileLifetimes(
  recent: readonly RecentAllocation[],
  profile: HeapProfile,
  by: FrameGrouping,
): ProfileLifetimes {
  const { samples, strings } = profile;
  const { of, subjects } = groupFrames(profile, by);
  const owners = ownerFrames(profile);
  const found = new Map<number, Lives>();
  for (let sample = 0; sample < samples.count; sample++) {
    const allocation = recent[Number(strings[samples.thread[sample]!])];
    if (!allocation) continue;
    const owner = owners[samples.stack[sample]!]!;
    const group = owner < 0 ? -1 : of[owner]!;
    const lives = found.get(group) ?? { bytes: 0, samples: 0, freed: 0, livesMs: [] };
    found.set(group, lives);
    lives.samples++;
    lives.bytes += allocation.bytes;
    if (!allocation.freed) continue;
    lives.freed++;
    if (allocation.freedAtNs !== undefined)
      lives.livesMs.push(Math.max(0, allocation.freedAtNs - allocation.allocatedAtNs) / 1e6);
  }
  const rows = [...found].map(([group, { livesMs, ...lives }]): LifetimeRow => {
    const sorted = livesMs.sort((a, b) => a - b);
    return { ...(subjects[group] ?? NO_STACK), ...lives, medianMs: median(sorted), longestMs: sorted.at(-1) };
  });
  return {
    by,
    samples: recent.length,
    freed: recent.filter(({ freed }) => freed).length,
    rows: rows.sort((a, b) => b.samples - a.samples || b.bytes - a.bytes),
  };
}
