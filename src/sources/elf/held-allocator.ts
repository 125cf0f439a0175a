import type { HeldAllocator, ServingAllocator } from '../../model/allocator-identity.js';
import type { ElfImage } from '../../model/elf.js';
import type { ByteSource } from './byte-source.js';
import { elfNumbers } from './elf-image.js';
import { exportsSymbol } from './hashed-symbols.js';
import { parseLibraryVersion } from './library-version.js';
import { type ElfSection, SYMBOL_TABLE } from './sections.js';

type Found = Omit<HeldAllocator, 'version'>;

/** Small: glibc keeps blocks up to the largest one that was ever freed for itself, and this runs inside services too. */
const CHUNK_BYTES = 256 * 1024;
/** More than the longest text looked for, so that one across two chunks is seen. */
const OVERLAP_BYTES = 256;
const MAX_SCAN_BYTES = 1024 * 1024 * 1024;

/** Prefixes that builds of jemalloc are known by: none, upstream's own, Rust's tikv-jemallocator. */
const KNOWN_PREFIXES = ['', 'je_', '_rjem_', '_rjem_je_'];

/** What each exports that no other does. */
const EXPORTED: ReadonlyArray<readonly [symbol: string, found: Found]> = [
  ...KNOWN_PREFIXES.map(
    (prefix) => [`${prefix}mallctlbymib`, { allocator: 'jemalloc', prefix, evidence: 'symbols' }] as const,
  ),
  ['mi_malloc', { allocator: 'mimalloc', prefix: '', evidence: 'symbols' }],
  ['tc_malloc', { allocator: 'tcmalloc', prefix: '', evidence: 'symbols' }],
  ['gnu_get_libc_version', { allocator: 'system', prefix: '', evidence: 'symbols' }],
];

/** Reads a range of a file piece by piece; `visit` returns true to stop. */
function scan(source: ByteSource, offset: number, bytes: number, visit: (chunk: Buffer, at: number) => boolean): void {
  const end = Math.min(offset + bytes, source.sizeBytes, offset + MAX_SCAN_BYTES);
  for (let at = offset; at < end; at += CHUNK_BYTES) {
    if (visit(source.readAt(at, Math.min(CHUNK_BYTES + OVERLAP_BYTES, end - at)), at)) return;
  }
}

interface EndingName {
  readonly prefix: string;
  /** Where the name begins in the table. */
  readonly offset: number;
}

/** The names of a string table that end with `suffix`, and what stands before it. */
function namesEnding(table: Buffer, suffix: string): EndingName[] {
  const names: EndingName[] = [];
  for (let at = table.indexOf(suffix); at !== -1; at = table.indexOf(suffix, at + 1)) {
    const start = table.lastIndexOf(0, at - 1) + 1;
    names.push({ prefix: table.toString('latin1', start, at), offset: start });
  }
  return names;
}

/** Whether the symbol whose name begins there is the file's own. Names it takes from elsewhere stand in the same table. */
function isDefined(source: ByteSource, image: ElfImage, symbols: ElfSection, nameOffset: number): boolean {
  const { half, word } = elfNumbers(image.bits, image.littleEndian);
  const [entryBytes, sectionAt] = image.bits === 64 ? [24, 6] : [16, 14];
  let defined = false;
  scan(source, symbols.fileOffset, symbols.bytes, (chunk, chunkAt) => {
    const cut = (chunkAt - symbols.fileOffset) % entryBytes;
    for (let at = cut === 0 ? 0 : entryBytes - cut; !defined && at + entryBytes <= chunk.length; at += entryBytes)
      defined = word(chunk, at) === nameOffset && half(chunk, at + sectionAt) !== 0;
    return defined;
  });
  return defined;
}

function findInSymbolTable(source: ByteSource, image: ElfImage, sections: readonly ElfSection[]): Found | undefined {
  const symbols = sections.find((section) => section.type === SYMBOL_TABLE);
  const names = symbols && sections[symbols.link];
  let found: Found | undefined;
  if (!names) return undefined;
  scan(source, names.fileOffset, names.bytes, (chunk, at) => {
    const own = namesEnding(chunk, 'mallctlbymib\0')
      .filter(({ prefix }) => /^(\w{0,16}_)?$/.test(prefix))
      .find(({ offset }) => isDefined(source, image, symbols, at - names.fileOffset + offset));
    if (own) found = { allocator: 'jemalloc', prefix: own.prefix, evidence: 'symbols' };
    else if (chunk.includes('\0mi_heap_malloc\0')) found = { allocator: 'mimalloc', prefix: '', evidence: 'symbols' };
    else if (chunk.includes('\0tc_malloc\0') || chunk.includes('\0TCMallocInternalMalloc\0')) {
      found = { allocator: 'tcmalloc', prefix: '', evidence: 'symbols' };
    }
    return found !== undefined;
  });
  return found;
}

function findInStrings(source: ByteSource): Found | undefined {
  let jemalloc = false;
  let prefix: string | undefined;
  let found: Found | undefined;
  scan(source, 0, source.sizeBytes, (chunk) => {
    jemalloc ||= chunk.includes('<jemalloc>: ') && chunk.includes('Malformed conf string');
    if (chunk.includes('_RJEM_MALLOC_CONF\0')) prefix = '_rjem_';
    else if (chunk.includes('\0JE_MALLOC_CONF\0')) prefix = 'je_';
    if (chunk.includes('MIMALLOC_SHOW_ERRORS') || chunk.includes('mimalloc: error: ')) {
      found = { allocator: 'mimalloc', prefix: '', evidence: 'strings' };
    } else if (chunk.includes('TCMALLOC_SAMPLE_PARAMETER') || chunk.includes('tcmalloc: allocation failed')) {
      found = { allocator: 'tcmalloc', prefix: '', evidence: 'strings' };
    }
    return false;
  });
  return jemalloc ? { allocator: 'jemalloc', prefix: prefix ?? '', evidence: 'strings' } : found;
}

const VERSION_TEXTS: Partial<Record<ServingAllocator, (chunk: Buffer) => string | undefined>> = {
  jemalloc: (chunk) => parseLibraryVersion(chunk, 'jemalloc'),
  tcmalloc: (chunk) => /gperftools (\d+\.\d+(?:\.\d+)?)/.exec(chunk.toString('latin1'))?.[1],
  system: (chunk) => /GNU C Library[^\0\n]{0,80} version (\d+\.\d+)/.exec(chunk.toString('latin1'))?.[1],
};

function versionText(source: ByteSource, allocator: ServingAllocator): string | undefined {
  const parse = VERSION_TEXTS[allocator];
  let version: string | undefined;
  if (parse) {
    scan(source, 0, source.sizeBytes, (chunk) => {
      version = parse(chunk);
      return version !== undefined;
    });
  }
  return version;
}

function muslVersion(source: ByteSource): string | undefined {
  let version: string | undefined;
  scan(source, 0, source.sizeBytes, (chunk) => {
    if (chunk.includes('musl libc (')) version = /\0([1-9]\d*\.\d+\.\d+)\0/.exec(chunk.toString('latin1'))?.[1];
    return version !== undefined;
  });
  return version;
}

/**
 * The allocator whose code a file holds: by what it exports, else by its full symbol table, else, where that was stripped and the
 * file is an executable, by the texts it contains. Reading the texts of a large file takes tenths of a second: cache the answer.
 */
export function findHeldAllocator(
  source: ByteSource,
  image: ElfImage,
  sections: readonly ElfSection[],
): HeldAllocator | undefined {
  for (const [symbol, found] of EXPORTED) {
    if (exportsSymbol(source, image, symbol)) return { ...found, version: versionText(source, found.allocator) };
  }
  if (image.soname?.startsWith('libc.musl-') || isMuslItself(source, image)) {
    return { allocator: 'system', prefix: '', evidence: 'symbols', version: muslVersion(source) };
  }
  const stripped = !sections.some((section) => section.type === SYMBOL_TABLE);
  const isExecutable = image.interpreter !== undefined || !image.hasDynamicSection || image.type === 'executable';
  const found =
    findInSymbolTable(source, image, sections) ?? (stripped && isExecutable ? findInStrings(source) : undefined);
  return found && { ...found, version: versionText(source, found.allocator) };
}

/** musl's loader is its C library; older builds of it have no soname. */
function isMuslItself(source: ByteSource, image: ElfImage): boolean {
  return (
    image.needed.length === 0 &&
    exportsSymbol(source, image, '__libc_start_main') &&
    exportsSymbol(source, image, 'malloc')
  );
}
