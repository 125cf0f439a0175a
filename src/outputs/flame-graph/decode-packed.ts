import type { EncodedProfile, EncodedRows } from './encode-packed.js';
import { type PackedProfile, type PackedRows, type StackForest, VALUE_COLUMNS } from './packed-profile.js';

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

function readVarints(text: string): () => number {
  const bytes = fromBase64(text);
  let at = 0;
  return () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
}

function decodeForest(count: number, text: string): StackForest {
  const next = readVarints(text);
  const frame = new Uint32Array(count);
  const parent = new Uint32Array(count);
  const end = new Uint32Array(count);
  for (let node = 1; node < count; node++) {
    const token = next();
    let above = node - 1;
    if (token % 2 === 1) for (let up = next() + 1; up > 0; up--) above = parent[above]!;
    frame[node] = Math.floor(token / 2);
    parent[node] = above;
  }
  for (let node = count - 1; node >= 0; node--) {
    end[node] = Math.max(end[node]!, node + 1);
    end[parent[node]!] = Math.max(end[parent[node]!]!, end[node]!);
  }
  return { count, frame, parent, end };
}

function decodeRows({ count, node, thread, columns }: EncodedRows): PackedRows {
  const steps = readVarints(node);
  const threads = readVarints(thread);
  let at = 0;
  const nodes = Uint32Array.from({ length: count }, () => {
    at += steps();
    return at;
  });
  const doubles = VALUE_COLUMNS.map((name) => {
    const text = columns[name];
    return [name, text === undefined ? undefined : new Float64Array(fromBase64(text).buffer)];
  });
  return {
    count,
    node: nodes,
    thread: Uint32Array.from({ length: count }, threads),
    columns: Object.fromEntries(doubles) as PackedRows['columns'],
  };
}

/** Reads what `encodePacked` wrote. */
export function decodePacked({ strings, frames, nodes, forest, now, base }: EncodedProfile): PackedProfile {
  return {
    strings,
    frames,
    forest: decodeForest(nodes, forest),
    now: decodeRows(now),
    base: base ? decodeRows(base) : undefined,
  };
}
