import { isSystemError } from '../../errors.js';
import type { MappedImage, MappedImages } from './mapped-images.js';
import type { ProcessView } from './process-view.js';

/** Where malloc of one image leads. */
export interface MallocBinding {
  readonly from: MappedImage;
  readonly to: MappedImage;
}

/** What the slots of a process say. */
export type SlotReading =
  | { readonly kind: 'read'; readonly bindings: readonly MallocBinding[] }
  | { readonly kind: 'no-permission' };

function readSlot(view: ProcessView, image: MappedImage, address: number): number | undefined {
  const { facts } = image;
  if (!facts) return undefined;
  const bytes = view.memory(address, facts.bits / 8);
  if (bytes.length < facts.bits / 8) return undefined;
  if (facts.bits === 32) return facts.littleEndian ? bytes.readUInt32LE(0) : bytes.readUInt32BE(0);
  return Number(facts.littleEndian ? bytes.readBigUInt64LE(0) : bytes.readBigUInt64BE(0));
}

/** An allocator's library that is linked to its own malloc (-Bsymbolic) says nothing about whom it serves. */
function callsOnlyItself(from: MappedImage, to: MappedImage): boolean {
  return from === to && !from.isExecutable && from.facts?.holds?.allocator !== 'system';
}

/**
 * Reads malloc's slots of the given images from the process's memory and follows each to the image it points into. A slot that
 * points to an image without a malloc of its own is a stub that was not bound yet (or a program's own PLT entry): it says nothing.
 *
 * @param enough stop as soon as this many images have answered.
 */
export function readMallocBindings(
  view: ProcessView,
  images: MappedImages,
  from: Iterable<MappedImage>,
  enough: number,
): SlotReading {
  const bindings: MallocBinding[] = [];
  for (const image of from) {
    const { facts, bias } = image;
    if (!facts || bias === undefined) continue;
    for (const slot of facts.mallocSlots) {
      let target: number | undefined;
      try {
        target = readSlot(view, image, bias + slot);
      } catch (error) {
        if (!isSystemError(error)) throw error;
        if (error.code === 'EACCES' || error.code === 'EPERM') return { kind: 'no-permission' };
        // EIO: the page is not there; ESRCH: the process has ended, which the next read of its mappings shows.
        continue;
      }
      const to = target === undefined ? undefined : images.at(target);
      if (to?.facts?.exportsMalloc && !callsOnlyItself(image, to)) {
        bindings.push({ from: image, to });
        break;
      }
    }
    if (bindings.length >= enough) break;
  }
  return { kind: 'read', bindings };
}
