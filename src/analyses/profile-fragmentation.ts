import type { AllocatorStats } from '../model/allocator-stats.js';
import type { HeapProfile, SizeClassUse } from '../model/heap-profile.js';
import type { FragmentationHolder, FragmentedClass, ProfileFragmentation } from '../model/profile-report.js';
import { NO_STACK } from './profile-groups.js';
import { ownerFrames } from './profile-owner.js';
import { callOf, stackLines } from './profile-stack-lines.js';

/** The size classes of jemalloc's statistics; undefined where these were left out of them. */
export function sizeClassesOf({ merged }: AllocatorStats): SizeClassUse[] | undefined {
  return merged?.bins?.flatMap(({ sizeBytes, slabBytes, regionsPerSlab, regions, slabs }) =>
    regions === undefined || slabs === undefined
      ? []
      : [{ sizeBytes, slabBytes, regionsPerSlab, regionsInUse: regions, slabs }],
  );
}

/**
 * By how much the mean of equal sizes may lie above them: jemalloc 5.3 corrects its counts for sampling and rounds them, by half a
 * per cent where it was measured. Classes are 14 % apart or more.
 */
const ROUNDING = 1.02;

/** The place of the smallest class that holds this many bytes; -1 for large objects, which have no slab. */
function classFor(sizes: readonly number[], bytes: number): number {
  return sizes.findIndex((size) => bytes <= size * ROUNDING);
}

/** Objects of each stack in each class: the class of a stack's mean object. */
function objectsByStack({ samples }: HeapProfile, sizes: readonly number[]): Map<number, number>[] {
  const found = sizes.map(() => new Map<number, number>());
  for (let sample = 0; sample < samples.count; sample++) {
    const objects = samples.liveObjects[sample]!;
    if (!(objects > 0)) continue;
    const stacks = found[classFor(sizes, samples.liveBytes[sample]! / objects)];
    const stack = samples.stack[sample]!;
    stacks?.set(stack, (stacks.get(stack) ?? 0) + objects);
  }
  return found;
}

/**
 * Which stacks hold the size classes whose slabs are mostly empty. A slab goes back only when its last object is freed, so the waste of a
 * class, its empty places, is put down to those who hold its survivors, by their number. Where the statistics count more objects
 * than the profile does, the rest of the waste stays with nobody.
 *
 * @param most how many stacks are told.
 */
export function analyseProfileFragmentation(
  profile: HeapProfile,
  sizeClasses: readonly SizeClassUse[],
  most: number,
): ProfileFragmentation {
  const used = sizeClasses.toSorted((a, b) => a.sizeBytes - b.sizeBytes);
  const stacksByClass = objectsByStack(
    profile,
    used.map(({ sizeBytes }) => sizeBytes),
  );
  const owners = ownerFrames(profile);
  const classes: FragmentedClass[] = [];
  const shares: {
    readonly at: number;
    readonly sizeBytes: number;
    readonly liveObjects: number;
    readonly wasteBytes: number;
  }[] = [];
  let attributedBytes = 0;
  used.forEach((use, at) => {
    const { slabs, regionsPerSlab, regionsInUse, sizeBytes } = use;
    // Counters are read one after the other: in use may be more than there is room.
    const wasteBytes = Math.max(0, slabs * regionsPerSlab - regionsInUse) * sizeBytes;
    const stacks = stacksByClass[at]!;
    let profiledObjects = 0;
    for (const objects of stacks.values()) profiledObjects += objects;
    if (slabs > 0) classes.push({ ...use, wasteBytes, profiledObjects });
    if (wasteBytes === 0) return;
    for (const [at, liveObjects] of stacks) {
      const share = liveObjects / Math.max(profiledObjects, regionsInUse);
      shares.push({ at, sizeBytes, liveObjects, wasteBytes: wasteBytes * share });
      attributedBytes += wasteBytes * share;
    }
  });
  const sum = (pick: (one: FragmentedClass) => number) => classes.reduce((total, one) => total + pick(one), 0);
  const wasteBytes = sum((one) => one.wasteBytes);
  return {
    classes: classes.sort((a, b) => b.wasteBytes - a.wasteBytes || a.sizeBytes - b.sizeBytes),
    holders: shares
      .sort((a, b) => b.wasteBytes - a.wasteBytes)
      .slice(0, most)
      .map(({ at, ...share }): FragmentationHolder => {
        const owner = owners[at]!;
        return {
          ...share,
          owner: owner < 0 ? NO_STACK : callOf(profile, owner),
          stack: stackLines(profile, at),
        };
      }),
    holderCount: shares.length,
    wasteBytes,
    unattributedBytes: Math.max(0, wasteBytes - attributedBytes),
    slabBytes: sum(({ slabs, slabBytes }) => slabs * slabBytes),
  };
}
