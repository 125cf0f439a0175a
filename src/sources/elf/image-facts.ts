import type { ImageFacts } from '../../model/allocator-identity.js';
import type { ElfImage } from '../../model/elf.js';
import type { ByteSource } from './byte-source.js';
import { parseElf } from './elf-image.js';
import { exportsSymbol, findHashedSymbol } from './hashed-symbols.js';
import { findHeldAllocator } from './held-allocator.js';
import { findImportSlots } from './import-slots.js';
import { readSections } from './sections.js';

/** The names of jemalloc's option string by the prefixes it is built with. */
const CONF_SYMBOLS = ['malloc_conf', '_rjem_malloc_conf', 'je_malloc_conf'];

function findConfPointer(source: ByteSource, image: ElfImage): number | undefined {
  const found = CONF_SYMBOLS.map((name) => findHashedSymbol(source, image, name)).find((symbol) => symbol?.defined);
  return found?.address;
}

/** Parses what telling allocators apart needs of an ELF file; undefined for any other file. */
export function parseImageFacts(source: ByteSource): ImageFacts | undefined {
  const reading = parseElf(source);
  if (reading.kind !== 'elf') return undefined;
  const { image } = reading;
  try {
    const sections = readSections(source, image);
    return {
      bits: image.bits,
      littleEndian: image.littleEndian,
      libc: image.libc,
      architecture: image.architecture,
      interpreter: image.interpreter,
      dynamic: image.interpreter !== undefined || image.needed.length > 0,
      soname: image.soname,
      needed: image.needed,
      segments: image.segments.map((segment) => [segment.fileOffset, segment.address] as const),
      mallocSlots: findImportSlots(source, image, 'malloc'),
      exportsMalloc: exportsSymbol(source, image, 'malloc'),
      mallocConfPointer: findConfPointer(source, image),
      holds: findHeldAllocator(source, image, sections),
      goProgram: sections.some((section) => section.name === '.go.buildinfo' || section.name === '.note.go.buildid'),
    };
  } catch (error) {
    // Offsets of a damaged file lead anywhere; what cannot be parsed is no image.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
