import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../errors.js';
import { makeFolder } from '../make-folder.js';
import { isPrivateFolder } from '../process/jemkit-folders.js';
import type { NativeLine } from './native-lines.js';

/** What was found in the symbols of one build, by unrelocated address. What was not found is not kept: its symbols may be installed later. */
export interface KnownSymbols {
  /** As the compiler wrote them. */
  readonly names: Map<number, string>;
  /** Empty: the debug information has nothing there. */
  readonly lines: Map<number, readonly NativeLine[]>;
}

/** Answers of earlier runs. */
export interface SymbolCache {
  /**
   * What is known of a build, to be added to.
   *
   * @param origin which files the answers are from: those of other files do not count. An id alone can be given to any file.
   */
  find(buildId: string, origin: string): KnownSymbols;
  /** Writes what was added. A folder that cannot be written costs the next run its reading, nothing more. */
  save(): void;
}

/** To be raised with every change of what is kept, or of how it is found. */
const VERSION = 1;
const FOLDER = 'symbols';
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_FOLDER_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 1000;
/** Of one build; the oldest go. */
const MAX_ADDRESSES = 50_000;

function isLine(value: unknown): value is readonly [string, string, number, number] {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [name, file, line, column] = value;
  const isCount = (number: unknown) => Number.isInteger(number) && (number as number) >= 0;
  return typeof name === 'string' && typeof file === 'string' && isCount(line) && isCount(column);
}

/** The rows of a table that are what was written: `[address, …]`. */
function rowsOf(value: unknown): readonly (readonly [number, unknown])[] {
  if (!Array.isArray(value)) return [];
  return value.filter((row) => Array.isArray(row) && Number.isSafeInteger(row[0]));
}

/** Parses a file of the cache; what is damaged, of another version or from other files is left out, and looked up again. */
export function parseKnownSymbols(text: string, origin: string): KnownSymbols {
  const known: KnownSymbols = { names: new Map(), lines: new Map() };
  let content: { version?: unknown; origin?: unknown; names?: unknown; lines?: unknown } | null;
  try {
    content = JSON.parse(text);
  } catch {
    return known;
  }
  if (content?.version !== VERSION || content.origin !== origin) return known;
  for (const [address, name] of rowsOf(content.names))
    if (typeof name === 'string' && name !== '') known.names.set(address, name);
  for (const [address, rows] of rowsOf(content.lines)) {
    if (!Array.isArray(rows) || !rows.every(isLine)) continue;
    known.lines.set(
      address,
      rows.map(([name, file, line, column]) => ({ name, file, line, column })),
    );
  }
  return known;
}

/** The reverse of {@link parseKnownSymbols}. */
export function encodeKnownSymbols({ names, lines }: KnownSymbols, origin: string): string {
  const inRows = [...lines].slice(-MAX_ADDRESSES).map(([address, functions]) => {
    return [address, functions.map(({ name, file, line, column }) => [name, file, line, column])];
  });
  return JSON.stringify({ version: VERSION, origin, names: [...names].slice(-MAX_ADDRESSES), lines: inRows });
}

/** The text of a file that nobody else can have written; empty where there is none. */
function readOwnText(path: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(descriptor);
    const isOwn = stat.isFile() && stat.uid === process.geteuid?.() && (stat.mode & 0o022) === 0;
    return isOwn && stat.size <= MAX_FILE_BYTES ? readFileSync(descriptor, 'utf8') : '';
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** A full disk leaves the beginning of a file. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Removes what was written longest ago, until the folder is as small as it may be. */
function sweep(folder: string): void {
  const files = readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() ? [{ path, bytes: stat.size, writtenMs: stat.mtimeMs }] : [];
  });
  files.sort((one, other) => other.writtenMs - one.writtenMs);
  let bytes = 0;
  for (const [at, file] of files.entries()) {
    bytes += file.bytes;
    if (at >= MAX_FILES || bytes > MAX_FOLDER_BYTES) removeQuietly(file.path);
  }
}

const nameOf = (buildId: string) => `${buildId}.json`;

/** Opens the cache in jemkit's folder; one file per build. A folder that others may write to, or that is a link, is left alone. */
export function openSymbolCache(cacheFolder: string): SymbolCache {
  const folder = join(cacheFolder, FOLDER);
  const uid = process.geteuid?.();
  const isUsable = () => uid !== undefined && isPrivateFolder(folder, uid);
  const readable = isUsable();
  const opened = new Map<string, { origin: string; known: KnownSymbols; kept: number }>();
  const sizeOf = ({ names, lines }: KnownSymbols) => names.size + lines.size;
  return {
    find(buildId, origin) {
      // It becomes part of a path.
      if (!/^[0-9a-f]{4,128}$/.test(buildId)) return { names: new Map(), lines: new Map() };
      const before = opened.get(buildId);
      if (before?.origin === origin) return before.known;
      const known = parseKnownSymbols(readable ? readOwnText(join(folder, nameOf(buildId))) : '', origin);
      opened.set(buildId, { origin, known, kept: sizeOf(known) });
      return known;
    },
    save() {
      const changed = [...opened].filter(([, { known, kept }]) => sizeOf(known) > kept);
      if (changed.length === 0) return;
      try {
        makeFolder(folder);
        if (!isUsable()) return;
        for (const [buildId, entry] of changed) {
          const text = encodeKnownSymbols(entry.known, entry.origin);
          if (text.length <= MAX_FILE_BYTES) writeBeside(join(folder, nameOf(buildId)), text);
          entry.kept = sizeOf(entry.known);
        }
        sweep(folder);
      } catch (error) {
        if (!isSystemError(error)) throw error;
      }
    },
  };
}

function writeBeside(path: string, text: string): void {
  const beside = `${path}.${process.pid}`;
  try {
    writeFileSync(beside, text, { mode: 0o600, flag: 'wx' });
    renameSync(beside, path);
  } catch (error) {
    // A process of this number may have died while it wrote.
    removeQuietly(beside);
    throw error;
  }
}
