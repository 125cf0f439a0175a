import type { HeapProfile } from '../model/heap-profile.js';
import type { ProfileMeasure, ProfileNode, ProfileSide, ProfileSubject, ProfileTree } from '../model/profile-report.js';
import { groupFrames } from './profile-groups.js';
import { sideOf } from './profile-side.js';

export interface ProfileTreeOptions {
  readonly direction?: 'down' | 'up';
  readonly side?: ProfileSide;
  /** What makes two calls the same. */
  readonly by?: 'function' | 'line';
  readonly measure?: ProfileMeasure;
  /** Branches of a smaller share of the whole are summed up where they leave the tree: a million of them would be no report. */
  readonly leastShare?: number;
}

/** A call in the making: which samples went through it. */
interface Call {
  readonly subject: ProfileSubject;
  readonly samples: readonly number[];
  /** Frames of each of these stacks that lie above. */
  readonly depth: number;
}

/** The profile as a call tree. A function that calls itself stands below itself, as it did on the stack. */
export function analyseProfileTree(profile: HeapProfile, options: ProfileTreeOptions = {}): ProfileTree {
  const { direction = 'down', side = 'live', by = 'function', measure = 'bytes', leastShare = 0 } = options;
  const { samples, stacks } = profile;
  const { of, subjects } = groupFrames(profile, by);
  const columns = sideOf(profile, side);
  const { bytes, objects } = columns;
  const sizeOf = (some: readonly number[]) =>
    some.reduce((sum, sample) => sum + Math.abs(columns[measure][sample]!), 0);
  const groupAt = (sample: number, depth: number) => {
    const stack = samples.stack[sample]!;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    if (depth >= to - from) return -1;
    return of[stacks.frames[direction === 'down' ? to - 1 - depth : from + depth]!]!;
  };
  const sum = (column: Float64Array, some: readonly number[]) =>
    some.reduce((total, sample) => total + column[sample]!, 0);
  let least = 0;

  const expand = ({ subject, samples: some, depth }: Call): ProfileNode => {
    const own: number[] = [];
    const below = new Map<number, number[]>();
    for (const sample of some) {
      const group = groupAt(sample, depth);
      const list = group < 0 ? own : below.get(group);
      if (list) list.push(sample);
      else below.set(group, [sample]);
    }
    const children: ProfileNode[] = [];
    const left: number[] = [];
    let leftOut = 0;
    for (const [group, these] of below) {
      if (sizeOf(these) >= least)
        children.push(expand({ subject: subjects[group]!, samples: these, depth: depth + 1 }));
      else {
        leftOut++;
        for (const sample of these) left.push(sample);
      }
    }
    return {
      ...subject,
      bytes: sum(bytes, some),
      objects: sum(objects, some),
      selfBytes: sum(bytes, own),
      selfObjects: sum(objects, own),
      children: children.sort((a, b) => Math.abs(b[measure]) - Math.abs(a[measure])),
      leftOut: { children: leftOut, bytes: sum(bytes, left), objects: sum(objects, left) },
    };
  };

  const all = Array.from({ length: samples.count }, (_, sample) => sample).filter(
    (sample) => bytes[sample] !== 0 || (objects[sample] !== 0 && !Number.isNaN(objects[sample])),
  );
  least = sizeOf(all) * leastShare;
  return {
    direction,
    side,
    root: expand({ subject: { name: '(all)', place: '', kind: 'marker' }, samples: all, depth: 0 }),
  };
}
