import type { ElfImage } from '../../model/elf.js';
import type { ByteSource } from './byte-source.js';
import { DT, elfNumbers, fileOffsetOf, stringAt } from './elf-image.js';

/** A symbol that others find in an image. */
export interface HashedSymbol {
  readonly index: number;
  /** Unrelocated. */
  readonly address: number;
  /** False where the image only lends its address: a program that takes a function's address offers its own PLT entry for it. */
  readonly defined: boolean;
}

/** A hash chain of a damaged file may lead in a circle; no real one is this long. */
const MAX_CHAIN = 100_000;
const MAX_NAME_BYTES = 512;

function gnuHash(name: string): number {
  let hash = 5381;
  for (const byte of Buffer.from(name)) hash = (Math.imul(hash, 33) + byte) >>> 0;
  return hash;
}

function systemVHash(name: string): number {
  let hash = 0;
  for (const byte of Buffer.from(name)) {
    hash = ((hash << 4) + byte) >>> 0;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

/**
 * Looks a name up among the symbols an image exports, through its hash table as the loader does: a few reads, not the whole
 * table.
 */
export function findHashedSymbol(source: ByteSource, image: ElfImage, name: string): HashedSymbol | undefined {
  const { word, half, long, longBytes } = elfNumbers(image.bits, image.littleEndian);
  const offsetOf = (tag: number) => {
    const address = image.dynamic.get(tag);
    return address === undefined ? undefined : fileOffsetOf(image.segments, address);
  };
  const symbolsAt = offsetOf(DT.SYMTAB);
  const stringsAt = offsetOf(DT.STRTAB);
  if (symbolsAt === undefined || stringsAt === undefined) return undefined;
  const wordAt = (at: number) => {
    const bytes = source.readAt(at, 4);
    return bytes.length === 4 ? word(bytes, 0) : undefined;
  };
  const symbolBytes = image.bits === 64 ? 24 : 16;

  const match = (index: number): HashedSymbol | undefined => {
    const symbol = source.readAt(symbolsAt + index * symbolBytes, symbolBytes);
    if (symbol.length < symbolBytes) return undefined;
    const text = source.readAt(stringsAt + word(symbol, 0), Math.min(name.length + 1, MAX_NAME_BYTES));
    if (stringAt(text, 0) !== name) return undefined;
    const defined = half(symbol, image.bits === 64 ? 6 : 14) !== 0;
    return { index, address: long(symbol, image.bits === 64 ? 8 : 4), defined };
  };

  const gnuAt = offsetOf(DT.GNU_HASH);
  if (gnuAt !== undefined) {
    const head = source.readAt(gnuAt, 16);
    if (head.length < 16) return undefined;
    const buckets = word(head, 0);
    const firstHashed = word(head, 4);
    const bucketsAt = gnuAt + 16 + word(head, 8) * longBytes;
    const hash = gnuHash(name);
    if (buckets === 0) return undefined;
    let index = wordAt(bucketsAt + (hash % buckets) * 4);
    const chainAt = bucketsAt + buckets * 4;
    for (let steps = 0; index !== undefined && index >= firstHashed && steps < MAX_CHAIN; steps++, index++) {
      const entry = wordAt(chainAt + (index - firstHashed) * 4);
      if (entry === undefined) return undefined;
      const found = (entry | 1) >>> 0 === (hash | 1) >>> 0 ? match(index) : undefined;
      if (found || (entry & 1) === 1) return found;
    }
    return undefined;
  }

  const hashAt = offsetOf(DT.HASH);
  const buckets = hashAt === undefined ? undefined : wordAt(hashAt);
  if (hashAt === undefined || !buckets) return undefined;
  let index = wordAt(hashAt + 8 + (systemVHash(name) % buckets) * 4);
  for (let steps = 0; index && steps < MAX_CHAIN; steps++) {
    const found = match(index);
    if (found) return found;
    index = wordAt(hashAt + 8 + (buckets + index) * 4);
  }
  return undefined;
}

/** True where the image itself holds the function and others can call it. */
export function exportsSymbol(source: ByteSource, image: ElfImage, name: string): boolean {
  return findHashedSymbol(source, image, name)?.defined === true;
}
