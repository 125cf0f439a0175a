import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { PresentLibrary, UninstallOutcome } from '../../model/install-outcome.js';
import type { PackageManager, PackageNames } from '../../model/package-managers.js';
import {
  developmentFolder,
  installedLibraryPath,
  libraryCacheFolders,
  platformName,
} from '../../sources/process/jemkit-folders.js';
import { readMemoryMaps } from '../../sources/procfs/memory-maps.js';
import { checkAllocator } from './install.js';
import { withInstallLock } from './install-lock.js';
import type { InstallBaseOptions } from './install-options.js';
import { makeIncomingFolder, sweepIncoming } from './place-files.js';
import { askOwner, findSystemLibrary, findUserCopies, readInstallTarget } from './present-library.js';
import { findManager, managerCommand, systemPackageError } from './require-manager.js';
import { withFileErrors } from './user-copy.js';

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** Pids of this user's processes (all, for root) that have a file mapped. */
function processesWith(path: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readMemoryMaps(pid).some((mapping) => mapping.path === path);
      } catch (error) {
        if (isSystemError(error)) return false;
        throw error;
      }
    });
}

/**
 * The package of a system library.
 *
 * @param asked the owner was asked for, so that a library without one belongs to no package: somebody built it.
 */
export function systemPackageNames(
  library: PresentLibrary,
  manager: PackageManager | undefined,
  asked: boolean,
): PackageNames | undefined {
  if (library.package) return { runtime: library.package, development: undefined };
  return asked ? undefined : manager?.packages[library.allocator].at(-1);
}

/** The folders of a copy: the library's, the link to its development tree, and every tree an installation made or left there. */
function ownFolders({ library, development }: { readonly library: string; readonly development: string }): string[] {
  const parent = dirname(development);
  const trees = exists(parent)
    ? readdirSync(parent).filter((name) => name.startsWith(`.${basename(development)}-`))
    : [];
  return [dirname(library), development, ...trees.map((name) => join(parent, name))].filter(exists);
}

/** Folders that hold nothing any more. */
function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch (error) {
      // Another allocator or platform is in it.
      if (!isSystemError(error)) throw error;
    }
  }
}

/**
 * Removes jemkit's own copies of an allocator, development files included. What a package manager installed stays: the outcome
 * names the command that removes it.
 *
 * @throws {JemkitError} ERR_JEM_SYSTEM_PACKAGE for `scope: 'system'`, with the command to type; ERR_JEM_INSTALL_BUSY; ERR_JEM_INSTALL_FAILED.
 *
 * @example
 * const outcome = await uninstall();
 * if (outcome.kind === 'removed') console.log(outcome.paths);
 */
export async function uninstall(options: InstallBaseOptions = {}): Promise<UninstallOutcome> {
  const allocator = checkAllocator(options.allocator);
  const environment = options.environment ?? process.env;
  const target = readInstallTarget();
  const platform = platformName(target.target.architecture, target.target.libc);
  const manager = findManager(environment);

  const found =
    options.scope === 'system'
      ? []
      : libraryCacheFolders(environment, process.geteuid?.())
          .map((cacheFolder) => ({
            cacheFolder,
            library: installedLibraryPath(cacheFolder, allocator, platform),
            development: developmentFolder(cacheFolder, allocator, platform),
          }))
          .filter(({ library, development }) => exists(dirname(library)) || exists(development));

  if (found.length === 0) {
    const present = findSystemLibrary(allocator, target.target, environment);
    const system = present && !options.dryRun ? await askOwner(present, manager, environment) : present;
    const names = system && systemPackageNames(system, manager, !options.dryRun);
    const systemCommand = manager && names ? managerCommand(manager, 'remove', names, false) : undefined;
    if (options.scope === 'system' && system && systemCommand) {
      throw systemPackageError(
        `${system.path} belongs to ${system.package ? `the package ${system.package}` : 'the system'}, and only ${manager?.name} may remove it`,
        systemCommand,
      );
    }
    const own = options.scope === 'system' && findUserCopies(allocator, target.target, environment).length > 0;
    const notes = own ? [`jemkit's own copy stays: jem uninstall --allocator ${allocator} removes it`] : [];
    return { kind: 'nothing-to-do', allocator, system, systemCommand, commands: [], notes };
  }

  const paths = found.flatMap(({ library, development }) => [dirname(library), development].filter(exists));
  if (options.dryRun) {
    return {
      kind: 'planned',
      allocator,
      path: found[0]?.library,
      paths,
      commands: [['rm', '-r', ...found.flatMap(ownFolders)]],
      notes: [],
    };
  }
  const usedBy = found.flatMap(({ library }) => processesWith(library));
  for (const { cacheFolder, library, development } of found) {
    await withFileErrors(cacheFolder, () =>
      withInstallLock(cacheFolder, { waitMs: 0, signal: options.signal }, async () => {
        sweepIncoming(cacheFolder);
        // Out of sight in one step each; what a killed run leaves behind is swept by the next installation.
        const aside = makeIncomingFolder(cacheFolder);
        for (const folder of ownFolders({ library, development })) {
          renameSync(folder, join(aside, randomBytes(4).toString('hex')));
        }
        rmSync(aside, { recursive: true, force: true });
        for (const folder of [dirname(dirname(library)), dirname(development)]) removeEmpty([folder, dirname(folder)]);
      }),
    );
  }
  return { kind: 'removed', allocator, paths, usedBy, commands: [], notes: [] };
}
