import type { PreloadableAllocator } from './allocator.js';
import type { CommandLine } from './command-line.js';
import type { PackageManagerName } from './package-managers.js';

/** An allocator's library that is on this machine, whoever put it there. */
export interface PresentLibrary {
  readonly allocator: PreloadableAllocator;
  readonly path: string;
  /** `user`: jemkit's own copy. `system`: a package manager's, or anybody's. */
  readonly scope: 'user' | 'system';
  /** The allocator's own version; undefined where nothing tells. */
  readonly version: string | undefined;
  readonly manager: PackageManagerName | undefined;
  readonly package: string | undefined;
  readonly packageVersion: string | undefined;
  /** The folder with `usr/include` of jemkit's own development files; undefined where there are none. */
  readonly developmentFolder: string | undefined;
}

/** What would run, or ran: in this order. */
export interface CommandsRun {
  readonly commands: readonly CommandLine[];
  /** What else a person should know: a folder that could not be used, processes that still run what was removed. */
  readonly notes: readonly string[];
}

export interface Planned extends CommandsRun {
  readonly kind: 'planned';
  readonly allocator: PreloadableAllocator;
  /** Where the library would be; undefined where the package manager decides. */
  readonly path: string | undefined;
}

/** What `install()` did, or with `dryRun` would do: `kind`. */
export type InstallOutcome =
  | (PresentLibrary & CommandsRun & { readonly kind: 'installed' | 'already-present' })
  | Planned;

/** What `update()` did, or with `dryRun` would do: `kind`. */
export type UpdateOutcome =
  | (PresentLibrary & CommandsRun & { readonly kind: 'updated'; readonly previousPackageVersion: string | undefined })
  | (PresentLibrary & CommandsRun & { readonly kind: 'nothing-to-do'; readonly reason: 'already-newest' })
  | (CommandsRun & {
      readonly kind: 'nothing-to-do';
      readonly reason: 'not-installed';
      readonly allocator: PreloadableAllocator;
    })
  | Planned;

/** What `uninstall()` did, or with `dryRun` would do: `kind`. */
export type UninstallOutcome =
  | (CommandsRun & {
      readonly kind: 'removed';
      readonly allocator: PreloadableAllocator;
      /** The folders that are gone. */
      readonly paths: readonly string[];
      /** Running processes that have the removed library loaded. */
      readonly usedBy: readonly number[];
    })
  | (CommandsRun & {
      readonly kind: 'nothing-to-do';
      readonly allocator: PreloadableAllocator;
      /** What is there but not jemkit's. */
      readonly system: PresentLibrary | undefined;
      /** How the system's package manager would remove it. */
      readonly systemCommand: CommandLine | undefined;
    })
  | (Planned & { readonly paths: readonly string[] });
