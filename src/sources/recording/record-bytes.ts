/**
 * The bytes of a recording. A file is the 8 bytes `JEMREC`, format version, line feed; then records, each
 *
 *     varint  (length of the content) × 4 + type
 *     content
 *     u16     CRC-16/CCITT of the varint and the content, little endian
 *
 * so that the last whole record can be told from whatever a crash left behind it. A sample's content is
 *
 *     varint  change of the monotonic clock's step, in µs, zigzag
 *     varint  how far the wall clock's step, in whole ms, is from the monotonic one's, zigzag
 *     bitmap  the columns that changed, one bit each, lowest bit first
 *     cells   one for each of them: 0 not measured any more, 1 an absolute double follows, else 2 + the change, zigzag;
 *             in columns of bytes the change has one bit more, lowest: whether it counts in units of 4096
 *
 * where a change is against what is expected: the last value that was there, and where the head says that the column follows another,
 * as much more as that one's change in this sample. Columns that follow come behind all others in the cells.
 *
 * The head and events are JSON. Varints have 7 bits a byte, lowest first, and at most 53 bits.
 */
export const FORMAT_VERSION = 1;

/** The first bytes of every recording; the format's version stands behind them. */
export const MAGIC = Uint8Array.of(0x4a, 0x45, 0x4d, 0x52, 0x45, 0x43);

/** Magic, version and a line feed. */
export const PREAMBLE_BYTES = 8;

/** What a record holds; 0 is none, as a crash may leave zeros. */
export const RECORD_TYPES = { head: 1, sample: 2, event: 3 } as const;

/** The bytes that memory comes in: most changes are whole multiples of it. */
export const UNIT_BYTES = 4096;

/** A change beyond this is written as an absolute number: larger varints are not exact. */
export const LARGEST_CHANGE = 2 ** 50;

/** Columns whose changes are often whole pages. */
export function countsBytes(column: string): boolean {
  return column.endsWith('Bytes');
}

/** A signed whole number as an unsigned one, small where it is near 0. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** The other way round. */
export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** CRC-16/CCITT-FALSE of a stretch of bytes. */
export function checksum(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffff;
  for (let at = from; at < to; at++) {
    let x = ((crc >> 8) ^ (bytes[at] as number)) & 0xff;
    x ^= x >> 4;
    crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xffff;
  }
  return crc;
}

/** Reads numbers one behind the other; what is not there is NaN, and stays so. */
export function openByteReader(bytes: Uint8Array, from: number, to: number) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  return {
    get at() {
      return at;
    },
    varint(): number {
      let value = 0;
      let factor = 1;
      for (let count = 0; count < 8 && at < to; count++) {
        const byte = bytes[at++] as number;
        value += (byte & 0x7f) * factor;
        if (byte < 0x80) return value;
        factor *= 128;
      }
      at = to + 1;
      return Number.NaN;
    },
    double(): number {
      if (at + 8 > to) {
        at = to + 1;
        return Number.NaN;
      }
      at += 8;
      return view.getFloat64(at - 8, true);
    },
    bytes(length: number): Uint8Array {
      const end = Math.min(to, at + length);
      const part = bytes.subarray(Math.min(at, to), end);
      at = at + length > to ? to + 1 : at + length;
      return part;
    },
    /** Everything was there and nothing is left. */
    get done() {
      return at === to;
    },
  };
}

/** Whether a number is whole, and near enough to 0 that sums of such are exact. */
export function isExact(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) <= LARGEST_CHANGE;
}

/** The order in which columns are coded, and what each is expected to be; for both sides of the coding. */
export interface ColumnPlan {
  readonly order: readonly number[];
  /** What a column is expected to be, given the values that were there before and those of this sample. */
  expected(column: number, base: Float64Array, previousBase: Float64Array): number;
}

/**
 * @param followed names by name, as in a file's head; whatever of it makes no sense is as if it were not there.
 */
export function planColumns(columns: readonly string[], followed: Readonly<Record<string, unknown>>): ColumnPlan {
  const leaders = columns.map((name) => {
    const text = Object.hasOwn(followed, name) ? followed[name] : undefined;
    if (typeof text !== 'string') return undefined;
    const at = columns.indexOf(text.replace(/^-/, ''));
    return at === -1 || Object.hasOwn(followed, columns[at] ?? '')
      ? undefined
      : { at, sign: text.startsWith('-') ? -1 : 1 };
  });
  const all = columns.map((_, at) => at);
  return {
    order: [...all.filter((at) => !leaders[at]), ...all.filter((at) => leaders[at])],
    expected(column, base, previousBase) {
      const own = base[column] as number;
      const leader = leaders[column];
      if (!leader) return own;
      const [now, before] = [base[leader.at] as number, previousBase[leader.at] as number];
      const expected = own + leader.sign * (now - before);
      return isExact(own) && isExact(now) && isExact(before) && isExact(expected) ? expected : own;
    },
  };
}
