import type { CallTree, TreeDirection } from '../call-tree.js';
import type { Granularity } from '../frame-keys.js';
import type { Report, Sums } from './report.js';

/** A part of a tree's width, in its units. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A key by its names: numbers change with what is hidden. */
interface KeyName {
  readonly label: string;
  readonly where: string;
}

/** What the reader looks at: all that back brings back. */
export interface Look {
  readonly direction: TreeDirection;
  readonly granularity: Granularity;
  /** Only stacks with this. */
  readonly focus: KeyName | undefined;
  /** From the root's child to the node that fills the width. */
  readonly path: readonly KeyName[];
  /** What fills the width where it is no node: zoomed with the wheel, or into boxes too narrow to be drawn. */
  readonly range: Range | undefined;
}

/** Where the reader is in the profile, and the way back. */
export interface GraphPlace {
  look(): Look;
  tree(): CallTree;
  sums(): Sums;
  /** The node that fills the width, or is nearest above what does. */
  zoomed(): number;
  /** From the root's child to the zoomed node. */
  path(): readonly number[];
  /** What fills the width. */
  shown(): Range;
  canGoBack(): boolean;
  canReset(): boolean;
  /** Looks at something else, in a tree of its own. */
  change(next: Partial<Look>): void;
  /** The focus on a key of a granularity. */
  focusOn(granularity: Granularity, key: number, direction: TreeDirection): void;
  zoomTo(node: number): void;
  /** The last children of a node, too narrow to be drawn: first the node itself, then the part where these are. */
  zoomIntoRest(parent: number, count: number): void;
  /** Moves freely; a series of moves is one step back. */
  moveTo(range: Range): void;
  reset(): void;
  /** False: there is nothing to go back to. */
  back(): boolean;
  /** Keeps the place, as far as it still exists, after the report's choices have changed. */
  refresh(): void;
}

export function openGraphPlace(report: Report): GraphPlace {
  let look: Look = { direction: 'callees', granularity: 'function', focus: undefined, path: [], range: undefined };
  const past: Look[] = [];
  let sums = report.sums(look.granularity);
  let tree = report.tree(look.granularity, look.direction, undefined);
  let zoomed = 0;

  const nameOf = ({ view: { keys } }: Sums, key: number): KeyName => ({
    label: keys.label[key] ?? '',
    where: keys.where[key] ?? '',
  });
  const isNamed = (key: number, { label, where }: KeyName) => {
    const { keys } = sums.view;
    return keys.label[key] === label && keys.where[key] === where;
  };
  const pathOf = (node: number): number[] => {
    const path: number[] = [];
    for (let at = node; at !== 0; at = tree.parent(at)) path.unshift(at);
    return path;
  };

  function plant() {
    sums = report.sums(look.granularity);
    const { focus } = look;
    const key = focus ? sums.view.keys.label.findIndex((_, at) => isNamed(at, focus)) : -1;
    if (focus && key < 0) look = { ...look, focus: undefined };
    tree = report.tree(look.granularity, look.direction, key < 0 ? undefined : key);
    zoomed = 0;
    for (const name of look.path) {
      const { first, count } = tree.children(zoomed);
      let next = first;
      while (next < first + count && !isNamed(tree.key(next), name)) next++;
      if (next === first + count) break;
      zoomed = next;
    }
  }

  function go(next: Look) {
    past.push(look);
    look = next;
  }

  function change(next: Partial<Look>) {
    go({ ...look, range: undefined, ...next });
    plant();
  }

  function zoomTo(node: number) {
    if (node === zoomed && !look.range) return;
    zoomed = node;
    go({ ...look, path: pathOf(node).map((at) => nameOf(sums, tree.key(at))), range: undefined });
  }

  return {
    look: () => look,
    tree: () => tree,
    sums: () => sums,
    zoomed: () => zoomed,
    path: () => pathOf(zoomed),
    shown: () => look.range ?? { from: tree.start(zoomed), to: tree.start(zoomed) + tree.value(zoomed) },
    canGoBack: () => past.length > 0,
    canReset: () => zoomed !== 0 || look.focus !== undefined || look.range !== undefined,
    change,
    focusOn(granularity, key, direction) {
      change({ granularity, direction, path: [], focus: nameOf(report.sums(granularity), key) });
    },
    zoomTo,
    zoomIntoRest(parent, count) {
      if (parent !== zoomed) return zoomTo(parent);
      const { first, count: all } = tree.children(parent);
      const last = first + all - 1;
      go({ ...look, range: { from: tree.start(last - count + 1), to: tree.start(last) + tree.value(last) } });
    },
    moveTo(range) {
      if (!look.range) past.push(look);
      look = { ...look, range };
    },
    reset() {
      if (look.focus) change({ focus: undefined, path: [] });
      else zoomTo(0);
    },
    back() {
      const last = past.pop();
      if (!last) return false;
      look = last;
      plant();
      return true;
    },
    refresh() {
      look = { ...look, range: undefined };
      plant();
    },
  };
}
