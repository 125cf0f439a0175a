import type { CallView, NodeSums } from './call-view.js';

/** Which way a tree grows: `callees` from the roots of the stacks, `callers` from the allocating functions. */
export type TreeDirection = 'callees' | 'callers';

export interface CallTreeOptions {
  readonly direction: TreeDirection;
  /** Only what passes through this key, which then is the root's only child. */
  readonly focus?: number | undefined;
}

/** A call tree that grows where it is looked at. Node 0 is the root, which has no key. */
export interface CallTree {
  /** -1: the root. */
  key(node: number): number;
  parent(node: number): number;
  depth(node: number): number;
  /** Where the node begins, in units of the first sums, from the root's beginning. */
  start(node: number): number;
  /** By the place of the sums the tree was made with. */
  value(node: number, sums?: number): number;
  /** Callees, or callers, the largest first; only those that have something in the first sums. They have consecutive numbers. */
  children(node: number): { readonly first: number; readonly count: number };
  /** The value of further sums over the same view. */
  measure(node: number, sums: NodeSums): number;
  /** Where the node stands in the forest: for a tree of callees, its nodes. */
  places(node: number): readonly number[];
}

/** What one tree node covers: nodes of the forest whose values it has, and how far up each has been followed. */
interface Cover {
  readonly origins: number[];
  /** The same array where a tree grows downward. */
  readonly cursors: number[];
}

const NO_CHILDREN = { first: 0, count: 0 } as const;

/** Plants a tree over a view; the widths are those of the first sums. */
export function growCallTree(
  view: CallView,
  sums: readonly NodeSums[],
  { direction, focus }: CallTreeOptions,
): CallTree {
  const upward = direction === 'callers';
  // Going up, a stack counts where it ends; with a focus, all that is below the focus counts for it.
  const part = upward && focus === undefined ? 'self' : 'total';
  const widths = (sums[0] as NodeSums)[part];
  const keys: number[] = [-1];
  const parents: number[] = [0];
  const depths: number[] = [0];
  const starts: number[] = [0];
  const covers: Cover[] = [rootCover(view, widths, upward, focus)];
  const weigh = (cover: Cover, column: Float64Array) => {
    let sum = 0;
    for (const origin of cover.origins) sum += column[origin]!;
    return sum;
  };
  const values = sums.map((each) => [focus === undefined ? each.total[0]! : weigh(covers[0] as Cover, each[part])]);
  const grown: ({ readonly first: number; readonly count: number } | undefined)[] = [];

  const grow = (node: number) => {
    const groups =
      node === 0 && !upward && focus === undefined
        ? groupBelow(view, { origins: [0], cursors: [0] })
        : node === 0
          ? groupHere(view, covers[0] as Cover)
          : upward
            ? groupAbove(view, covers[node] as Cover)
            : groupBelow(view, covers[node] as Cover);
    const children = [...groups].map(([key, cover]) => ({ key, cover, width: weigh(cover, widths) }));
    const shown = children.filter(({ width }) => width > 0);
    if (shown.length === 0) return NO_CHILDREN;
    shown.sort((a, b) => b.width - a.width || a.key - b.key);
    const first = keys.length;
    let start = starts[node]!;
    for (const { key, cover, width } of shown) {
      keys.push(key);
      parents.push(node);
      depths.push(depths[node]! + 1);
      starts.push(start);
      covers.push(cover);
      for (const [at, each] of sums.entries()) values[at]!.push(at === 0 ? width : weigh(cover, each[part]));
      start += width;
    }
    return { first, count: shown.length };
  };

  return {
    key: (node) => keys[node] ?? -1,
    parent: (node) => parents[node] ?? 0,
    depth: (node) => depths[node] ?? 0,
    start: (node) => starts[node] ?? 0,
    value: (node, at = 0) => values[at]?.[node] ?? 0,
    children: (node) => {
      grown[node] ??= grow(node);
      return grown[node];
    },
    measure: (node, other) =>
      node === 0 && focus === undefined ? other.total[0]! : weigh(covers[node] as Cover, other[part]),
    places: (node) => covers[node]?.cursors ?? [],
  };
}

function rootCover(view: CallView, widths: Float64Array, upward: boolean, focus: number | undefined): Cover {
  if (focus !== undefined) {
    const tops = topmostOf(view, focus);
    return { origins: tops, cursors: tops };
  }
  if (!upward) return { origins: [0], cursors: [0] };
  const ends: number[] = [];
  for (let node = 1; node < widths.length; node++) if (widths[node]! > 0) ends.push(node);
  return { origins: ends, cursors: ends };
}

/** The nodes of a key that have no other of it above them: what is below them counts once. */
function topmostOf({ forest, anchor, key }: CallView, wanted: number): number[] {
  const found: number[] = [];
  for (let node = 1; node < forest.count; ) {
    if (anchor[node] === node && key[node] === wanted) {
      found.push(node);
      node = forest.end[node]!;
    } else node++;
  }
  return found;
}

function add(groups: Map<number, Cover>, key: number, origin: number, cursor: number, upward: boolean): void {
  let cover = groups.get(key);
  if (!cover) {
    const origins: number[] = [];
    cover = { origins, cursors: upward ? [] : origins };
    groups.set(key, cover);
  }
  cover.origins.push(origin);
  if (upward) cover.cursors.push(cursor);
}

function groupHere({ key }: CallView, { origins, cursors }: Cover): Map<number, Cover> {
  const groups = new Map<number, Cover>();
  for (const [at, origin] of origins.entries()) add(groups, key[cursors[at]!]!, origin, cursors[at]!, true);
  return groups;
}

function groupAbove({ forest, anchor, key }: CallView, { origins, cursors }: Cover): Map<number, Cover> {
  const groups = new Map<number, Cover>();
  for (let at = 0; at < origins.length; at++) {
    const above = anchor[forest.parent[cursors[at]!]!]!;
    if (above !== 0) add(groups, key[above]!, origins[at]!, above, true);
  }
  return groups;
}

function groupBelow({ forest, anchor, key }: CallView, { cursors }: Cover): Map<number, Cover> {
  const groups = new Map<number, Cover>();
  for (const above of cursors) {
    const end = forest.end[above]!;
    for (let node = above + 1; node < end; ) {
      if (anchor[node] === node) {
        add(groups, key[node]!, node, node, false);
        node = forest.end[node]!;
      } else node++;
    }
  }
  return groups;
}
