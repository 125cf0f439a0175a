import type { Stats } from 'node:fs';
import { isSystemError } from '../../errors.js';
import {
  type AllocatorLibrary,
  allocatorOfLibraryName,
  type LibraryTarget,
  type PreloadableAllocator,
} from '../../model/allocator.js';
import type { RejectedLibrary } from '../../model/library-search.js';
import { readElf } from '../../sources/elf/elf-image.js';
import { statSync } from '../../sources/file-system.js';
import { canBePreloaded } from '../../sources/process/jemkit-folders.js';

type Examination =
  | { readonly kind: 'usable'; readonly library: AllocatorLibrary }
  | { readonly kind: 'rejected'; readonly reason: RejectedLibrary['reason']; readonly detail: string };

/** A library another user may change would run that user's code as us: only root's and our own files are taken unasked. */
function foreignOwner(stats: { uid: number; mode: number }, uid: number | undefined): string | undefined {
  if (uid === undefined) return undefined;
  if (stats.uid !== 0 && stats.uid !== uid) return `it belongs to uid ${stats.uid}, which could change it`;
  if ((stats.mode & 0o002) !== 0) return 'everybody may write to it';
  return undefined;
}

/**
 * Reads the headers of one candidate and says whether it can be preloaded into a program of this architecture and C library.
 *
 * @param trusted the user named the file: its owner is not questioned.
 */
export function examineLibrary(
  path: string,
  allocator: PreloadableAllocator,
  target: LibraryTarget | undefined,
  trusted: boolean,
  uid: number | undefined = process.geteuid?.(),
): Examination {
  const rejected = (reason: RejectedLibrary['reason'], detail: string): Examination => ({
    kind: 'rejected',
    reason,
    detail,
  });
  let stats: Stats | undefined;
  try {
    // Most candidates are absent, and an exception costs more than all else that is done with one.
    stats = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code !== 'ENOTDIR') return rejected('unreadable', `it cannot be read (${error.code})`);
  }
  if (!stats) return rejected('missing', 'there is no such file');
  if (!stats.isFile()) return rejected('not-a-library', 'it is not a file');
  if (!canBePreloaded(path)) {
    return rejected('path-not-preloadable', 'its path has a space or a colon, at which the loader splits LD_PRELOAD');
  }
  const foreign = trusted ? undefined : foreignOwner(stats, uid);
  if (foreign) return rejected('foreign-owner', foreign);

  const identity = { device: stats.dev, inode: stats.ino, mtimeMs: stats.mtimeMs, sizeBytes: stats.size };
  const name = allocatorOfLibraryName(path) ?? allocator;
  if (process.platform === 'darwin') {
    // Mach-O headers are not read: the loader's own refusal is what the probe start reports there.
    return { kind: 'usable', library: { path, allocator: name, architecture: undefined, libc: 'darwin', identity } };
  }
  const elf = readElf(path);
  if (elf.kind === 'unreadable') return rejected('unreadable', `it cannot be read (${elf.code})`);
  if (elf.kind === 'not-elf') return rejected('not-a-library', 'it is not an ELF file');
  if (elf.kind === 'malformed') return rejected('not-a-library', `its ELF headers are damaged: ${elf.reason}`);
  const { image } = elf;
  if (image.type !== 'shared') return rejected('not-a-library', 'it is not a shared library');
  if (target && image.architecture !== target.architecture) {
    return rejected(
      'wrong-architecture',
      `it is built for ${image.architecture ?? `ELF machine ${image.machine}`}, the program for ${target.architecture}`,
    );
  }
  if (target && image.libc && image.libc !== target.libc) {
    return rejected('wrong-libc', `it is built for ${image.libc}, the program for ${target.libc}`);
  }
  return {
    kind: 'usable',
    library: { path, allocator: name, architecture: image.architecture, libc: image.libc, identity },
  };
}
