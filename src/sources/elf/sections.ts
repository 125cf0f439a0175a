import type { ElfImage } from '../../model/elf.js';
import type { ByteSource } from './byte-source.js';
import { elfNumbers, stringAt } from './elf-image.js';

/** One section of an ELF file. */
export interface ElfSection {
  readonly name: string;
  readonly type: number;
  /** SHF_… */
  readonly flags: number;
  readonly fileOffset: number;
  readonly bytes: number;
  /** For a symbol table: the index of its string table. */
  readonly link: number;
}

/** SHT_SYMTAB: the full symbol table, which strip removes. */
export const SYMBOL_TABLE = 2;
/** SHT_DYNSYM: the symbols that the loader needs, which stay. */
export const DYNAMIC_SYMBOL_TABLE = 11;

const MAX_SECTIONS = 65_536;

/** The sections of a file; empty where it has none or they are damaged (the loader does not need them). */
export function readSections(source: ByteSource, image: ElfImage): ElfSection[] {
  const { half, word, long } = elfNumbers(image.bits, image.littleEndian);
  const wide = image.bits === 64;
  const head = source.readAt(0, 64);
  if (head.length < (wide ? 64 : 52)) return [];
  const tableAt = long(head, wide ? 40 : 32);
  const entryBytes = half(head, wide ? 58 : 46);
  const count = half(head, wide ? 60 : 48);
  const namesIndex = half(head, wide ? 62 : 50);
  if (tableAt === 0 || count === 0 || count > MAX_SECTIONS || entryBytes < (wide ? 64 : 40)) return [];
  const table = source.readAt(tableAt, entryBytes * count);
  if (table.length < entryBytes * count) return [];
  const raw = Array.from({ length: count }, (_, index) => {
    const at = index * entryBytes;
    return {
      nameAt: word(table, at),
      type: word(table, at + 4),
      flags: word(table, at + 8 + (wide && !image.littleEndian ? 4 : 0)),
      fileOffset: long(table, at + (wide ? 24 : 16)),
      bytes: long(table, at + (wide ? 32 : 20)),
      link: word(table, at + (wide ? 40 : 24)),
    };
  });
  const namesSection = raw[namesIndex];
  const names = namesSection
    ? source.readAt(namesSection.fileOffset, Math.min(namesSection.bytes, 1 << 20))
    : undefined;
  return raw.map(({ nameAt, ...section }) => ({
    ...section,
    name: names && nameAt < names.length ? stringAt(names, nameAt) : '',
  }));
}
