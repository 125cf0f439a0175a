import type { HeapProfile } from '../model/heap-profile.js';
import type {
  ProfileAttribution,
  ProfileGrouping,
  ProfileMeasure,
  ProfileRow,
  ProfileSide,
  ProfileSubject,
  ProfileTable,
} from '../model/profile-report.js';
import { groupFrames, NO_STACK } from './profile-groups.js';
import { ownerFrames } from './profile-owner.js';
import { errorOf, samplingVariances } from './profile-sampling-error.js';
import { sideOf, sumOf } from './profile-side.js';

export interface ProfileTableOptions {
  readonly by: ProfileGrouping;
  readonly side?: ProfileSide;
  readonly attribution?: ProfileAttribution;
  readonly sort?: 'flat' | 'cumulative';
  readonly measure?: ProfileMeasure;
}

/** A row, and what tells it from others in each profile. */
export interface KeyedRow extends ProfileRow {
  readonly key: string;
}

/** Bytes, objects and variance of each group. */
interface Sums {
  readonly bytes: Float64Array;
  readonly objects: Float64Array;
  readonly variances: Float64Array;
}

/** Which group each sample's own bytes go to, and which others have it among theirs. */
interface Grouped {
  readonly subjects: readonly ProfileSubject[];
  readonly keys: readonly string[];
  readonly flat: (sample: number) => number;
  /** Calls `add` for each group of the sample's stack; the same one may come several times. */
  readonly each: (sample: number, add: (group: number) => void) => void;
}

const openSums = (count: number): Sums => ({
  bytes: new Float64Array(count),
  objects: new Float64Array(count),
  variances: new Float64Array(count),
});

function groupByThread({ samples, strings }: HeapProfile): Grouped {
  const numbers = new Map<number, number>();
  for (const thread of samples.thread) if (!numbers.has(thread)) numbers.set(thread, numbers.size);
  const flat = (sample: number) => numbers.get(samples.thread[sample]!)!;
  const names = [...numbers.keys()].map((thread) => strings[thread] || '(threads were not told apart)');
  return {
    subjects: names.map((name) => ({ name, place: '', kind: 'unknown' })),
    keys: names,
    flat,
    each: (sample, add) => add(flat(sample)),
  };
}

function groupByFrame(
  profile: HeapProfile,
  by: Exclude<ProfileGrouping, 'thread'>,
  attribution: ProfileAttribution,
): Grouped {
  const { samples, stacks } = profile;
  const { of, subjects, keys } = groupFrames(profile, by);
  const none = subjects.length;
  const owners = attribution === 'owner' ? ownerFrames(profile) : undefined;
  return {
    subjects: [...subjects, NO_STACK],
    keys: [...keys, '\0'],
    flat(sample) {
      const stack = samples.stack[sample]!;
      const first = stacks.offsets[stack]!;
      if (first === stacks.offsets[stack + 1]) return none;
      return of[owners?.[stack] ?? stacks.frames[first]!]!;
    },
    each(sample, add) {
      const stack = samples.stack[sample]!;
      const from = stacks.offsets[stack]!;
      const to = stacks.offsets[stack + 1]!;
      if (from === to) add(none);
      for (let at = from; at < to; at++) add(of[stacks.frames[at]!]!);
    },
  };
}

/** The rows of a profile in no order. */
export function profileRows(
  profile: HeapProfile,
  by: ProfileGrouping,
  side: ProfileSide,
  attribution: ProfileAttribution,
): { readonly rows: readonly KeyedRow[]; readonly totalVariance: number } {
  const grouped = by === 'thread' ? groupByThread(profile) : groupByFrame(profile, by, attribution);
  const { bytes, objects } = sideOf(profile, side);
  const variances = samplingVariances(profile, side);
  const count = grouped.subjects.length;
  const flat = openSums(count);
  const cumulative = openSums(count);
  // The last sample that a group was counted for: recursion counts once.
  const counted = new Int32Array(count).fill(-1);
  const add = (sums: Sums, group: number, sample: number) => {
    sums.bytes[group]! += bytes[sample]!;
    sums.objects[group]! += objects[sample]!;
    sums.variances[group]! += variances[sample]!;
  };
  for (let sample = 0; sample < profile.samples.count; sample++) {
    if (bytes[sample] === 0 && objects[sample] === 0) continue;
    add(flat, grouped.flat(sample), sample);
    grouped.each(sample, (group) => {
      if (counted[group] === sample) return;
      counted[group] = sample;
      add(cumulative, group, sample);
    });
  }
  const rows: KeyedRow[] = [];
  grouped.subjects.forEach((subject, group) => {
    if (counted[group] === -1) return;
    rows.push({
      ...subject,
      key: grouped.keys[group]!,
      flatBytes: flat.bytes[group]!,
      flatObjects: flat.objects[group]!,
      flatErrorBytes: errorOf(flat.variances[group]!),
      cumulativeBytes: cumulative.bytes[group]!,
      cumulativeObjects: cumulative.objects[group]!,
      cumulativeErrorBytes: errorOf(cumulative.variances[group]!),
    });
  });
  return { rows, totalVariance: sumOf(variances) };
}

const COLUMNS = {
  flat: { bytes: 'flatBytes', objects: 'flatObjects' },
  cumulative: { bytes: 'cumulativeBytes', objects: 'cumulativeObjects' },
} as const;

/** Who holds the memory: flat and cumulative figures of each function, file, line, package, module or thread, the greatest first. */
export function analyseProfileTable(profile: HeapProfile, options: ProfileTableOptions): ProfileTable {
  const { by, side = 'live', attribution = 'leaf', sort = 'flat', measure = 'bytes' } = options;
  const { rows, totalVariance } = profileRows(profile, by, side, attribution);
  const first = COLUMNS[sort][measure];
  const second = COLUMNS[sort === 'flat' ? 'cumulative' : 'flat'][measure];
  const { bytes, objects } = sideOf(profile, side);
  return {
    by,
    side,
    attribution,
    rows: rows
      .toSorted((a, b) => b[first] - a[first] || b[second] - a[second] || (a.key < b.key ? -1 : 1))
      .map(({ key: _, ...row }) => row),
    totalBytes: sumOf(bytes),
    totalObjects: sumOf(objects),
    totalErrorBytes: errorOf(totalVariance),
  };
}
