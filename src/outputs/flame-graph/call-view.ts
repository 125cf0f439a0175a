import type { FrameKeys } from './frame-keys.js';
import type { PackedRows, StackForest, ValueColumn } from './packed-profile.js';

/** The stacks as the chosen keys show them: nodes whose frame is hidden, or continues its caller's key, belong to the nearest shown one above. */
export interface CallView {
  readonly forest: StackForest;
  readonly keys: FrameKeys;
  /** By node: itself where it is shown, the nearest shown node above where it is not; 0: none. */
  readonly anchor: Uint32Array;
  /** By node: the key of its anchor; -1 at the root. */
  readonly key: Int32Array;
}

export function viewStacks(forest: StackForest, keys: FrameKeys): CallView {
  const anchor = new Uint32Array(forest.count);
  const key = new Int32Array(forest.count).fill(-1);
  for (let node = 1; node < forest.count; node++) {
    const above = forest.parent[node]!;
    const own = keys.ofFrame[forest.frame[node]!]!;
    const isShown = own >= 0 && !(keys.runs[own] === 1 && key[above] === own);
    anchor[node] = isShown ? node : anchor[above]!;
    key[node] = isShown ? own : key[above]!;
  }
  return { forest, keys, anchor, key };
}

/** Values by node of a view: what ends there, and that with all that ends below. Only shown nodes and the root have any. */
export interface NodeSums {
  readonly self: Float64Array;
  readonly total: Float64Array;
}

/** Sums a column by node. `thread` is a string number; left out: all threads. A profile that is itself a difference counts below 0 as 0. */
export function sumRows(view: CallView, rows: PackedRows, column: ValueColumn, thread?: number): NodeSums {
  const values = rows.columns[column];
  const self = new Float64Array(view.forest.count);
  for (let row = 0; values && row < rows.count; row++) {
    if (thread !== undefined && rows.thread[row] !== thread) continue;
    const value = values[row]!;
    if (value > 0) self[view.anchor[rows.node[row]!]!]! += value;
  }
  return withTotals(view, self);
}

/** What each stack has more in `now` than in `base`; 0 where it has less. */
export function sumGrowth(view: CallView, now: NodeSums, base: NodeSums): NodeSums {
  return withTotals(
    view,
    now.self.map((value, node) => Math.max(0, value - base.self[node]!)),
  );
}

function withTotals({ forest }: CallView, self: Float64Array): NodeSums {
  const total = self.slice();
  for (let node = forest.count - 1; node > 0; node--) total[forest.parent[node]!]! += total[node]!;
  return { self, total };
}
