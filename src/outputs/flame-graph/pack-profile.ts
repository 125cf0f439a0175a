import { frameName, packageOf, readablePath } from '../../model/frame-names.js';
import { FRAME_KINDS, type Frame, frameAt, type HeapProfile } from '../../model/heap-profile.js';
import { mixHash, openInternTable } from '../../model/intern-table.js';
import {
  type PackedFrames,
  type PackedProfile,
  type PackedRows,
  type StackForest,
  VALUE_COLUMNS,
  type ValueColumn,
} from './packed-profile.js';
import { shownText } from './shown-text.js';

/** Lays a profile out for the report; with `base`, both over one another: what has the same frames stands once. */
export function packProfile(profile: HeapProfile, base?: HeapProfile): PackedProfile {
  const texts = openTexts();
  const frames = openFrames(texts.number);
  const nodes = openNodes();
  const both = (base ? [profile, base] : [profile]).map((one) =>
    collectRows(one, frames.add(one), nodes, texts.number),
  );
  const { forest, position } = nodes.build();
  const [now, old] = both.map((rows) => packRows(rows, position));
  return { strings: texts.list, frames: frames.table, forest, now: now as PackedRows, base: old };
}

function openTexts() {
  const list: string[] = [''];
  const numbers = new Map<string, number>([['', 0]]);
  return {
    list,
    /** Texts that are cut to the same are still two. */
    number(text: string): number {
      let number = numbers.get(text);
      if (number === undefined) {
        number = list.push(shownText(text)) - 1;
        numbers.set(text, number);
      }
      return number;
    },
  };
}

function openFrames(text: (text: string) => number) {
  const table: { -readonly [K in keyof PackedFrames]: number[] } = {
    name: [],
    place: [],
    file: [],
    line: [],
    functionLine: [],
    module: [],
    group: [],
    kind: [],
    inlined: [],
  };
  const known = new Map<string, number>();
  const intern = (frame: Frame, profile: HeapProfile): number => {
    const isJavascript = frame.kind === 'javascript' || frame.kind === 'node-javascript';
    const name = frameName(frame, profile.modules);
    const isNamed = frame.name !== '' || isJavascript;
    const row = [
      isNamed ? text(name) : 0,
      isNamed ? 0 : text(name),
      text(readablePath(frame.file)),
      frame.line,
      frame.functionLine,
      text(frame.module),
      text(packageOf(frame)),
      FRAME_KINDS.indexOf(frame.kind),
      frame.inlined ? 1 : 0,
    ];
    const content = row.join(' ');
    let number = known.get(content);
    if (number === undefined) {
      number = table.name.length;
      known.set(content, number);
      for (const [at, column] of Object.values(table).entries()) column.push(row[at] ?? 0);
    }
    return number;
  };
  return {
    table: table as PackedFrames,
    /** The packed frame of each frame of a profile. */
    add: (profile: HeapProfile): Uint32Array =>
      Uint32Array.from({ length: profile.frames.count }, (_, frame) => intern(frameAt(profile, frame), profile)),
  };
}

interface Nodes {
  /** The node of a frame under a node. */
  child(parent: number, frame: number): number;
  build(): { readonly forest: StackForest; readonly position: Uint32Array };
}

function openNodes(): Nodes {
  const index = openInternTable();
  const parents: number[] = [0];
  const frames: number[] = [0];
  index.add(0);
  return {
    child(parent, frame) {
      const hash = mixHash(mixHash(1, parent), frame);
      const found = index.find(hash, (node) => node > 0 && parents[node] === parent && frames[node] === frame);
      if (found >= 0) return found;
      parents.push(parent);
      frames.push(frame);
      return index.add(hash);
    },
    build() {
      const count = parents.length;
      const size = new Uint32Array(count).fill(1);
      for (let node = count - 1; node > 0; node--) size[parents[node]!]! += size[node]!;
      // A node comes after its parent, and children of one parent in the order in which they were met.
      const position = new Uint32Array(count);
      const next = new Uint32Array(count);
      next[0] = 1;
      const forest = {
        count,
        frame: new Uint32Array(count),
        parent: new Uint32Array(count),
        end: new Uint32Array(count),
      };
      forest.end[0] = count;
      for (let node = 1; node < count; node++) {
        const parent = parents[node]!;
        const at = next[parent]!;
        next[parent] = at + size[node]!;
        next[node] = at + 1;
        position[node] = at;
        forest.frame[at] = frames[node]!;
        forest.parent[at] = position[parent]!;
        forest.end[at] = at + size[node]!;
      }
      return { forest, position };
    },
  };
}

interface Rows {
  /** Nodes by when they were met. */
  readonly node: Uint32Array;
  readonly thread: Uint32Array;
  readonly columns: Readonly<Record<ValueColumn, Float64Array | undefined>>;
}

function collectRows(profile: HeapProfile, packed: Uint32Array, nodes: Nodes, text: (text: string) => number): Rows {
  const { stacks, samples, strings } = profile;
  const ends = new Int32Array(stacks.count).fill(-1);
  const endOf = (stack: number): number => {
    let node = ends[stack]!;
    if (node >= 0) return node;
    node = 0;
    const first = stacks.offsets[stack]!;
    for (let at = stacks.offsets[stack + 1]! - 1; at >= first; at--)
      node = nodes.child(node, packed[stacks.frames[at]!]!);
    ends[stack] = node;
    return node;
  };
  return {
    node: Uint32Array.from(samples.stack, endOf),
    thread: Uint32Array.from(samples.thread, (thread) => text(strings[thread] ?? '')),
    columns: samples,
  };
}

/** Rows in order of nodes and threads, each pair once. */
function packRows({ node, thread, columns }: Rows, position: Uint32Array): PackedRows {
  const order = Uint32Array.from(node, (_, row) => row).sort(
    (a, b) => position[node[a]!]! - position[node[b]!]! || thread[a]! - thread[b]!,
  );
  const target = new Uint32Array(order.length);
  let count = 0;
  for (let at = 0; at < order.length; at++) {
    const row = order[at]!;
    const last = order[at - 1];
    if (last === undefined || node[last] !== node[row] || thread[last] !== thread[row]) count++;
    target[at] = count - 1;
  }
  const sum = (column: Float64Array | undefined) => {
    if (!column) return undefined;
    const sums = new Float64Array(count);
    for (let at = 0; at < order.length; at++) sums[target[at]!]! += column[order[at]!]!;
    return sums;
  };
  const packed = { node: new Uint32Array(count), thread: new Uint32Array(count) };
  for (let at = 0; at < order.length; at++) {
    packed.node[target[at]!] = position[node[order[at]!]!]!;
    packed.thread[target[at]!] = thread[order[at]!]!;
  }
  const summed = Object.fromEntries(VALUE_COLUMNS.map((name) => [name, sum(columns[name])]));
  return { count, ...packed, columns: summed as PackedRows['columns'] };
}
