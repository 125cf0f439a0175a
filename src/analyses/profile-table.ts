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

/** The rows of a profile in no order. */
export interface ProfileRows {
  readonly rows: readonly ProfileRow[];
  /** What tells each row from others in each profile. */
  readonly keys: readonly string[];
  readonly totalVariance: number;
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
  /** By sample. */
  readonly own: Uint32Array;
  /** By frame; undefined: a sample counts for no other group than its own. */
  readonly ofFrame: Uint32Array | undefined;
}

const openSums = (count: number): Sums => ({
  bytes: new Float64Array(count),
  objects: new Float64Array(count),
  variances: new Float64Array(count),
});

function groupByThread({ samples, strings }: HeapProfile): Grouped {
  const numbers = new Map<number, number>();
  for (const thread of samples.thread) if (!numbers.has(thread)) numbers.set(thread, numbers.size);
  const names = [...numbers.keys()].map((thread) => strings[thread] || '(threads were not told apart)');
  return {
    subjects: names.map((name) => ({ name, place: '', kind: 'unknown' })),
    keys: names,
    own: samples.thread.map((thread) => numbers.get(thread)!),
    ofFrame: undefined,
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
  const ownOf = (stack: number) => {
    const first = stacks.offsets[stack]!;
    if (first === stacks.offsets[stack + 1]) return none;
    return of[owners?.[stack] ?? stacks.frames[first]!]!;
  };
  return {
    subjects: [...subjects, NO_STACK],
    keys: [...keys, '\0'],
    own: samples.stack.map(ownOf),
    ofFrame: of,
  };
}

function addTo(sums: Sums, group: number, bytes: number, objects: number, variance: number): void {
  sums.bytes[group]! += bytes;
  sums.objects[group]! += objects;
  sums.variances[group]! += variance;
}

/** What each group holds itself, and with its callees. */
export function profileRows(
  profile: HeapProfile,
  by: ProfileGrouping,
  side: ProfileSide,
  attribution: ProfileAttribution,
): ProfileRows {
  const grouped = by === 'thread' ? groupByThread(profile) : groupByFrame(profile, by, attribution);
  const { bytes, objects } = sideOf(profile, side);
  const variances = samplingVariances(profile, side);
  const count = grouped.subjects.length;
  const flat = openSums(count);
  const cumulative = openSums(count);
  // The last sample that a group was counted for: recursion counts once.
  const counted = new Int32Array(count).fill(-1);
  const { own, ofFrame } = grouped;
  const { samples, stacks } = profile;
  for (let sample = 0; sample < samples.count; sample++) {
    const size = bytes[sample]!;
    const number = objects[sample]!;
    const variance = variances[sample]!;
    if (size === 0 && number === 0) continue;
    addTo(flat, own[sample]!, size, number, variance);
    const stack = samples.stack[sample]!;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    if (ofFrame === undefined || from === to) {
      counted[own[sample]!] = sample;
      addTo(cumulative, own[sample]!, size, number, variance);
      continue;
    }
    for (let at = from; at < to; at++) {
      const group = ofFrame[stacks.frames[at]!]!;
      if (counted[group] === sample) continue;
      counted[group] = sample;
      addTo(cumulative, group, size, number, variance);
    }
  }
  const rows: ProfileRow[] = [];
  const keys: string[] = [];
  for (const [group, { name, place, kind }] of grouped.subjects.entries()) {
    if (counted[group] === -1) continue;
    keys.push(grouped.keys[group]!);
    rows.push({
      name,
      place,
      kind,
      flatBytes: flat.bytes[group]!,
      flatObjects: flat.objects[group]!,
      flatErrorBytes: errorOf(flat.variances[group]!),
      cumulativeBytes: cumulative.bytes[group]!,
      cumulativeObjects: cumulative.objects[group]!,
      cumulativeErrorBytes: errorOf(cumulative.variances[group]!),
    });
  }
  return { rows, keys, totalVariance: sumOf(variances) };
}

const COLUMNS = {
  flat: { bytes: 'flatBytes', objects: 'flatObjects' },
  cumulative: { bytes: 'cumulativeBytes', objects: 'cumulativeObjects' },
} as const;

/** The numbers of rows, the greatest first; a profile without symbols has a row for each of its addresses. */
function orderOf({ rows, keys }: ProfileRows, sort: 'flat' | 'cumulative', measure: ProfileMeasure): Uint32Array {
  const column = (name: (typeof COLUMNS)['flat' | 'cumulative'][ProfileMeasure]) =>
    Float64Array.from(rows, (row) => row[name]);
  const first = column(COLUMNS[sort][measure]);
  const second = column(COLUMNS[sort === 'flat' ? 'cumulative' : 'flat'][measure]);
  return Uint32Array.from(rows.keys()).sort(
    (a, b) => first[b]! - first[a]! || second[b]! - second[a]! || (keys[a]! < keys[b]! ? -1 : 1),
  );
}

/** Who holds the memory: flat and cumulative figures of each function, file, line, package, module or thread, the greatest first. */
export function analyseProfileTable(profile: HeapProfile, options: ProfileTableOptions): ProfileTable {
  const { by, side = 'live', attribution = 'leaf', sort = 'flat', measure = 'bytes' } = options;
  const found = profileRows(profile, by, side, attribution);
  const { bytes, objects } = sideOf(profile, side);
  return {
    by,
    side,
    attribution,
    rows: Array.from(orderOf(found, sort, measure), (row) => found.rows[row]!),
    totalBytes: sumOf(bytes),
    totalObjects: sumOf(objects),
    totalErrorBytes: errorOf(found.totalVariance),
  };
}
