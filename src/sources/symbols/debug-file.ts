import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ElfImage } from '../../model/elf.js';
import { readBuildId } from '../elf/build-id.js';
import type { ByteSource } from '../elf/byte-source.js';
import { elfNumbers, parseElf, stringAt } from '../elf/elf-image.js';
import { sectionBytes } from '../elf/section-bytes.js';
import { type ElfSection, SYMBOL_TABLE } from '../elf/sections.js';
import { pathInRoot } from './path-in-root.js';
import { withRegularFile } from './regular-file.js';

const DEBUG_FOLDER = '/usr/lib/debug';
const CHECKSUM_CHUNK_BYTES = 1024 * 1024;

/** Where debug information of a build lies, by its id. */
export function buildIdPath(buildId: string): string | undefined {
  return /^[0-9a-f]{4,128}$/.test(buildId)
    ? `${DEBUG_FOLDER}/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`
    : undefined;
}

/** What `.gnu_debuglink` says: the name of the file that the symbols were moved to, and its checksum. */
export function readDebugLink(
  source: ByteSource,
  image: ElfImage,
  sections: readonly ElfSection[],
): { readonly name: string; readonly checksum: number } | undefined {
  const section = sections.find(({ name }) => name === '.gnu_debuglink');
  if (!section) return undefined;
  const bytes = sectionBytes(source, image, section).readAt(0, 4096);
  const name = stringAt(bytes, 0);
  const at = 4 * Math.ceil((Buffer.byteLength(name) + 1) / 4);
  if (name === '' || name.includes('/') || at + 4 > bytes.length) return undefined;
  return { name, checksum: elfNumbers(image.bits, image.littleEndian).word(bytes, at) };
}

function checksumOf(source: ByteSource): number {
  let checksum = 0;
  for (let at = 0; at < source.sizeBytes; at += CHECKSUM_CHUNK_BYTES)
    checksum = crc32(source.readAt(at, CHECKSUM_CHUNK_BYTES), checksum);
  return checksum;
}

function hasBuildId(path: string, buildId: string): boolean {
  const same = withRegularFile(path, (source) => {
    const reading = parseElf(source);
    return reading.kind === 'elf' && readBuildId(source, reading.image) === buildId;
  });
  return same === true;
}

/** What is known of a file whose symbols are wanted. */
export interface SymbolOwner {
  /** As the process saw it. */
  readonly path: string;
  readonly buildId: string | undefined;
  /** The file itself where it can be read and is the one that was mapped. */
  readonly file:
    | { readonly source: ByteSource; readonly image: ElfImage; readonly sections: readonly ElfSection[] }
    | undefined;
}

/** The path of a separate file with the symbols of this very build; undefined where the file has its own, or there is none. */
export function findDebugFile({ path, buildId, file }: SymbolOwner, root: string | undefined): string | undefined {
  if (file?.sections.some(({ type }) => type === SYMBOL_TABLE)) return undefined;
  const byId = buildId === undefined ? undefined : buildIdPath(buildId);
  if (byId !== undefined && buildId !== undefined) {
    const candidates = [...new Set([pathInRoot(root, byId), byId])];
    const found = candidates.find((candidate) => hasBuildId(candidate, buildId));
    if (found !== undefined) return found;
  }
  const link = file && readDebugLink(file.source, file.image, file.sections);
  if (!link) return undefined;
  const folder = dirname(path);
  return [join(folder, link.name), join(folder, '.debug', link.name), join(DEBUG_FOLDER, folder, link.name)]
    .map((candidate) => pathInRoot(root, candidate))
    .find((candidate) => withRegularFile(candidate, checksumOf) === link.checksum);
}
