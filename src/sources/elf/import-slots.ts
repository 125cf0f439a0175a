import type { Architecture } from '../../model/allocator.js';
import type { ElfImage } from '../../model/elf.js';
import type { ByteSource } from './byte-source.js';
import { DT, elfNumbers, fileOffsetOf, readDynamicStrings } from './elf-image.js';

/** Relocation types that store a symbol's address: GLOB_DAT, JUMP_SLOT and the plain absolute one. */
const ADDRESS_RELOCATIONS: Readonly<Record<Architecture, readonly number[]>> = {
  x64: [6, 7, 1],
  ia32: [6, 7, 1],
  arm64: [1025, 1026, 257],
  arm: [21, 22, 2],
  ppc64: [20, 21, 38],
  s390x: [10, 11, 22],
  riscv64: [5, 2],
  loong64: [5, 2],
};

/** What a relocation writes, and where. */
interface Slot {
  readonly symbol: number;
  readonly address: number;
}

const MAX_TABLE_BYTES = 256 * 1024 * 1024;

function readSlots(source: ByteSource, image: ElfImage, types: readonly number[]): Slot[] {
  const { word, long, longBytes } = elfNumbers(image.bits, image.littleEndian);
  const slots: Slot[] = [];
  const scan = (address: number | undefined, bytes: number | undefined, withAddend: boolean) => {
    const offset = address === undefined ? undefined : fileOffsetOf(image.segments, address);
    if (offset === undefined || bytes === undefined) return;
    const table = source.readAt(offset, Math.min(bytes, MAX_TABLE_BYTES));
    const entryBytes = longBytes * (withAddend ? 3 : 2);
    for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
      const wide = image.bits === 64;
      const symbol = wide
        ? word(table, at + longBytes + (image.littleEndian ? 4 : 0))
        : Math.floor(word(table, at + longBytes) / 256);
      const type = wide
        ? word(table, at + longBytes + (image.littleEndian ? 0 : 4))
        : word(table, at + longBytes) % 256;
      if (symbol !== 0 && types.includes(type)) slots.push({ symbol, address: long(table, at) });
    }
  };
  const { dynamic } = image;
  scan(dynamic.get(DT.JMPREL), dynamic.get(DT.PLTRELSZ), dynamic.get(DT.PLTREL) === DT.RELA);
  scan(dynamic.get(DT.RELA), dynamic.get(DT.RELASZ), true);
  scan(dynamic.get(DT.REL), dynamic.get(DT.RELSZ), false);
  return slots;
}

/**
 * The addresses (unrelocated) of the slots through which an image calls `name`: its entries of the global offset table. A name
 * that the image itself exports counts too, as another library's may take its place. Empty where it has no such slot.
 */
export function findImportSlots(source: ByteSource, image: ElfImage, name: string): number[] {
  const types = image.architecture && ADDRESS_RELOCATIONS[image.architecture];
  const symbolsAddress = image.dynamic.get(DT.SYMTAB);
  const symbolsAt = symbolsAddress === undefined ? undefined : fileOffsetOf(image.segments, symbolsAddress);
  const strings = readDynamicStrings(source, image);
  if (!types || symbolsAt === undefined || !strings) return [];
  const slots = readSlots(source, image, types);
  const { word } = elfNumbers(image.bits, image.littleEndian);
  const symbolBytes = image.bits === 64 ? 24 : 16;
  // No header says how many symbols there are, and the hash table leaves imported ones out: the relocations say which are used.
  const last = slots.reduce((highest, { symbol }) => Math.max(highest, symbol), 0);
  const symbols = source.readAt(symbolsAt, Math.min((last + 1) * symbolBytes, MAX_TABLE_BYTES));
  const wanted = Buffer.from(`${name}\0`);
  return slots
    .filter(({ symbol }) => {
      if ((symbol + 1) * symbolBytes > symbols.length) return false;
      const nameAt = word(symbols, symbol * symbolBytes);
      return strings.subarray(nameAt, nameAt + wanted.length).equals(wanted);
    })
    .map(({ address }) => address);
}
