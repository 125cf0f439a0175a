import type { ElfImage } from '../../model/elf.js';
import type { ByteSource } from './byte-source.js';
import { elfNumbers } from './elf-image.js';

const NT_GNU_BUILD_ID = 3;
const MAX_NOTE_BYTES = 1 << 20;
const MAX_ID_BYTES = 64;

/** The id that the linker gave to this build of a file, in lower-case hex; undefined where it has none. */
export function readBuildId(source: ByteSource, image: ElfImage): string | undefined {
  const { word } = elfNumbers(image.bits, image.littleEndian);
  for (const { fileOffset, bytes } of image.notes) {
    const notes = source.readAt(fileOffset, Math.min(bytes, MAX_NOTE_BYTES));
    for (let at = 0; at + 12 <= notes.length; ) {
      const nameBytes = word(notes, at);
      const idBytes = word(notes, at + 4);
      const idAt = at + 12 + 4 * Math.ceil(nameBytes / 4);
      const isBuildId =
        word(notes, at + 8) === NT_GNU_BUILD_ID &&
        nameBytes === 4 &&
        notes.toString('latin1', at + 12, at + 15) === 'GNU';
      if (isBuildId && idBytes > 0 && idBytes <= MAX_ID_BYTES && idAt + idBytes <= notes.length) {
        return notes.toString('hex', idAt, idAt + idBytes);
      }
      at = idAt + 4 * Math.ceil(idBytes / 4);
    }
  }
  return undefined;
}
