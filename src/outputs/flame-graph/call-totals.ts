import type { CallView, NodeSums } from './call-view.js';

/** Values by key. */
export interface KeyTotals {
  /** Allocated by the function itself (and what it hides). */
  readonly flat: Float64Array;
  /** With all that it called; a function that calls itself counts once. */
  readonly cumulative: Float64Array;
}

/** Calls `enter` for each shown node in preorder, and `leave` when all below it is done. */
function walk({ forest, anchor }: CallView, enter: (node: number) => void, leave: (node: number) => void): void {
  const open: number[] = [];
  for (let node = 1; node < forest.count; node++) {
    if (anchor[node] !== node) continue;
    while (open.length > 0 && forest.end[open[open.length - 1]!]! <= node) leave(open.pop()!);
    enter(node);
    open.push(node);
  }
  while (open.length > 0) leave(open.pop()!);
}

export function sumByKey(view: CallView, { self, total }: NodeSums): KeyTotals {
  const flat = new Float64Array(view.keys.count);
  const cumulative = new Float64Array(view.keys.count);
  const depth = new Uint32Array(view.keys.count);
  walk(
    view,
    (node) => {
      const key = view.key[node]!;
      flat[key]! += self[node]!;
      if (depth[key]!++ === 0) cumulative[key]! += total[node]!;
    },
    (node) => {
      depth[view.key[node]!]!--;
    },
  );
  return { flat, cumulative };
}

/** Who calls a function and whom it calls, with what passed through each; -1 among the callers: it was called by none. */
export interface Neighbours {
  readonly callers: ReadonlyMap<number, number>;
  readonly callees: ReadonlyMap<number, number>;
}

export function findNeighbours(view: CallView, { total }: NodeSums, wanted: number): Neighbours {
  const callers = new Map<number, number>();
  const callees = new Map<number, number>();
  const openCallers = new Map<number, number>();
  const openCallees = new Map<number, number>();
  const above = (node: number) => view.key[view.forest.parent[node]!]!;
  const enter = (sums: Map<number, number>, open: Map<number, number>, key: number, value: number) => {
    const depth = open.get(key) ?? 0;
    // A call within the same call has been counted with it.
    if (depth === 0) sums.set(key, (sums.get(key) ?? 0) + value);
    open.set(key, depth + 1);
  };
  const leave = (open: Map<number, number>, key: number) => open.set(key, (open.get(key) ?? 1) - 1);
  walk(
    view,
    (node) => {
      const key = view.key[node]!;
      const caller = above(node);
      if (key === wanted) enter(callers, openCallers, caller, total[node]!);
      if (caller === wanted) enter(callees, openCallees, key, total[node]!);
    },
    (node) => {
      const key = view.key[node]!;
      const caller = above(node);
      if (key === wanted) leave(openCallers, caller);
      if (caller === wanted) leave(openCallees, key);
    },
  );
  return { callers, callees };
}

/** What is in stacks that have at least one of these keys. `matched` is by key: 1 or 0. */
export function sumMatching({ forest, key, anchor }: CallView, { self }: NodeSums, matched: Uint8Array): number {
  const isUnder = new Uint8Array(forest.count);
  let sum = 0;
  for (let node = 1; node < forest.count; node++) {
    isUnder[node] = isUnder[forest.parent[node]!]! | (anchor[node] === node ? matched[key[node]!]! : 0);
    if (isUnder[node] === 1) sum += self[node]!;
  }
  return sum;
}
