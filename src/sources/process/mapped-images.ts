import type { ImageFacts, MappedFile } from '../../model/allocator-identity.js';
import type { MemoryMapping } from '../../model/memory-map.js';
import { parseImageFacts } from '../elf/image-facts.js';
import type { ProcessView } from './process-view.js';

/** Remembers facts of files between runs; `null` for a file that is no ELF image. */
export interface ImageFactsStore {
  find(key: string): ImageFacts | null | undefined;
  keep(key: string, facts: ImageFacts | null): void;
}

/** Facts of mapped files: read once a file, however many processes map it. */
export interface ImageReader {
  /** Undefined where the file is no ELF image, `unreadable` where it cannot be opened. */
  factsOf(view: ProcessView, mapping: MemoryMapping, isExecutable: boolean): ImageFacts | undefined | 'unreadable';
}

/** A reader whose answers outlive it in `store`. */
export function openImageReader(store?: ImageFactsStore): ImageReader {
  const seen = new Map<string, ImageFacts | undefined>();
  return {
    factsOf(view, mapping, isExecutable) {
      // Inode numbers are reused; a deleted file's could be another file's by the next process.
      const mapped = mapping.deleted ? undefined : `${mapping.device}:${mapping.inode}`;
      if (mapped !== undefined && seen.has(mapped)) return seen.get(mapped);
      const file = view.file(mapping, isExecutable);
      if (!file) return 'unreadable';
      const { device, inode, mtimeMs, sizeBytes } = file.identity;
      const key = `${device}:${inode}:${mtimeMs}:${sizeBytes}`;
      let facts = store?.find(key);
      if (facts === undefined) {
        facts = file.use(parseImageFacts) ?? null;
        store?.keep(key, facts);
      }
      if (mapped !== undefined) seen.set(mapped, facts ?? undefined);
      return facts ?? undefined;
    },
  };
}

/** A file whose code is mapped into a process. */
export interface MappedImage extends MappedFile {
  readonly isExecutable: boolean;
  /** What is added to the file's addresses; undefined where its facts cannot be read. */
  readonly bias: number | undefined;
  readonly facts: ImageFacts | undefined;
}

/** The images of one process. */
export interface MappedImages {
  readonly all: readonly MappedImage[];
  readonly executable: MappedImage | undefined;
  /** The image at an address of memory. */
  at(address: number): MappedImage | undefined;
}

const PAGE_MASK = 4096;
const pageFloor = (value: number) => Math.floor(value / PAGE_MASK) * PAGE_MASK;

function biasOf(mappings: readonly MemoryMapping[], facts: ImageFacts): number | undefined {
  for (const mapping of mappings) {
    const segment = facts.segments.find(([offset]) => pageFloor(offset) === mapping.fileOffset);
    if (segment) return mapping.start - pageFloor(segment[1]);
  }
  return undefined;
}

/** Groups mappings into images by file. Facts are read only when asked for: most libraries never are. */
export function mappedImages(view: ProcessView, reader: ImageReader): MappedImages {
  const mappings = view.mappings();
  const executablePath = readExecutable(view);
  const byFile = new Map<string, MemoryMapping[]>();
  for (const mapping of mappings) {
    if (!mapping.path?.startsWith('/') || mapping.inode === 0) continue;
    const key = `${mapping.device}:${mapping.inode}`;
    const group = byFile.get(key);
    if (group) group.push(mapping);
    else byFile.set(key, [mapping]);
  }
  const images = new Map<string, MappedImage>();
  for (const [key, group] of byFile) {
    const first = group[0];
    if (first?.path && group.some((mapping) => mapping.permissions[2] === 'x')) {
      images.set(key, imageOf(view, reader, first.path, group, first.path === executablePath?.path));
    }
  }
  const all = [...images.values()];
  return {
    all,
    executable: all.find((image) => image.isExecutable),
    at: (address) => {
      const mapping = mappings.find((m) => address >= m.start && address < m.end);
      return mapping && images.get(`${mapping.device}:${mapping.inode}`);
    },
  };
}

function readExecutable(view: ProcessView): MappedFile | undefined {
  try {
    return view.executable();
  } catch {
    // Without permission, or gone: the mappings, read before, say which.
    return undefined;
  }
}

function imageOf(
  view: ProcessView,
  reader: ImageReader,
  path: string,
  group: readonly MemoryMapping[],
  isExecutable: boolean,
): MappedImage {
  let facts: ImageFacts | undefined | null = null;
  const first = group[0];
  const read = (): ImageFacts | undefined => {
    if (facts === null) {
      const answer = first && reader.factsOf(view, first, isExecutable);
      facts = answer === 'unreadable' ? undefined : answer;
    }
    return facts;
  };
  return {
    path,
    deleted: first?.deleted ?? false,
    isExecutable,
    get facts() {
      return read();
    },
    get bias() {
      const known = read();
      return known && biasOf(group, known);
    },
  };
}
