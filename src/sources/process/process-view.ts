import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import { isSystemError } from '../../errors.js';
import type { FileIdentity } from '../../model/allocator.js';
import type { MappedFile } from '../../model/allocator-identity.js';
import type { MemoryMapping } from '../../model/memory-map.js';
import type { ProcessStat } from '../../model/process.js';
import { type ByteSource, withFileBytes } from '../elf/byte-source.js';
import { readMemoryMaps } from '../procfs/memory-maps.js';
import { readProcessStat } from '../procfs/process-stat.js';
import { readStartEnvironment } from '../procfs/process-strings.js';

/** A file that a process maps, as far as it can be opened from here. */
export interface OpenableFile {
  readonly identity: FileIdentity;
  use<T>(reader: (source: ByteSource) => T): T;
}

/** What identification reads of one process. Everything but {@link ProcessView.file} throws the system's errors. */
export interface ProcessView {
  readonly pid: number;
  stat(): ProcessStat | undefined;
  mappings(): MemoryMapping[];
  executable(): MappedFile;
  environment(): ReadonlyMap<string, string>;
  /** Bytes of the process's memory; needs more permission than the rest (ptrace attach). */
  memory(address: number, length: number): Buffer;
  threadNames(): string[];
  /** The file behind a mapping, in whatever mount namespace and even when deleted; undefined where it cannot be opened. */
  file(mapping: MemoryMapping, isExecutable: boolean): OpenableFile | undefined;
  /** A path as the process sees it, from here. */
  pathFromHere(path: string): string;
  close(): void;
}

/** `fd:01` as the kernel prints it in maps, for a device number of stat. */
function deviceText(device: number): string {
  const high = Math.floor(device / 2 ** 32);
  const low = device >>> 0;
  const major = ((low >>> 8) & 0xfff) | (high & ~0xfff);
  const minor = (low & 0xff) | ((low >>> 12) & ~0xff);
  return `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}`;
}

function openable(path: string, accept: (stats: { ino: number; dev: number }) => boolean): OpenableFile | undefined {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || !accept(stats)) return undefined;
    closeSync(openSync(path, 'r'));
    const identity = { device: stats.dev, inode: stats.ino, mtimeMs: stats.mtimeMs, sizeBytes: stats.size };
    return { identity, use: (reader) => withFileBytes(path, reader) };
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function fileOf(pid: number, mapping: MemoryMapping, isExecutable: boolean): OpenableFile | undefined {
  const { path, inode, device, deleted } = mapping;
  if (path === undefined) return undefined;
  const hex = (value: number) => value.toString(16);
  return (
    (deleted ? undefined : openable(path, (stats) => stats.ino === inode && deviceText(stats.dev) === device)) ??
    (isExecutable ? openable(`/proc/${pid}/exe`, () => true) : undefined) ??
    // Inode and device of an overlay or btrfs differ from what stat says: through the process's own root the path is the file.
    (deleted ? undefined : openable(`/proc/${pid}/root${path}`, () => true)) ??
    openable(`/proc/${pid}/map_files/${hex(mapping.start)}-${hex(mapping.end)}`, () => true)
  );
}

/** Opens a process for reading through /proc. Nothing is read before it is asked for; close it for its memory's descriptor. */
export function openProcessView(pid: number): ProcessView {
  let memory: number | undefined;
  return {
    pid,
    stat: () => readProcessStat(pid),
    mappings: () => readMemoryMaps(pid),
    environment: () => readStartEnvironment(pid),
    executable: () => {
      const target = readlinkSync(`/proc/${pid}/exe`);
      const deleted = target.endsWith(' (deleted)');
      return { path: deleted ? target.slice(0, -' (deleted)'.length) : target, deleted };
    },
    memory: (address, length) => {
      memory ??= openSync(`/proc/${pid}/mem`, 'r');
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, readSync(memory, buffer, 0, length, address));
    },
    threadNames: () =>
      readdirSync(`/proc/${pid}/task`).map((thread) =>
        readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trimEnd(),
      ),
    file: (mapping, isExecutable) => fileOf(pid, mapping, isExecutable),
    pathFromHere: (path) => `/proc/${pid}/root${path}`,
    close: () => {
      if (memory !== undefined) closeSync(memory);
      memory = undefined;
    },
  };
}
