import { type HeapProfile, stackFrames } from '../model/heap-profile.js';
import type { ProfileLeak, ProfileLeaks } from '../model/profile-report.js';
import { type FrameGroups, groupFrames } from './profile-groups.js';
import { applicationFrames, ownerFrames } from './profile-owner.js';
import { errorOf, samplingVariances } from './profile-sampling-error.js';
import { type NamedProfile, snapshotFigures } from './profile-series.js';
import { callOf, stackLines } from './profile-stack-lines.js';
import { theilSen } from './theil-sen.js';

const MS_PER_HOUR = 3_600_000;

/** What grew in less time says nothing of an hour: caches fill, and one request more or less counts thousandfold. */
const LEAST_SPAN_MS = 60_000;

/** Growth of less is a trifle, however certain. */
const LEAST_BYTES = 64 * 1024;

/** Hundreds of places are looked at: at two deviations a dozen would be called leaks by chance. This is 99.9 %. */
const CERTAIN_DEVIATIONS = 3.29;

/** From so many on the order of the values can tell a trend by itself (all of them rising: 3.3 deviations). */
const ENOUGH_FOR_ORDER = 8;

/** One place's figures in each snapshot. */
interface Place {
  readonly bytes: number[];
  readonly objects: number[];
  readonly variances: number[];
}

/** A snapshot with what tells its stacks apart. */
interface Look {
  readonly profile: HeapProfile;
  readonly functions: FrameGroups;
  readonly owners: Int32Array;
  readonly mine: Int32Array;
  /** The place of each stack, by names. */
  readonly keys: readonly string[];
}

function lookAt(profile: HeapProfile): Look {
  const functions = groupFrames(profile, 'function');
  const owners = ownerFrames(profile);
  const mine = applicationFrames(profile);
  const key = (frame: number) => (frame < 0 ? '' : functions.keys[functions.of[frame]!]!);
  const keys = Array.from(owners, (owner, stack) => `${key(mine[stack]!)}\u0001${key(owner)}`);
  return { profile, functions, owners, mine, keys };
}

function collectPlaces(looks: readonly Look[]): Map<string, Place> {
  const places = new Map<string, Place>();
  const zeros = () => new Array<number>(looks.length).fill(0);
  looks.forEach(({ profile, keys }, at) => {
    const variances = samplingVariances(profile, 'live');
    const { samples } = profile;
    for (let sample = 0; sample < samples.count; sample++) {
      const key = keys[samples.stack[sample]!]!;
      const place = places.get(key) ?? { bytes: zeros(), objects: zeros(), variances: zeros() };
      places.set(key, place);
      place.bytes[at]! += samples.liveBytes[sample]!;
      place.objects[at]! += samples.liveObjects[sample]!;
      place.variances[at]! += variances[sample]!;
    }
  });
  return places;
}

const grownIn = (bytes: readonly number[]) => bytes.at(-1)! - bytes[0]!;

type Verdict = 'leak' | 'noise' | 'no';

/**
 * Growth in every snapshot, or a rise of many that no chance explains. The objects of two snapshots are taken as sampled apart, which they
 * are not where they stay: so slow growth beside much that stays is seen late, and noise is not taken for growth.
 */
function judge({ bytes, variances }: Place): Verdict {
  const trend = bytes.length >= ENOUGH_FOR_ORDER ? theilSen([...bytes.keys()], bytes) : undefined;
  const ordered = trend !== undefined && trend.deviations > CERTAIN_DEVIATIONS;
  if (!ordered && !bytes.every((value, at) => at === 0 || value > bytes[at - 1]!)) return 'no';
  const grown = grownIn(bytes);
  const error = errorOf(variances[0]! + variances.at(-1)!) ?? 0;
  return grown >= LEAST_BYTES && (ordered || grown > CERTAIN_DEVIATIONS * error) ? 'leak' : 'noise';
}

function slopeOf(times: readonly number[], bytes: readonly number[]): number {
  const slope = theilSen(times, bytes)?.slope;
  return slope ?? grownIn(bytes) / (times.at(-1)! - times[0]!);
}

/** Stacks of the same functions, and the one of them that has most. */
interface Alike {
  readonly stack: number;
  readonly stackBytes: number;
  readonly bytes: number;
}

/** The stacks of a place, by the names of their functions. */
function stacksOf({ profile, functions, keys }: Look, key: string): Map<string, Alike> {
  const { samples } = profile;
  const found = new Map<string, Alike>();
  for (let sample = 0; sample < samples.count; sample++) {
    const stack = samples.stack[sample]!;
    if (keys[stack] !== key) continue;
    const names = Array.from(stackFrames(profile, stack), (frame) => functions.keys[functions.of[frame]!]!).join(
      '\u0002',
    );
    const own = samples.liveBytes[sample]!;
    const { bytes, ...best } = found.get(names) ?? { bytes: 0, stack, stackBytes: own };
    found.set(names, { ...(own > best.stackBytes ? { stack, stackBytes: own } : best), bytes: bytes + own });
  }
  return found;
}

/** The stack of a place that grew most from the first look to the last. */
function grownStack(looks: readonly Look[], key: string): { readonly stack: number; readonly grown: number } {
  const before = stacksOf(looks[0]!, key);
  let best = { stack: -1, grown: Number.NEGATIVE_INFINITY };
  for (const [names, { stack, bytes }] of stacksOf(looks.at(-1)!, key)) {
    const grown = bytes - (before.get(names)?.bytes ?? 0);
    if (grown > best.grown) best = { stack, grown };
  }
  return best;
}

const NOWHERE = { name: '(no stack)', place: '', kind: 'unknown' } as const;

function describe(
  looks: readonly Look[],
  key: string,
  place: Place,
  times: readonly number[] | undefined,
): ProfileLeak {
  const { profile, owners, mine, functions } = looks.at(-1)!;
  const { stack, grown } = grownStack(looks, key);
  const owner = owners[stack]!;
  const own = mine[stack]!;
  const isSame = own < 0 || owner < 0 || functions.of[own] === functions.of[owner];
  const culprit = own >= 0 ? own : owner;
  return {
    culprit: culprit < 0 ? NOWHERE : callOf(profile, culprit),
    through: isSame ? undefined : callOf(profile, owner),
    bytes: place.bytes,
    grownBytes: grownIn(place.bytes),
    grownObjects: grownIn(place.objects),
    errorBytes: errorOf(place.variances[0]! + place.variances.at(-1)!),
    bytesPerHour:
      times && times.at(-1)! - times[0]! >= LEAST_SPAN_MS ? slopeOf(times, place.bytes) * MS_PER_HOUR : undefined,
    bytesPerSnapshot: slopeOf([...place.bytes.keys()], place.bytes),
    stack: stackLines(profile, stack),
    stackGrownBytes: grown,
  };
}

/**
 * What grew in every snapshot of a series, beyond what sampling alone can do. A place is the nearest function of the application together with
 * the nearest JavaScript function (or, without any, the nearest native one that is no runtime's), so that the stacks by which it allocates,
 * interpreted and optimized, with and without the line of the call, count as one. The line is that of the stack with most of the growth.
 *
 * @param snapshots two or more of the same process, in order.
 */
export function analyseProfileLeaks(snapshots: readonly NamedProfile[]): ProfileLeaks {
  const figures = snapshots.map(snapshotFigures);
  const times = figures.map(({ takenAtMs }) => takenAtMs);
  const known = times.every((time, at) => time !== undefined && (at === 0 || time > times[at - 1]!));
  const at = known ? (times as number[]) : undefined;
  const spanMs = at && at.length > 0 ? at.at(-1)! - at[0]! : undefined;
  if (snapshots.length < 2) return { snapshots: figures, spanMs, leaks: [], withinNoise: 0 };
  const looks = snapshots.map(({ profile }) => lookAt(profile));
  const judged = [...collectPlaces(looks)].map(([key, place]) => ({ key, place, verdict: judge(place) }));
  return {
    snapshots: figures,
    spanMs,
    leaks: judged
      .filter(({ verdict }) => verdict === 'leak')
      .map(({ key, place }) => describe(looks, key, place, at))
      .sort((a, b) => b.grownBytes - a.grownBytes),
    withinNoise: judged.filter(({ verdict }) => verdict === 'noise').length,
  };
}
