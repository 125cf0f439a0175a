import type { ElfImage, ElfSegment } from '../../model/elf.js';
import type { ByteSource } from '../elf/byte-source.js';
import { elfNumbers } from '../elf/elf-image.js';
import { sectionBytes } from '../elf/section-bytes.js';
import { DYNAMIC_SYMBOL_TABLE, type ElfSection, SYMBOL_TABLE } from '../elf/sections.js';

/** A function of an ELF file. */
export interface ElfSymbol {
  /** As the compiler wrote it: mangled. */
  readonly name: string;
  /** Unrelocated. */
  readonly address: number;
  /** 0: not told, it goes on to the next one. */
  readonly bytes: number;
}

const STT_NOTYPE = 0;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
const STB_LOCAL = 0;
const STB_GLOBAL = 1;
/** Small enough for the memory of one to serve the next. */
const CHUNK_ENTRIES = 4096;
/** The largest programs have some millions; a damaged table may claim anything, also that each function is everywhere. */
const MAX_SYMBOLS = 16 * 1024 * 1024;
const MAX_STEPS = 100_000_000;
const MAX_ALIASES = 8;
const NAME_CHUNK_BYTES = 256;
const MAX_NAME_BYTES = 64 * 1024;

/** The best symbols so far for each address that is asked for; rows of typed arrays, since a table has 100,000 symbols and more. */
interface Candidates {
  /** Ascending, each once. */
  readonly addresses: Float64Array;
  /** The nearest function that says how long it is, and holds the address. */
  readonly holding: Columns;
  /** The nearest one whose length is not told. */
  readonly open: Columns;
  /** Where the nearest function of any kind begins. */
  readonly nearest: Float64Array;
}

interface Columns {
  readonly start: Float64Array;
  readonly bytes: Float64Array;
  readonly nameAt: Uint32Array;
  readonly rank: Uint8Array;
  /** Further names of the same function and rank. */
  readonly aliases: Map<number, number[]>;
}

function columns(count: number): Columns {
  return {
    start: new Float64Array(count).fill(-1),
    bytes: new Float64Array(count),
    nameAt: new Uint32Array(count),
    rank: new Uint8Array(count),
    aliases: new Map(),
  };
}

/** The first place in ascending numbers that is at least `value`. */
function lowerBound(numbers: Float64Array, value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function take(to: Columns, row: number, start: number, bytes: number, nameAt: number, rank: number): void {
  const known = to.start[row]!;
  if (known > start || (known === start && to.rank[row]! > rank)) return;
  if (known === start && to.rank[row] === rank) {
    const aliases = to.aliases.get(row) ?? [];
    if (aliases.length < MAX_ALIASES) to.aliases.set(row, [...aliases, nameAt]);
    return;
  }
  to.aliases.delete(row);
  to.start[row] = start;
  to.bytes[row] = bytes;
  to.nameAt[row] = nameAt;
  to.rank[row] = rank;
}

/** Several names for one address: what is called from outside before aliases and local labels. */
function rankOf(type: number, binding: number): number {
  const bound = binding === STB_GLOBAL ? 3 : binding === STB_LOCAL ? 1 : 2;
  return (type === STT_NOTYPE ? 0 : 4) + bound;
}

/** Gives the number of addresses that the function holds. */
function offer(to: Candidates, start: number, bytes: number, nameAt: number, rank: number): number {
  const { addresses } = to;
  const first = lowerBound(addresses, start);
  if (first === addresses.length) return 0;
  if (to.nearest[first]! < start) to.nearest[first] = start;
  if (bytes === 0) take(to.open, first, start, 0, nameAt, rank);
  const end = start + bytes;
  let row = first;
  for (; row < addresses.length && addresses[row]! < end; row++) take(to.holding, row, start, bytes, nameAt, rank);
  return row - first;
}

function isFunction(info: number): boolean {
  const type = info & 15;
  return type === STT_FUNC || type === STT_NOTYPE || type === STT_GNU_IFUNC;
}

/** Offers the functions of a piece of a table; gives the steps it took. */
type ChunkScan = (chunk: Buffer, to: Candidates) => number;

/** The tables of nearly all machines as an array of words, ten times as fast as reading number by number. */
const scanWords: ChunkScan = (chunk, to) => {
  const words = new Uint32Array(chunk.buffer, chunk.byteOffset, Math.floor(chunk.length / 24) * 6);
  const last = to.addresses[to.addresses.length - 1] ?? -1;
  let steps = 0;
  for (let at = 0; at < words.length; at += 6) {
    const info = words[at + 1]! & 255;
    const start = words[at + 2]! + words[at + 3]! * 4294967296;
    // The upper half of the second word is the section; 0 is no section.
    if (start > last || start === 0 || words[at] === 0 || words[at + 1]! >>> 16 === 0 || !isFunction(info)) continue;
    const bytes = words[at + 4]! + words[at + 5]! * 4294967296;
    steps += offer(to, start, bytes, words[at]!, rankOf(info & 15, info >> 4));
  }
  return steps;
};

function scanNumbers(image: ElfImage): ChunkScan {
  const wide = image.bits === 64;
  const entryBytes = wide ? 24 : 16;
  const { half, word, long } = elfNumbers(image.bits, image.littleEndian);
  const [sectionAt, valueAt, bytesAt, infoAt] = wide ? [6, 8, 16, 4] : [14, 4, 8, 12];
  return (chunk, to) => {
    let steps = 0;
    for (let at = 0; at + entryBytes <= chunk.length; at += entryBytes) {
      const info = chunk[at + infoAt]!;
      const start = long(chunk, at + valueAt);
      const name = word(chunk, at);
      if (start === 0 || name === 0 || half(chunk, at + sectionAt) === 0 || !isFunction(info)) continue;
      steps += offer(to, start, long(chunk, at + bytesAt), name, rankOf(info & 15, info >> 4));
    }
    return steps;
  };
}

const HOST_IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Offers all functions of a symbol table: one pass, without sorting it. */
function scanTable(table: ByteSource, image: ElfImage, to: Candidates): void {
  const entryBytes = image.bits === 64 ? 24 : 16;
  const fast = image.bits === 64 && image.littleEndian && HOST_IS_LITTLE;
  const slow = scanNumbers(image);
  const count = Math.min(Math.floor(table.sizeBytes / entryBytes), MAX_SYMBOLS);
  for (let from = 0, steps = 0; from < count && steps < MAX_STEPS; from += CHUNK_ENTRIES) {
    const chunk = table.readAt(from * entryBytes, Math.min(CHUNK_ENTRIES, count - from) * entryBytes);
    steps += fast && chunk.byteOffset % 4 === 0 ? scanWords(chunk, to) : slow(chunk, to);
  }
}

function nameAt(strings: ByteSource, at: number): string {
  let bytes = strings.readAt(at, NAME_CHUNK_BYTES);
  let end = bytes.indexOf(0);
  if (end < 0) {
    bytes = strings.readAt(at, MAX_NAME_BYTES);
    end = bytes.indexOf(0);
  }
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Of several names the one with the fewest underscores in front: `malloc` rather than `__libc_malloc`. */
function plainest(names: readonly string[]): string | undefined {
  const depth = (name: string) => name.search(/[^_]/);
  // C++ symbols begin with one, and are equal then.
  return names.reduce<string | undefined>(
    (best, name) => (best === undefined || depth(name) < depth(best) ? name : best),
    undefined,
  );
}

function isExecutable(segments: readonly ElfSegment[], from: number, to: number): boolean {
  return segments.some(
    ({ address, memoryBytes, executable }) => executable && from >= address && to < address + memoryBytes,
  );
}

function searchTable(
  source: ByteSource,
  image: ElfImage,
  sections: readonly ElfSection[],
  symbols: ElfSection,
  addresses: Float64Array,
): (ElfSymbol | undefined)[] {
  const count = addresses.length;
  const found: Candidates = {
    addresses,
    holding: columns(count),
    open: columns(count),
    nearest: new Float64Array(count).fill(-1),
  };
  scanTable(sectionBytes(source, image, symbols), image, found);
  const names = sections[symbols.link];
  const strings = names && sectionBytes(source, image, names);
  const symbolAt = ({ start, bytes, nameAt: at, aliases }: Columns, row: number): ElfSymbol | undefined => {
    const names = strings && [at[row]!, ...(aliases.get(row) ?? [])].map((place) => nameAt(strings, place));
    const name = names && plainest(names);
    return name ? { name, address: start[row]!, bytes: bytes[row]! } : undefined;
  };
  let nearest = -1;
  let lastOpen = -1;
  return Array.from({ length: count }, (_, row) => {
    nearest = Math.max(nearest, found.nearest[row]!);
    if (found.open.start[row]! >= 0) lastOpen = row;
    if (found.holding.start[row]! >= 0) return symbolAt(found.holding, row);
    // What says no length reaches as far as the next function: handwritten assembly.
    const start = lastOpen < 0 ? -1 : found.open.start[lastOpen]!;
    if (start < 0 || start !== nearest || !isExecutable(image.segments, start, addresses[row]!)) return undefined;
    return symbolAt(found.open, lastOpen);
  });
}

/**
 * The function at each unrelocated address; undefined where no symbol covers it. The full table is asked, or, where a file was stripped of
 * it, the one that the loader uses, which is a part of it. A symbol that ends before the address does not name it.
 *
 * @param addresses ascending, each once
 */
export function findSymbols(
  source: ByteSource,
  image: ElfImage,
  sections: readonly ElfSection[],
  addresses: Float64Array,
): (ElfSymbol | undefined)[] {
  const table = [SYMBOL_TABLE, DYNAMIC_SYMBOL_TABLE]
    .map((wanted) => sections.find(({ type, bytes }) => type === wanted && bytes > 0))
    .find((section) => section !== undefined);
  if (!table || addresses.length === 0) return Array.from({ length: addresses.length }, () => undefined);
  return searchTable(source, image, sections, table, addresses);
}
