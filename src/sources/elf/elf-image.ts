import { isSystemError } from '../../errors.js';
import type { Architecture, Libc } from '../../model/allocator.js';
import type { ElfImage, ElfReading, ElfSegment } from '../../model/elf.js';
import { type ByteSource, withFileBytes } from './byte-source.js';

/** A damaged or hostile file may claim anything; no real one comes near these. */
const MAX_PROGRAM_HEADERS = 1024;
const MAX_TABLE_BYTES = 256 * 1024 * 1024;

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const PT_NOTE = 4;

/** Tags of the dynamic section that are used here (System V gABI, figure 5-10). */
export const DT = {
  NEEDED: 1,
  PLTRELSZ: 2,
  HASH: 4,
  STRTAB: 5,
  SYMTAB: 6,
  RELA: 7,
  RELASZ: 8,
  STRSZ: 10,
  SONAME: 14,
  REL: 17,
  RELSZ: 18,
  PLTREL: 20,
  JMPREL: 23,
  GNU_HASH: 0x6ffffef5,
} as const;

const ARCHITECTURES: ReadonlyMap<number, readonly [bits: 32 | 64, architecture: Architecture]> = new Map([
  [3, [32, 'ia32']],
  [21, [64, 'ppc64']],
  [22, [64, 's390x']],
  [40, [32, 'arm']],
  [62, [64, 'x64']],
  [183, [64, 'arm64']],
  [243, [64, 'riscv64']],
  [258, [64, 'loong64']],
]);

class Malformed extends Error {}

/** Numbers of one file in its own width and byte order. Addresses of user space are under 2^53, so they are numbers. */
export interface ElfNumbers {
  half(buffer: Buffer, at: number): number;
  word(buffer: Buffer, at: number): number;
  /** A file offset, address or size: 4 or 8 bytes. */
  long(buffer: Buffer, at: number): number;
  readonly longBytes: 4 | 8;
}

/** How to read the numbers of a file of this width and order. */
export function elfNumbers(bits: 32 | 64, littleEndian: boolean): ElfNumbers {
  const half = (b: Buffer, at: number) => (littleEndian ? b.readUInt16LE(at) : b.readUInt16BE(at));
  const word = (b: Buffer, at: number) => (littleEndian ? b.readUInt32LE(at) : b.readUInt32BE(at));
  if (bits === 32) return { half, word, long: word, longBytes: 4 };
  const long = (b: Buffer, at: number) =>
    littleEndian ? word(b, at) + word(b, at + 4) * 2 ** 32 : word(b, at + 4) + word(b, at) * 2 ** 32;
  return { half, word, long, longBytes: 8 };
}

function readExactly(source: ByteSource, offset: number, length: number, what: string): Buffer {
  if (length > MAX_TABLE_BYTES) throw new Malformed(`${what} claims ${length} bytes`);
  const buffer = source.readAt(offset, length);
  if (buffer.length < length) {
    throw new Malformed(`${what} ends at byte ${offset + buffer.length} of ${offset + length} expected`);
  }
  return buffer;
}

/** The file offset of an address, or undefined where no segment of the file holds it. */
export function fileOffsetOf(segments: readonly ElfSegment[], address: number): number | undefined {
  const segment = segments.find((s) => address >= s.address && address < s.address + s.fileBytes);
  return segment && address - segment.address + segment.fileOffset;
}

/** The text up to the next NUL. */
export function stringAt(table: Buffer, at: number): string {
  const end = table.indexOf(0, at);
  return table.toString('utf8', at, end === -1 ? table.length : end);
}

/** The dynamic string table of an image, or undefined where it has none. */
export function readDynamicStrings(
  source: ByteSource,
  image: Pick<ElfImage, 'dynamic' | 'segments'>,
): Buffer | undefined {
  const address = image.dynamic.get(DT.STRTAB);
  const bytes = image.dynamic.get(DT.STRSZ);
  if (address === undefined || bytes === undefined) return undefined;
  const offset = fileOffsetOf(image.segments, address);
  return offset === undefined ? undefined : readExactly(source, offset, bytes, 'the dynamic string table');
}

function libcOf(interpreter: string | undefined, needed: readonly string[]): Libc | undefined {
  const names = [interpreter ?? '', ...needed];
  if (names.some((name) => /\bld-musl-|^libc\.musl-/.test(name))) return 'musl';
  if (names.some((name) => /\bld-linux|\/ld64\.so|\bld\.so\.1|^libc\.so\.6$/.test(name))) return 'glibc';
  // musl's own toolchain on another distribution names the library plainly.
  return needed.includes('libc.so') ? 'musl' : undefined;
}

function parseImage(source: ByteSource): ElfImage {
  const head = readExactly(source, 0, 64, 'the ELF header');
  const bits = head[4] === 1 ? 32 : head[4] === 2 ? 64 : undefined;
  if (!bits) throw new Malformed(`class ${head[4]} (expected 1 or 2)`);
  if (head[5] !== 1 && head[5] !== 2) throw new Malformed(`byte order ${head[5]} (expected 1 or 2)`);
  const littleEndian = head[5] === 1;
  const numbers = elfNumbers(bits, littleEndian);
  const { half, word, long } = numbers;
  const wide = bits === 64;
  const type = half(head, 16);
  const machine = half(head, 18);
  const headersAt = long(head, wide ? 32 : 28);
  const headerBytes = half(head, wide ? 54 : 42);
  const headerCount = half(head, wide ? 56 : 44);
  if (headerCount > MAX_PROGRAM_HEADERS) throw new Malformed(`${headerCount} program headers`);
  if (headerCount > 0 && headerBytes < (wide ? 56 : 32)) throw new Malformed(`program headers of ${headerBytes} bytes`);
  const headers = readExactly(source, headersAt, headerBytes * headerCount, 'the program headers');

  const segments: ElfSegment[] = [];
  const notes: { fileOffset: number; bytes: number }[] = [];
  let interpreter: string | undefined;
  let dynamicAt: { offset: number; bytes: number } | undefined;
  for (let i = 0; i < headerCount; i++) {
    const at = i * headerBytes;
    const kind = word(headers, at);
    if (kind !== PT_LOAD && kind !== PT_DYNAMIC && kind !== PT_INTERP && kind !== PT_NOTE) continue;
    const offset = long(headers, at + (wide ? 8 : 4));
    const address = long(headers, at + (wide ? 16 : 8));
    const fileBytes = long(headers, at + (wide ? 32 : 16));
    const memoryBytes = long(headers, at + (wide ? 40 : 20));
    const flags = word(headers, at + (wide ? 4 : 24));
    if (kind === PT_LOAD) {
      segments.push({ fileOffset: offset, address, fileBytes, memoryBytes, executable: (flags & 1) !== 0 });
    } else if (kind === PT_INTERP) {
      interpreter = stringAt(readExactly(source, offset, Math.min(fileBytes, 4096), 'the interpreter'), 0);
    } else if (kind === PT_DYNAMIC) {
      dynamicAt = { offset, bytes: fileBytes };
    } else if (kind === PT_NOTE) {
      notes.push({ fileOffset: offset, bytes: fileBytes });
    }
  }

  const dynamic = new Map<number, number>();
  const neededAt: number[] = [];
  if (dynamicAt) {
    const table = readExactly(source, dynamicAt.offset, dynamicAt.bytes, 'the dynamic section');
    const entryBytes = numbers.longBytes * 2;
    for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
      const tag = long(table, at);
      if (tag === 0) break;
      const value = long(table, at + numbers.longBytes);
      if (tag === DT.NEEDED) neededAt.push(value);
      if (!dynamic.has(tag)) dynamic.set(tag, value);
    }
  }
  const strings = readDynamicStrings(source, { dynamic, segments });
  const needed = strings ? neededAt.map((at) => stringAt(strings, at)) : [];
  const sonameAt = dynamic.get(DT.SONAME);
  const known = ARCHITECTURES.get(machine);
  return {
    bits,
    littleEndian,
    type: type === 2 ? 'executable' : type === 3 ? 'shared' : 'other',
    architecture: known && known[0] === bits ? known[1] : undefined,
    machine,
    interpreter,
    hasDynamicSection: dynamicAt !== undefined,
    needed,
    soname: strings && sonameAt !== undefined ? stringAt(strings, sonameAt) : undefined,
    libc: libcOf(interpreter, needed),
    segments,
    notes,
    dynamic,
  };
}

/** Parses the headers of an ELF file: never throws, whatever the bytes. */
export function parseElf(source: ByteSource): ElfReading {
  const magic = source.readAt(0, 4);
  if (magic.length < 4 || magic.readUInt32BE(0) !== 0x7f454c46) return { kind: 'not-elf' };
  try {
    return { kind: 'elf', image: parseImage(source) };
  } catch (error) {
    if (error instanceof Malformed || error instanceof RangeError) return { kind: 'malformed', reason: error.message };
    throw error;
  }
}

/** Reads the headers of the file at `path`: a few preads, not the whole file. */
export function readElf(path: string): ElfReading {
  try {
    return withFileBytes(path, parseElf);
  } catch (error) {
    if (isSystemError(error)) return { kind: 'unreadable', code: error.code ?? 'EIO' };
    throw error;
  }
}
