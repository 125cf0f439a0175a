import * as zlib from 'node:zlib';
import type { ElfImage } from '../../model/elf.js';
import type { ByteSource } from './byte-source.js';
import { elfNumbers } from './elf-image.js';
import type { ElfSection } from './sections.js';

const SHF_COMPRESSED = 0x800;
const SHT_NOBITS = 8;
const ZLIB = 1;
const ZSTD = 2;
const MAX_INFLATED_BYTES = 512 * 1024 * 1024;

const nothing: ByteSource = { sizeBytes: 0, readAt: () => Buffer.alloc(0) };

function inflate(kind: number, packed: Buffer, bytes: number): Buffer | undefined {
  const options = { maxOutputLength: Math.min(bytes, MAX_INFLATED_BYTES) };
  try {
    if (kind === ZLIB) return zlib.inflateSync(packed, options);
    // From Node 22.15 on.
    const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (packed: Buffer, options: object) => Buffer };
    if (kind === ZSTD) return zstdDecompressSync?.(packed, options);
  } catch {
    // Damaged, or larger than it says.
  }
  return undefined;
}

/**
 * The content of a section for random reads: straight from the file, or unpacked in memory where it is compressed. Empty where it
 * has none, or cannot be unpacked.
 */
export function sectionBytes(source: ByteSource, image: ElfImage, section: ElfSection): ByteSource {
  if (section.type === SHT_NOBITS) return nothing;
  const sizeBytes = Math.max(0, Math.min(section.bytes, source.sizeBytes - section.fileOffset));
  if ((section.flags & SHF_COMPRESSED) === 0) {
    return {
      sizeBytes,
      readAt: (offset, length) =>
        source.readAt(section.fileOffset + offset, Math.max(0, Math.min(length, sizeBytes - offset))),
    };
  }
  const headBytes = image.bits === 64 ? 24 : 12;
  const packed = source.readAt(section.fileOffset, Math.min(sizeBytes, MAX_INFLATED_BYTES));
  if (packed.length < headBytes) return nothing;
  const { word, long } = elfNumbers(image.bits, image.littleEndian);
  const bytes = long(packed, image.bits === 64 ? 8 : 4);
  const content = inflate(word(packed, 0), packed.subarray(headBytes), bytes);
  if (!content) return nothing;
  return { sizeBytes: content.length, readAt: (offset, length) => content.subarray(offset, offset + length) };
}
