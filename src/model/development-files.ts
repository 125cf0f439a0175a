/** What a compiler needs to build against jemalloc. */
export interface DevelopmentFiles {
  /** Whose copy it is: jemkit's cache, a folder of PKG_CONFIG_PATH, the system's, or Homebrew's. */
  readonly source: 'jemkit' | 'PKG_CONFIG_PATH' | 'system' | 'homebrew';
  /** The folder with `jemalloc/jemalloc.h`. */
  readonly includeFolder: string;
  /** The folder with the library that `-ljemalloc` links. */
  readonly libraryFolder: string;
  /** JEMALLOC_VERSION of the header, as jemalloc-config prints it; undefined where the header does not say. */
  readonly version: string | undefined;
  /** The compiler looks in this folder without being told. */
  readonly standard: { readonly include: boolean; readonly library: boolean };
}

/** A place that was looked at, and what is missing there. */
export interface IncompleteDevelopmentFiles {
  readonly folder: string;
  readonly missing: 'header' | 'library';
}

/** The outcome of a search for headers and a linkable library. */
export type DevelopmentFilesSearch =
  | { readonly kind: 'found'; readonly files: DevelopmentFiles }
  /** `incomplete` lists places that have one of the two. */
  | { readonly kind: 'none'; readonly incomplete: readonly IncompleteDevelopmentFiles[] };

/** Flags that let the compiler find the header; empty where it looks there anyway, since naming that folder changes its order. */
export function compilerFlags({ includeFolder, standard }: DevelopmentFiles): string {
  return standard.include ? '' : `-I${includeFolder}`;
}

/** Flags that link the library, and let the program find it again outside the loader's folders. */
export function linkerFlags({ libraryFolder, standard }: DevelopmentFiles): string {
  return standard.library ? '-ljemalloc' : `-L${libraryFolder} -Wl,-rpath,${libraryFolder} -ljemalloc`;
}
