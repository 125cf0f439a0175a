import type { FrameKind } from './heap-profile.js';

/** What rows of a report stand for. */
export const PROFILE_GROUPINGS = ['function', 'file', 'line', 'package', 'module', 'thread'] as const;

export type ProfileGrouping = (typeof PROFILE_GROUPINGS)[number];

/** Still held at the moment of the profile, or ever allocated. */
export type ProfileSide = 'live' | 'allocated';

export type ProfileMeasure = 'bytes' | 'objects';

/**
 * Whose a stack's own (`flat`) bytes are: the frame's that allocated, as in pprof; or its owner's, the nearest JavaScript function,
 * and where there is none the first that is no runtime's.
 */
export type ProfileAttribution = 'leaf' | 'owner';

/** Something that holds memory: a function, a file, a package. */
export interface ProfileSubject {
  readonly name: string;
  /** Where it is; empty where that is not known or the name says it. */
  readonly place: string;
  readonly kind: FrameKind;
}

export interface ProfileRow extends ProfileSubject {
  readonly flatBytes: number;
  readonly flatObjects: number;
  /** One standard deviation of sampling; undefined: not known. */
  readonly flatErrorBytes: number | undefined;
  /** With all that was called from it, each stack once however often it recurs. */
  readonly cumulativeBytes: number;
  readonly cumulativeObjects: number;
  readonly cumulativeErrorBytes: number | undefined;
}

/** Flat and cumulative figures of everything that is in a profile. */
export interface ProfileTable {
  readonly by: ProfileGrouping;
  readonly side: ProfileSide;
  readonly attribution: ProfileAttribution;
  readonly rows: readonly ProfileRow[];
  readonly totalBytes: number;
  readonly totalObjects: number;
  readonly totalErrorBytes: number | undefined;
}

/** A node of a call tree. Its bytes are its own, those of its children, and those of what was left out. */
export interface ProfileNode extends ProfileSubject {
  readonly bytes: number;
  readonly objects: number;
  readonly selfBytes: number;
  readonly selfObjects: number;
  readonly children: readonly ProfileNode[];
  /** Children that are too small to be told one by one. */
  readonly leftOut: { readonly children: number; readonly bytes: number; readonly objects: number };
}

export interface ProfileTree {
  /** `down`: who calls whom, from the root; `up`: from the allocating function to its callers. */
  readonly direction: 'down' | 'up';
  readonly side: ProfileSide;
  readonly root: ProfileNode;
}

export type ProfileChange = 'new' | 'gone' | 'grown' | 'shrunk' | 'same';

export interface ProfileDifferenceRow extends ProfileSubject {
  readonly change: ProfileChange;
  readonly beforeBytes: number;
  readonly afterBytes: number;
  readonly changeBytes: number;
  readonly changeObjects: number;
  /** One standard deviation of the change; undefined: not known. */
  readonly errorBytes: number | undefined;
}

export interface ProfileDifference {
  readonly by: ProfileGrouping;
  readonly attribution: ProfileAttribution;
  /** The greatest change first. */
  readonly rows: readonly ProfileDifferenceRow[];
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

/** One snapshot of a series. */
export interface SnapshotFigures {
  /** As the caller calls it. */
  readonly name: string;
  readonly takenAtMs: number | undefined;
  readonly liveBytes: number;
  readonly liveObjects: number;
}

/** A frame of a stack as a report shows it. */
export interface StackLine extends ProfileSubject {
  readonly inlined: boolean;
}

export interface ProfileLeak {
  /** The call in the application that asked for the memory, else in the nearest function that is no runtime's. */
  readonly culprit: ProfileSubject;
  /** The nearest function to the allocation that is no runtime's, where that is another: a package's. */
  readonly through: ProfileSubject | undefined;
  /** In each snapshot, in order. */
  readonly bytes: readonly number[];
  readonly grownBytes: number;
  readonly grownObjects: number;
  /** One standard deviation of `grownBytes`; undefined: not known. */
  readonly errorBytes: number | undefined;
  /** Undefined without times, and where they span less than a minute. */
  readonly bytesPerHour: number | undefined;
  readonly bytesPerSnapshot: number;
  /** The stack that grew most, the allocating function first. */
  readonly stack: readonly StackLine[];
  /** How much of the growth that stack is. */
  readonly stackGrownBytes: number;
}

export interface ProfileLeaks {
  readonly snapshots: readonly SnapshotFigures[];
  /** From the first to the last; undefined where one has no time. */
  readonly spanMs: number | undefined;
  readonly leaks: readonly ProfileLeak[];
  /** What grew in every snapshot, and by no more than chance or a trifle. */
  readonly withinNoise: number;
}

/** One size class's empty places. */
export interface FragmentedClass {
  readonly sizeBytes: number;
  readonly slabs: number;
  readonly slabBytes: number;
  readonly regionsPerSlab: number;
  readonly regionsInUse: number;
  /** (slabs × regions a slab − regions in use) × size. */
  readonly wasteBytes: number;
  /** How many objects of this class the stacks of the profile hold, by estimate. */
  readonly profiledObjects: number;
}

/** A stack whose objects keep slabs from being given back. */
export interface FragmentationHolder {
  readonly owner: ProfileSubject;
  readonly sizeBytes: number;
  readonly liveObjects: number;
  readonly wasteBytes: number;
  readonly stack: readonly StackLine[];
}

export interface ProfileFragmentation {
  /** The most wasteful first. */
  readonly classes: readonly FragmentedClass[];
  /** The greatest of them. */
  readonly holders: readonly FragmentationHolder[];
  readonly holderCount: number;
  readonly wasteBytes: number;
  /** Of objects that the profile does not know: not sampled, or allocated before profiling began. */
  readonly unattributedBytes: number;
  readonly slabBytes: number;
}

/** How long what one function (line, package, …) allocates lives, of jemalloc's latest samples. */
export interface LifetimeRow extends ProfileSubject {
  readonly samples: number;
  readonly bytes: number;
  /** Of them freed by now; the rest has no lifetime yet. */
  readonly freed: number;
  readonly medianMs: number | undefined;
  readonly longestMs: number | undefined;
}

export interface ProfileLifetimes {
  readonly by: FrameGrouping;
  readonly samples: number;
  readonly freed: number;
  /** The most samples first. */
  readonly rows: readonly LifetimeRow[];
}

/** Threads have no lifetimes of their own. */
export type FrameGrouping = Exclude<ProfileGrouping, 'thread'>;
