import type { CallTree } from './call-tree.js';

/** The boxes of one level, from left to right. */
export interface BoxRow {
  readonly left: number[];
  readonly right: number[];
  /** The tree's node; for a box that stands for siblings too narrow to be drawn, their parent. */
  readonly node: number[];
  /** How many siblings the box stands for; 0: it is a node of its own. */
  readonly rest: number[];
}

export interface LayoutOptions {
  /** The part of the root that fills the width, in the tree's units. */
  readonly from: number;
  readonly to: number;
  readonly width: number;
  /** Narrower boxes are put together with those to their right. */
  readonly minWidth: number;
  readonly maxRows?: number;
}

/** Lays out what can be seen of a tree, row by row; only that grows. */
export function layOutBoxes(tree: CallTree, options: LayoutOptions): BoxRow[] {
  const { from, to, width, minWidth, maxRows = Number.POSITIVE_INFINITY } = options;
  const scale = width / (to - from);
  const place = (value: number) => Math.min(width, Math.max(0, (value - from) * scale));
  const rows: BoxRow[] = [];
  let row: BoxRow = { left: [], right: [], node: [], rest: [] };
  const put = (left: number, right: number, node: number, rest: number) => {
    row.left.push(left);
    row.right.push(right);
    row.node.push(node);
    row.rest.push(rest);
  };
  if (tree.value(0) > 0 && to > from) put(place(0), place(tree.value(0)), 0, 0);
  while (row.node.length > 0 && rows.length < maxRows) {
    rows.push(row);
    const above = row;
    row = { left: [], right: [], node: [], rest: [] };
    for (const [at, parent] of above.node.entries()) {
      if (above.rest[at] !== 0) continue;
      const { first, count } = tree.children(parent);
      for (let node = first; node < first + count; node++) {
        const left = tree.start(node);
        if (left >= to) break;
        const right = left + tree.value(node);
        if (right <= from) continue;
        if (tree.value(node) * scale >= minWidth) {
          put(place(left), place(right), node, 0);
          continue;
        }
        // The largest come first: all that follow are as narrow.
        const last = first + count - 1;
        const end = tree.start(last) + tree.value(last);
        if ((end - left) * scale >= minWidth && end > from) put(place(left), place(end), parent, first + count - node);
        break;
      }
    }
  }
  return rows;
}

/** The box of a row at a distance from the left; -1: none. */
export function findBox({ left, right }: BoxRow, x: number): number {
  let low = 0;
  let high = left.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (x < left[middle]!) high = middle - 1;
    else if (x >= right[middle]!) low = middle + 1;
    else return middle;
  }
  return -1;
}
