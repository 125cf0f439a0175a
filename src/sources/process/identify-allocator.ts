import { basename } from 'node:path';
import { isSystemError } from '../../errors.js';
import { allocatorOfLibraryName } from '../../model/allocator.js';
import type {
  AllocatorBeside,
  AllocatorIdentity,
  IdentifiedAllocator,
  ServingAllocator,
} from '../../model/allocator-identity.js';
import { arrivalOf, readPreloadEntries } from './allocator-arrival.js';
import { type MallocBinding, readMallocBindings } from './malloc-slots.js';
import { type ImageReader, type MappedImage, type MappedImages, mappedImages } from './mapped-images.js';
import type { ProcessView } from './process-view.js';

/**
 * `quick` stops at the first slot that answers and looks for further allocators by file name; `full` reads the slots of every
 * image and looks inside each for a private copy.
 */
export type IdentificationDepth = 'quick' | 'full';

const BACKGROUND_THREAD = 'jemalloc_bg_thd';

/** Which allocator serves a process. Only reads; the process does not notice. */
export function identifyAllocator(
  view: ProcessView,
  reader: ImageReader,
  depth: IdentificationDepth,
): AllocatorIdentity {
  try {
    const stat = view.stat();
    if (!stat) return { kind: 'gone' };
    if (stat.kernelThread) return { kind: 'kernel-thread' };
    if (stat.state === 'Z' || stat.state === 'X') return { kind: 'zombie' };
    const images = mappedImages(view, reader);
    if (images.all.length === 0)
      return { kind: 'unknown', reason: 'it maps no file: it is starting or ending at this moment' };
    return identify(view, images, depth);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return { kind: 'gone' };
    if (error.code === 'EACCES' || error.code === 'EPERM') return { kind: 'no-permission' };
    throw error;
  }
}

function identify(view: ProcessView, images: MappedImages, depth: IdentificationDepth): AllocatorIdentity {
  const { executable } = images;
  if (executable?.facts && !executable.facts.dynamic) return identifyStatic(view, executable);
  const slots = readMallocBindings(
    view,
    images,
    inOrderOfTrust(images),
    depth === 'quick' ? 1 : Number.POSITIVE_INFINITY,
  );
  if (slots.kind === 'read' && slots.bindings[0]) return identifyBySlots(view, images, slots.bindings, depth);
  return identifyByMaps(view, images, slots.kind === 'read' ? 'no-slot' : 'no-permission', depth);
}

/** The executable, then the C library (whose own slot is always bound), then the rest as mapped. */
function* inOrderOfTrust(images: MappedImages): Generator<MappedImage> {
  if (images.executable) yield images.executable;
  const isLibc = (image: MappedImage) =>
    /^(libc\.so\.6|libc-\d|ld-musl-|libc\.musl-|libc\.so$)/.test(basename(image.path));
  const rest = images.all.filter((image) => !image.isExecutable);
  yield* rest.filter(isLibc);
  yield* rest.filter((image) => !isLibc(image));
}

const LIBC_NAME = /^(libc\.so\.6|libc-\d+\.\d+\.so|ld-musl-.*|libc\.musl-.*|libc\.so)$/;

function allocatorOf(image: MappedImage): ServingAllocator {
  const held = image.facts?.holds?.allocator ?? allocatorOfLibraryName(image.path);
  return held ?? (LIBC_NAME.test(basename(image.path)) ? 'system' : 'other');
}

/** mimalloc's text does not say its version; its file's name does in part. */
function versionOf(image: MappedImage): string | undefined {
  const fromName = /^libmimalloc[^/]*\.so\.(\d+\.\d+(?:\.\d+)?)$/.exec(basename(image.path))?.[1];
  return image.facts?.holds?.version ?? fromName;
}

function describe(image: MappedImage) {
  return {
    allocator: allocatorOf(image),
    version: versionOf(image),
    file: { path: image.path, deleted: image.deleted },
    prefix: image.facts?.holds?.prefix ?? '',
  };
}

function identifyBySlots(
  view: ProcessView,
  images: MappedImages,
  bindings: readonly MallocBinding[],
  depth: IdentificationDepth,
): IdentifiedAllocator {
  const server = (bindings[0] as MallocBinding).to;
  const beside: AllocatorBeside[] = [];
  const others = new Set(bindings.map(({ to }) => to).filter((to) => to !== server));
  for (const other of others) {
    beside.push({
      ...describe(other),
      arrival: arrivalOf(view, images, other, true),
      evidence: 'got',
      standing: 'serving-some',
      servedFiles: bindings.filter(({ to }) => to === other).map(({ from }) => from.path),
    });
  }
  return {
    kind: 'identified',
    ...describe(server),
    arrival: arrivalOf(view, images, server, true),
    evidence: 'got',
    standing: 'serving',
    libc: images.executable?.facts?.libc,
    memory: 'read',
    beside: [...beside, ...idleAllocators(view, images, new Set([server, ...others]), 'not-serving', depth)],
    note: undefined,
  };
}

/** Allocators that are mapped beside those in `known`. */
function idleAllocators(
  view: ProcessView,
  images: MappedImages,
  known: ReadonlySet<MappedImage>,
  standing: 'not-serving' | 'unmeasured',
  depth: IdentificationDepth,
): AllocatorBeside[] {
  return images.all
    .filter((image) => !known.has(image))
    .filter((image) => depth === 'full' || image.isExecutable || allocatorOfLibraryName(image.path) !== undefined)
    .filter((image) => !['system', 'other'].includes(allocatorOf(image)))
    .map((image) => {
      const hidden = image.facts?.holds !== undefined && !image.facts.exportsMalloc;
      return {
        ...describe(image),
        arrival: arrivalOf(view, images, image, false),
        evidence: image.facts?.holds?.evidence ?? 'maps',
        standing: hidden ? ('private' as const) : standing,
        servedFiles: hidden ? [image.path] : [],
      };
    });
}

function identifyByMaps(
  view: ProcessView,
  images: MappedImages,
  memory: 'no-permission' | 'no-slot',
  depth: IdentificationDepth,
): AllocatorIdentity {
  const libraries = images.all.filter(
    (image) => !image.isExecutable && (image.facts?.exportsMalloc ?? allocatorOfLibraryName(image.path) !== undefined),
  );
  const replacing = libraries.filter((image) => allocatorOf(image) !== 'system');
  const libc = images.all.find((image) => allocatorOf(image) === 'system');
  const candidate = replacing.length > 1 ? firstPreloaded(view, replacing) : (replacing[0] ?? libc);
  if (!candidate) {
    const names = replacing.map((image) => basename(image.path)).join(' and ');
    return {
      kind: 'unknown',
      reason: names
        ? `${names} are mapped, and without its memory it cannot be told which of them serves`
        : 'no file it maps holds a malloc',
    };
  }
  return {
    kind: 'identified',
    ...describe(candidate),
    arrival: arrivalOf(view, images, candidate, false),
    evidence: 'maps',
    standing: 'unmeasured',
    libc: images.executable?.facts?.libc,
    memory,
    beside: idleAllocators(view, images, new Set([candidate]), 'unmeasured', depth),
    note: undefined,
  };
}

/** The loader takes malloc from the first library that has one: with several preloaded, the order tells. */
function firstPreloaded(view: ProcessView, libraries: readonly MappedImage[]): MappedImage | undefined {
  const { variable, file } = readPreloadEntries(view);
  for (const entry of [...(variable ?? []), ...file]) {
    const found = libraries.find((library) => basename(library.path) === basename(entry));
    if (found) return found;
  }
  return undefined;
}

function identifyStatic(view: ProcessView, executable: MappedImage): IdentifiedAllocator {
  const held = executable.facts?.holds;
  const backgroundThread = held === undefined && view.threadNames().includes(BACKGROUND_THREAD);
  const goProgram = executable.facts?.goProgram === true;
  return {
    kind: 'identified',
    allocator: held?.allocator ?? (backgroundThread ? 'jemalloc' : 'system'),
    arrival: 'static',
    evidence: held?.evidence ?? (backgroundThread ? 'thread-name' : 'symbols'),
    version: held?.version,
    file: { path: executable.path, deleted: executable.deleted },
    prefix: held?.prefix ?? '',
    standing: 'built-in',
    libc: executable.facts?.libc,
    memory: 'no-slot',
    beside: [],
    note: goProgram ? "a Go program: its heap is the Go runtime's own, not malloc's" : undefined,
  };
}
