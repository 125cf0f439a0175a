import type { PackedFrames } from './packed-profile.js';
import {
  type PackedProfile,
  type PackedRows,
  type StackForest,
  VALUE_COLUMNS,
  type ValueColumn,
} from './packed-profile.js';

/** A packed profile as JSON can carry it: numbers as base64. */
export interface EncodedProfile {
  readonly strings: readonly string[];
  readonly frames: PackedFrames;
  readonly nodes: number;
  /** Base64 of varints, node by node: twice the frame, plus 1 where the parent is not the node before; then how many levels further up. */
  readonly forest: string;
  readonly now: EncodedRows;
  readonly base: EncodedRows | null;
}

export interface EncodedRows {
  readonly count: number;
  /** Base64 of varints: how far from the row before. */
  readonly node: string;
  /** Base64 of varints. */
  readonly thread: string;
  /** Base64 of doubles, little-endian. */
  readonly columns: Readonly<Partial<Record<ValueColumn, string>>>;
}

interface Varints {
  write(value: number): void;
  base64(): string;
}

function openVarints(): Varints {
  let bytes = new Uint8Array(1024);
  let length = 0;
  return {
    write(value) {
      if (length + 8 > bytes.length) {
        const grown = new Uint8Array(bytes.length * 2);
        grown.set(bytes);
        bytes = grown;
      }
      let rest = value;
      while (rest >= 128) {
        bytes[length++] = (rest % 128) | 128;
        rest = Math.floor(rest / 128);
      }
      bytes[length++] = rest;
    },
    base64: () => base64(bytes.subarray(0, length)),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function encodeForest({ count, frame, parent }: StackForest): string {
  const varints = openVarints();
  for (let node = 1; node < count; node++) {
    let up = 0;
    for (let above = node - 1; above !== parent[node]; above = parent[above]!) up++;
    varints.write(frame[node]! * 2 + (up > 0 ? 1 : 0));
    if (up > 0) varints.write(up - 1);
  }
  return varints.base64();
}

function encodeRows({ count, node, thread, columns }: PackedRows): EncodedRows {
  const nodes = openVarints();
  for (let row = 0; row < count; row++) nodes.write(node[row]! - (node[row - 1] ?? 0));
  const threads = openVarints();
  for (const value of thread) threads.write(value);
  const doubles = VALUE_COLUMNS.flatMap((name) => {
    const column = columns[name];
    return column ? [[name, base64(new Uint8Array(column.buffer, column.byteOffset, column.byteLength))]] : [];
  });
  return { count, node: nodes.base64(), thread: threads.base64(), columns: Object.fromEntries(doubles) };
}

/** What {@link decodePacked} reads. */
export function encodePacked({ strings, frames, forest, now, base }: PackedProfile): EncodedProfile {
  return {
    strings,
    frames,
    nodes: forest.count,
    forest: encodeForest(forest),
    now: encodeRows(now),
    base: base ? encodeRows(base) : null,
  };
}
