import { isSystemError } from '../../errors.js';
import { type ImageReader, type MappedImage, mappedImages } from './mapped-images.js';
import type { ProcessView } from './process-view.js';

const MAX_TEXT_BYTES = 4096;

function readPointer(view: ProcessView, { facts, bias }: MappedImage): number | undefined {
  if (facts?.mallocConfPointer === undefined || bias === undefined) return undefined;
  const bytes = view.memory(bias + facts.mallocConfPointer, facts.bits / 8);
  if (bytes.length < facts.bits / 8) return undefined;
  if (facts.bits === 32) return facts.littleEndian ? bytes.readUInt32LE(0) : bytes.readUInt32BE(0);
  return Number(facts.littleEndian ? bytes.readBigUInt64LE(0) : bytes.readBigUInt64BE(0));
}

/**
 * The options that a program compiled in through jemalloc's `malloc_conf` symbol, read from its memory. Of several images that
 * have the symbol the executable's is the one in use. Undefined where there is none or the memory may not be read.
 */
export function readMallocConfSymbol(view: ProcessView, reader: ImageReader): string | undefined {
  try {
    const { all } = mappedImages(view, reader);
    const owners = all.filter((image) => image.facts?.mallocConfPointer !== undefined);
    const owner = owners.find((image) => image.isExecutable) ?? owners[0];
    const pointer = owner && readPointer(view, owner);
    if (!pointer) return undefined;
    const text = view.memory(pointer, MAX_TEXT_BYTES);
    const end = text.indexOf(0);
    return end > 0 ? text.toString('utf8', 0, end) : undefined;
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
