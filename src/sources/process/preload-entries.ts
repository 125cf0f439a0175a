import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isSystemError } from '../../errors.js';
import { allocatorOfLibraryName, type LibraryTarget, PRELOADABLE_ALLOCATORS } from '../../model/allocator.js';
import type { PreloadEntry } from '../../model/allocator-environment.js';
import type { Mount } from '../../model/process.js';
import { withFileBytes } from '../elf/byte-source.js';
import { readElf } from '../elf/elf-image.js';
import { parseImageFacts } from '../elf/image-facts.js';
import { mountOf } from '../procfs/mounts.js';
import { realPathInProcess } from './allocator-arrival.js';

/** From whose point of view entries are judged. */
export interface PreloadView {
  /** A path as that process sees it, from here. */
  readonly pathFromHere: (path: string) => string;
  readonly mounts: readonly Mount[];
  /** What the program was built for; undefined judges neither architecture nor C library. */
  readonly target: Partial<LibraryTarget> | undefined;
}

type Judgement = Pick<PreloadEntry, 'state' | 'detail' | 'path' | 'changedMs'> & {
  readonly held?: PreloadEntry['allocator'];
};

function judge(text: string, { pathFromHere, mounts, target }: PreloadView): Judgement {
  const judged = (state: PreloadEntry['state'], detail?: string, path?: string, changedMs?: number): Judgement => ({
    state,
    detail,
    path,
    changedMs,
  });
  if (!text.startsWith('/') || text.includes('$')) return judged('left-to-the-loader');
  const real = realPathInProcess({ pathFromHere }, text);
  if (real === undefined) return judged('missing', 'there is no such file');
  const here = pathFromHere(real);
  let changedMs: number | undefined;
  try {
    const stats = statSync(here);
    changedMs = stats.ctimeMs;
    if (!stats.isFile()) return judged('not-a-library', 'it is not a file', real);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return judged('unreadable', `it cannot be looked at (${error.code})`, real);
  }
  const elf = readElf(here);
  if (elf.kind === 'unreadable') return judged('unreadable', `it cannot be read (${elf.code})`, real, changedMs);
  if (elf.kind === 'not-elf') return judged('not-a-library', 'it is not an ELF file', real, changedMs);
  if (elf.kind === 'malformed')
    return judged('not-a-library', `its ELF headers are damaged: ${elf.reason}`, real, changedMs);
  const { image } = elf;
  if (target?.architecture && image.architecture !== target.architecture) {
    const found = image.architecture ?? `ELF machine ${image.machine}`;
    return judged(
      'wrong-architecture',
      `it is built for ${found}, the program for ${target.architecture}`,
      real,
      changedMs,
    );
  }
  if (target?.libc && image.libc && image.libc !== target.libc) {
    return judged('wrong-libc', `it is built for ${image.libc}, the program for ${target.libc}`, real, changedMs);
  }
  const mount = mountOf(mounts, dirname(real));
  if (mount?.options.includes('noexec')) {
    return judged('noexec', `it lies on ${mount.mountPoint}, which is mounted noexec`, real, changedMs);
  }
  return { ...judged('fits', undefined, real, changedMs), held: heldBy(here) };
}

/** By what is inside: a library may have been given any name. */
function heldBy(path: string): PreloadEntry['allocator'] {
  const held = withFileBytes(path, parseImageFacts)?.holds?.allocator;
  return PRELOADABLE_ALLOCATORS.find((allocator) => allocator === held);
}

/** Says of each library to preload what the loader will make of it. */
export function readPreloadStates(
  texts: readonly string[],
  place: PreloadEntry['place'],
  view: PreloadView,
): PreloadEntry[] {
  return texts.map((text) => {
    const { held, ...judgement } = judge(text, view);
    const byName = allocatorOfLibraryName(judgement.path ?? text) ?? allocatorOfLibraryName(text);
    return { text, place, ...judgement, allocator: held ?? byName };
  });
}
