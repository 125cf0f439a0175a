/** Finds rows of a table by their content, with 4 bytes a row and no object: open addressing over a typed array. */
export interface InternTable {
  /** The row with this hash for which `same` holds; -1: none. */
  find(hash: number, same: (row: number) => boolean): number;
  /** Rows are added in order: 0, 1, 2, … */
  add(hash: number): number;
}

/** One step of a hash over 32-bit numbers. */
export function mixHash(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

export function openInternTable(): InternTable {
  let slots = new Uint32Array(1024);
  let hashes = new Int32Array(512);
  let count = 0;

  const place = (row: number) => {
    const mask = slots.length - 1;
    let slot = hashes[row]! & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = row + 1;
  };

  return {
    find(hash, same) {
      const mask = slots.length - 1;
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const row = slots[slot]! - 1;
        if (row < 0) return -1;
        if (hashes[row] === hash && same(row)) return row;
      }
    },
    add(hash) {
      if (count === hashes.length) {
        hashes = growArray(hashes, count + 1);
        slots = new Uint32Array(hashes.length * 2);
        for (let row = 0; row < count; row++) place(row);
      }
      hashes[count] = hash | 0;
      place(count);
      return count++;
    },
  };
}

type Column = Uint8Array | Int32Array | Uint32Array | Float64Array;

/** The array itself, or a larger one with its content: a power of two in length. */
export function growArray<T extends Column>(array: T, needed: number): T {
  if (needed <= array.length) return array;
  let length = Math.max(array.length, 16);
  while (length < needed) length *= 2;
  const grown = new (array.constructor as new (length: number) => T)(length);
  grown.set(array as never);
  return grown;
}
