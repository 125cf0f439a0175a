import type { ElfImage, ElfSegment } from '../../model/elf.js';
import { readBuildId } from '../elf/build-id.js';
import type { ByteSource } from '../elf/byte-source.js';
import { parseElf } from '../elf/elf-image.js';
import { type ElfSection, readSections } from '../elf/sections.js';
import { findDebugFile } from './debug-file.js';
import { findSymbols } from './find-symbols.js';
import { pathInRoot } from './path-in-root.js';
import { withRegularFile } from './regular-file.js';
import type { KnownSymbols, SymbolCache } from './symbol-cache.js';

/** Code of one mapped file, by where it is in the file. */
export interface ModuleQuery {
  /** As the process saw it; `(deleted)` at its end says that it is gone. */
  readonly path: string;
  readonly buildId: string | undefined;
  /** Each once. */
  readonly fileOffsets: Float64Array;
  /** Where the first of its mappings with code begins in the file. */
  readonly firstCodeOffset: number;
}

export interface ModuleOptions {
  /** A folder to put in front of the path. */
  readonly root?: string | undefined;
  /** When the profile was taken. */
  readonly takenAtMs?: number | undefined;
  readonly cache?: SymbolCache | undefined;
}

/** The functions of a mapped file. */
export interface ModuleSymbols {
  readonly kind: 'read';
  /** As the compiler wrote them, in the order of the question; undefined: no symbol covers it. */
  readonly names: readonly (string | undefined)[];
  /** Unrelocated, as a debugger's tools want them; NaN where the file has no code there. */
  readonly addresses: Float64Array;
  /** The file that has the line numbers, if any file has. */
  readonly debugPath: string;
  /** It was written to after the profile was taken, and nothing tells whether it is still the same. */
  readonly doubtful: boolean;
  /** What is known of this build from earlier; undefined: nothing is kept of it. */
  readonly known: KnownSymbols | undefined;
}

export type ModuleReading =
  | ModuleSymbols
  /** The system's code, or `ENOTREG`, `not-elf`, `malformed`. */
  | { readonly kind: 'unreadable'; readonly code: string }
  | { readonly kind: 'deleted' }
  /** Another build lies there now. */
  | { readonly kind: 'replaced'; readonly expected: string; readonly found: string | undefined };

const DELETED = ' (deleted)';

/** Mappings begin and end at pages, segments do not. */
const MAX_PAGE_BYTES = 65_536;
const LEAST_PAGE_BYTES = 4096;

/** The unrelocated address of a place in the file: in the executable segment that holds it. */
function addressOf(segments: readonly ElfSegment[], fileOffset: number): number {
  const holds = (slack: number) => (segment: ElfSegment) =>
    segment.executable &&
    fileOffset >= segment.fileOffset - slack &&
    fileOffset < segment.fileOffset + segment.fileBytes + slack;
  const segment = segments.find(holds(0)) ?? segments.find(holds(MAX_PAGE_BYTES));
  return segment ? fileOffset - segment.fileOffset + segment.address : Number.NaN;
}

interface ParsedFile {
  readonly source: ByteSource;
  readonly image: ElfImage;
  readonly sections: readonly ElfSection[];
}

function parse(source: ByteSource): ParsedFile | { readonly kind: 'unreadable'; readonly code: string } {
  const reading = parseElf(source);
  if (reading.kind !== 'elf') return { kind: 'unreadable', code: reading.kind };
  return { source, image: reading.image, sections: readSections(source, reading.image) };
}

type Names = (string | undefined)[];

/** The names at addresses, which may be the same or NaN. */
function search(file: ParsedFile, addresses: Float64Array): Names {
  const asked = Float64Array.from(new Set(addresses.filter((address) => !Number.isNaN(address)))).sort();
  const found = findSymbols(file.source, file.image, file.sections, asked);
  const byAddress = new Map(Array.from(asked, (address, row) => [address, found[row]?.name]));
  return Array.from(addresses, (address) => byAddress.get(address));
}

function searchBoth(file: ParsedFile, addresses: Float64Array, debugPath: string | undefined): Names {
  const names = debugPath === undefined ? undefined : searchDebugFile(debugPath, addresses);
  if (names?.every((name) => name !== undefined)) return names;
  return search(file, addresses).map((name, row) => names?.[row] ?? name);
}

function searchDebugFile(path: string, addresses: Float64Array): Names | undefined {
  const found = withRegularFile(path, (source) => {
    const file = parse(source);
    return 'kind' in file ? undefined : search(file, addresses);
  });
  return Array.isArray(found) ? found : undefined;
}

/** Looks up only what is not known yet. */
function searchUnknown(
  file: ParsedFile,
  addresses: Float64Array,
  debugPath: string | undefined,
  known: KnownSymbols | undefined,
): Names {
  if (!known) return searchBoth(file, addresses, debugPath);
  const unknown = addresses.filter((address) => !Number.isNaN(address) && !known.names.has(address));
  if (unknown.length > 0) {
    for (const [row, name] of searchBoth(file, unknown, debugPath).entries())
      if (name !== undefined) known.names.set(unknown[row]!, name);
  }
  return Array.from(addresses, (address) => known.names.get(address));
}

function identityOf(path: string | undefined): string {
  if (path === undefined) return '';
  const identity = withRegularFile(path, (_source, facts) => facts.identity);
  return typeof identity === 'string' ? identity : identity.code;
}

/** Names code of a build whose file is gone or has been replaced from the separate file with its symbols, where there is one. */
function readFromDebugFileAlone(query: ModuleQuery, root: string | undefined): ModuleSymbols | undefined {
  const debugPath = findDebugFile({ path: query.path, buildId: query.buildId, file: undefined }, root);
  if (debugPath === undefined) return undefined;
  const read = withRegularFile(debugPath, (source) => {
    const file = parse(source);
    // Such a file has kept the addresses of its segments and lost where they were in the file.
    const code = 'kind' in file ? undefined : file.image.segments.find(({ executable }) => executable);
    if ('kind' in file || !code) return undefined;
    const first = code.address - (code.address % LEAST_PAGE_BYTES);
    const addresses = query.fileOffsets.map((offset) => first + offset - query.firstCodeOffset);
    return { addresses, names: search(file, addresses) };
  });
  if (!read || 'kind' in read) return undefined;
  return { kind: 'read', ...read, debugPath, doubtful: false, known: undefined };
}

/**
 * Reads the functions of a mapped file from its symbols, or from a separate file with them. Nothing is read of the file but its headers,
 * its table of symbols and the names that are wanted.
 */
export function readModuleSymbols(query: ModuleQuery, options: ModuleOptions = {}): ModuleReading {
  const { root } = options;
  const deleted = query.path.endsWith(DELETED);
  if (deleted && query.buildId === undefined) return { kind: 'deleted' };
  const path = deleted ? query.path.slice(0, -DELETED.length) : query.path;
  const reading = withRegularFile(pathInRoot(root, path), (source, facts): ModuleReading => {
    const file = parse(source);
    if ('kind' in file) return file;
    const found = readBuildId(source, file.image);
    if (query.buildId !== undefined && found !== query.buildId) {
      return { kind: 'replaced', expected: query.buildId, found };
    }
    const debugPath = findDebugFile({ path, buildId: found, file }, root);
    const doubtful =
      query.buildId === undefined && options.takenAtMs !== undefined && facts.modifiedMs > options.takenAtMs;
    const addresses = query.fileOffsets.map((offset) => addressOf(file.image.segments, offset));
    const known = found && options.cache?.find(found, `${facts.identity} ${identityOf(debugPath)}`);
    return {
      kind: 'read',
      names: searchUnknown(file, addresses, debugPath, known || undefined),
      addresses,
      debugPath: debugPath ?? pathInRoot(root, path),
      doubtful,
      known: known || undefined,
    };
  });
  if (reading.kind === 'read') return reading;
  return readFromDebugFileAlone({ ...query, path }, root) ?? reading;
}
