import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { AllocatorArrival } from '../../model/allocator-identity.js';
import type { MappedImage, MappedImages } from './mapped-images.js';
import type { ProcessView } from './process-view.js';

const MAX_LINKS = 16;

/**
 * The real file of a path as a process sees it. Links are followed one by one: the kernel would lead an absolute one in a
 * container to a file of ours.
 */
export function realPathInProcess(view: Pick<ProcessView, 'pathFromHere'>, path: string): string | undefined {
  let current = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    try {
      current = resolve(dirname(current), readlinkSync(view.pathFromHere(current)));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      // EINVAL: it is there and no link.
      return error.code === 'EINVAL' ? current : undefined;
    }
  }
  return undefined;
}

/** What the loader was told to load first: LD_PRELOAD as the process was started with, and its /etc/ld.so.preload. */
export function readPreloadEntries(view: ProcessView): {
  readonly variable: string[] | undefined;
  readonly file: string[];
} {
  let variable: string[] | undefined;
  try {
    variable = (view.environment().get('LD_PRELOAD') ?? '').split(/[\s:]+/).filter(Boolean);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  let file: string[] = [];
  try {
    file = readFileSync(view.pathFromHere('/etc/ld.so.preload'), 'utf8')
      .split(/[\s:]+/)
      .filter(Boolean);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  return { variable, file };
}

function names(view: ProcessView, entries: readonly string[], image: MappedImage): boolean {
  return entries.some((entry) => {
    if (basename(entry) === basename(image.path)) return true;
    if (!entry.startsWith('/') || entry.includes('$')) return false;
    const real = realPathInProcess(view, entry);
    if (real === undefined) return false;
    if (real === image.path) return true;
    try {
      const [a, b] = [statSync(view.pathFromHere(real)), statSync(view.pathFromHere(image.path))];
      return a.ino === b.ino && a.dev === b.dev;
    } catch {
      return false;
    }
  });
}

function needs(image: MappedImage | undefined, library: MappedImage): boolean {
  const needed = image?.facts?.needed ?? [];
  return needed.some((name) => name === library.facts?.soname || basename(name) === basename(library.path));
}

/** How a library came into the process. `atStart`: malloc is bound to it, which only a library loaded at the start can be. */
export function arrivalOf(
  view: ProcessView,
  images: MappedImages,
  library: MappedImage,
  atStart: boolean,
): AllocatorArrival {
  if (library.isExecutable) return 'static';
  if (library.facts?.holds?.allocator === 'system') return 'system';
  if (needs(images.executable, library)) return 'linked';
  const preload = readPreloadEntries(view);
  if (names(view, [...(preload.variable ?? []), ...preload.file], library)) return 'preload';
  if (images.all.some((image) => image !== library && needs(image, library))) return 'linked';
  // A program may have overwritten its environment (redis sets its title there), or be started through the loader itself.
  if (atStart) return 'preload';
  return preload.variable === undefined ? 'unknown' : 'dlopen';
}
