import type { AllocatorLibrary, AllocatorName } from './allocator.js';

/** Where a library was found, in the order that is searched. */
export type LibrarySource = 'option' | 'JEMKIT_LIBRARY' | 'jemkit' | 'loader-cache' | 'system-folder' | 'homebrew';

/** A file that was looked at and cannot be used, and why. */
export interface RejectedLibrary {
  readonly path: string;
  readonly source: LibrarySource;
  readonly reason:
    | 'missing'
    | 'unreadable'
    | 'not-a-library'
    | 'wrong-architecture'
    | 'wrong-libc'
    | 'path-not-preloadable'
    | 'foreign-owner';
  /** One clause for people: what was received, what was expected. */
  readonly detail: string;
}

/** The outcome of a search for an allocator's library. */
export type LibrarySearch =
  | {
      readonly kind: 'found';
      readonly library: AllocatorLibrary;
      readonly source: LibrarySource;
      readonly rejected: readonly RejectedLibrary[];
    }
  | { readonly kind: 'none'; readonly allocator: AllocatorName; readonly rejected: readonly RejectedLibrary[] };
