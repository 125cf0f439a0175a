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

/** Indexes of the undefined symbols of this name. They stand before the first hashed one. */
function undefinedSymbols(source: ByteSource, image: ElfImage, name: string): Set<number> {
  const { word, half } = elfNumbers(image.bits, image.littleEndian);
  const found = new Set<number>();
  const offsetOf = (tag: number) => {
    const address = image.dynamic.get(tag);
    return address === undefined ? undefined : fileOffsetOf(image.segments, address);
  };
  const symbolsAt = offsetOf(DT.SYMTAB);
  const strings = readDynamicStrings(source, image);
  const gnuHashAt = offsetOf(DT.GNU_HASH);
  const hashAt = offsetOf(DT.HASH);
  if (symbolsAt === undefined || !strings) return found;
  const count =
    hashAt !== undefined
      ? word(source.readAt(hashAt, 8), 4)
      : gnuHashAt !== undefined
        ? word(source.readAt(gnuHashAt, 8), 4)
        : 0;
  const bytes = image.bits === 64 ? 24 : 16;
  const table = source.readAt(symbolsAt, Math.min(count, 4_000_000) * bytes);
  const wanted = Buffer.from(`${name}\0`);
  const sectionAt = image.bits === 64 ? 6 : 14;
  for (let index = 1; (index + 1) * bytes <= table.length; index++) {
    const at = index * bytes;
    if (half(table, at + sectionAt) !== 0) continue;
    const nameAt = word(table, at);
    if (strings.subarray(nameAt, nameAt + wanted.length).equals(wanted)) found.add(index);
  }
  return found;
}

/**
 * The addresses (unrelocated) of the slots through which an image calls `name` in other libraries: its entries of the global
 * offset table. Empty where it does not import the name. `hashedSymbol` is the index of the name's own entry among the hashed
 * symbols, if any: a definition that another library may stand in for, or the PLT entry of a program that takes the address.
 */
export function findImportSlots(source: ByteSource, image: ElfImage, name: string, hashedSymbol?: number): number[] {
  const types = image.architecture && ADDRESS_RELOCATIONS[image.architecture];
  const symbols = undefinedSymbols(source, image, name);
  if (hashedSymbol !== undefined) symbols.add(hashedSymbol);
  if (!types || symbols.size === 0) return [];
  const { word, long, longBytes } = elfNumbers(image.bits, image.littleEndian);
  const slots: number[] = [];
  const scan = (address: number | undefined, bytes: number | undefined, withAddend: boolean) => {
    const offset = address === undefined ? undefined : fileOffsetOf(image.segments, address);
    if (offset === undefined || bytes === undefined) return;
    const table = source.readAt(offset, Math.min(bytes, 256 * 1024 * 1024));
    const entryBytes = longBytes * (withAddend ? 3 : 2);
    for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
      const symbol =
        image.bits === 64
          ? word(table, at + longBytes + (image.littleEndian ? 4 : 0))
          : Math.floor(word(table, at + longBytes) / 256);
      if (!symbols.has(symbol)) continue;
      const type =
        image.bits === 64
          ? word(table, at + longBytes + (image.littleEndian ? 0 : 4))
          : word(table, at + longBytes) % 256;
      if (types.includes(type)) slots.push(long(table, at));
    }
  };
  const { dynamic } = image;
  scan(dynamic.get(DT.JMPREL), dynamic.get(DT.PLTRELSZ), dynamic.get(DT.PLTREL) === DT.RELA);
  scan(dynamic.get(DT.RELA), dynamic.get(DT.RELASZ), true);
  scan(dynamic.get(DT.REL), dynamic.get(DT.RELSZ), false);
  return slots;
}
