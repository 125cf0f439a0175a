import { FRAME_KINDS } from '../../../model/heap-profile.js';
import { type CallTree, growCallTree, type TreeDirection } from '../call-tree.js';
import { type CallView, type NodeSums, sumGrowth, sumRows, viewStacks } from '../call-view.js';
import { type Granularity, type KindTreatment, makeFrameKeys } from '../frame-keys.js';
import type { Metric, PackedProfile } from '../packed-profile.js';

/** What widths mean where two profiles are compared. */
export type Widths = 'now' | 'base' | 'growth';

/** What the reader has chosen to see. */
export interface Choices {
  readonly metric: Metric;
  /** string number; undefined: all. */
  readonly thread: number | undefined;
  readonly widths: Widths;
  /** By code of FRAME_KINDS. */
  readonly treatments: readonly KindTreatment[];
}

/** A view with its values. */
export interface Sums {
  readonly view: CallView;
  /** What the widths show. */
  readonly widths: NodeSums;
  readonly now: NodeSums;
  readonly base: NodeSums | undefined;
}

/** Computes what the panels show, each thing once until a choice changes it. */
export interface Report {
  readonly packed: PackedProfile;
  choices(): Choices;
  choose(change: Partial<Choices>): void;
  sums(granularity: Granularity): Sums;
  /** The same stacks by kind of frame, whatever is hidden. */
  sumsByKind(): Sums;
  tree(granularity: Granularity, direction: TreeDirection, focus: number | undefined): CallTree;
}

export function openReport(packed: PackedProfile): Report {
  let choices: Choices = {
    metric: 'liveBytes',
    thread: undefined,
    widths: 'now',
    treatments: FRAME_KINDS.map(() => 'show'),
  };
  const known = new Map<string, Sums>();
  const compute = (granularity: Granularity, treatments: readonly KindTreatment[]): Sums => {
    const view = viewStacks(packed.forest, makeFrameKeys(packed.strings, packed.frames, granularity, treatments));
    const now = sumRows(view, packed.now, choices.metric, choices.thread);
    const base = packed.base && sumRows(view, packed.base, choices.metric, choices.thread);
    const widths =
      !base || choices.widths === 'now' ? now : choices.widths === 'base' ? base : sumGrowth(view, now, base);
    return { view, widths, now, base };
  };
  const remember = (name: string, make: () => Sums): Sums => {
    const found = known.get(name) ?? make();
    known.set(name, found);
    return found;
  };
  const sums = (granularity: Granularity) => remember(granularity, () => compute(granularity, choices.treatments));
  return {
    packed,
    choices: () => choices,
    choose(change) {
      choices = { ...choices, ...change };
      known.clear();
    },
    sums,
    sumsByKind: () =>
      remember('kind', () =>
        compute(
          'function',
          FRAME_KINDS.map(() => 'merge'),
        ),
      ),
    tree(granularity, direction, focus) {
      const { view, widths, now, base } = sums(granularity);
      return growCallTree(view, base ? [widths, now, base] : [widths, now], { direction, focus });
    },
  };
}

/** The keys whose name or place contains a text, whatever its case; with `/…/`, those that match the expression. 1 or 0 by key. */
export function matchKeys({ keys }: CallView, wanted: string): Uint8Array {
  const matched = new Uint8Array(keys.count);
  const test = matcher(wanted);
  if (!test) return matched;
  for (let key = 0; key < keys.count; key++)
    if ([keys.label, keys.detail, keys.where].some((texts) => test(texts[key] ?? ''))) matched[key] = 1;
  return matched;
}

function matcher(wanted: string): ((text: string) => boolean) | undefined {
  const expression = /^\/(.+)\/$/.exec(wanted)?.[1];
  if (expression !== undefined) {
    try {
      const compiled = new RegExp(expression, 'iu');
      return (text) => compiled.test(text);
    } catch {
      return undefined;
    }
  }
  const small = wanted.trim().toLowerCase();
  return small === '' ? undefined : (text) => text.toLowerCase().includes(small);
}
