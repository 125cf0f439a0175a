import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isSystemError, JemkitError } from '../../errors.js';
import type { LibraryTarget, PreloadableAllocator } from '../../model/allocator.js';
import type { PresentLibrary } from '../../model/install-outcome.js';
import type { InstalledFile } from '../../model/installed-library.js';
import type { PackageManager, PackageManagerName } from '../../model/package-managers.js';
import type { ResolvedProgram } from '../../model/program.js';
import { readLibraryVersion } from '../../sources/elf/library-version.js';
import { readInstallManifest } from '../../sources/process/install-manifest.js';
import {
  developmentFolder,
  installedLibraryPath,
  libraryCacheFolders,
  libraryManifestPath,
  platformName,
} from '../../sources/process/jemkit-folders.js';
import { resolveProgram } from '../../sources/process/resolve-program.js';
import { examineLibrary } from '../library/examine-library.js';
import { findLibrary } from '../library/find-library.js';
import { runCommand } from './run-command.js';

/** This node: what an installed library must fit and is tried in. */
export type InstallTarget = Pick<ResolvedProgram, 'interpreter' | 'unpreloadable'> & { readonly target: LibraryTarget };

/** Reads architecture and C library from this node's own file. */
export function readInstallTarget(): InstallTarget {
  const resolved = resolveProgram(process.execPath, undefined);
  const program = resolved.kind === 'resolved' ? resolved.program : undefined;
  if (!program?.target) {
    throw new JemkitError(
      'ERR_JEM_UNSUPPORTED_PLATFORM',
      `${process.execPath} takes no preloaded library (${program?.unpreloadable ?? resolved.kind}), so none is installed for it`,
      {
        hint: 'run jem with a node that is dynamically linked, as the official builds are',
        details: { platform: process.platform },
      },
    );
  }
  return { interpreter: program.interpreter, unpreloadable: program.unpreloadable, target: program.target };
}

export function sha256Of(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A file's size and checksum under the name it will have. */
export function describeFile(path: string, name: string = basename(path)): InstalledFile {
  const content = readFileSync(path);
  return { path: name, bytes: content.length, sha256: sha256Of(content) };
}

/** jemkit's own copy, and the folder it is in. `damage` says why it is not to be relied on. */
export interface UserCopy {
  readonly cacheFolder: string;
  readonly library: PresentLibrary;
  readonly damage: string | undefined;
}

/** jemkit's own copies for a target, the one that `jem run` takes first. */
export function findUserCopies(
  allocator: PreloadableAllocator,
  target: LibraryTarget,
  environment: NodeJS.ProcessEnv,
): UserCopy[] {
  const platform = platformName(target.architecture, target.libc);
  const copies: UserCopy[] = [];
  for (const cacheFolder of libraryCacheFolders(environment, process.geteuid?.())) {
    const path = installedLibraryPath(cacheFolder, allocator, platform);
    const examined = examineLibrary(path, allocator, target, false);
    if (examined.kind === 'rejected' && examined.reason === 'missing') continue;
    const manifest = readInstallManifest(libraryManifestPath(cacheFolder, allocator, platform));
    const recorded = manifest?.files.find((file) => file.path === basename(path));
    const development = developmentFolder(cacheFolder, allocator, platform);
    copies.push({
      cacheFolder,
      damage:
        examined.kind === 'rejected'
          ? examined.detail
          : !recorded
            ? 'its manifest is missing or damaged'
            : recorded.sha256 !== describeFile(path).sha256
              ? 'it is not the file that was installed'
              : undefined,
      library: {
        allocator,
        path,
        scope: 'user',
        version: manifest?.version,
        manager: manifest?.manager as PackageManagerName | undefined,
        package: manifest?.package,
        packageVersion: manifest?.packageVersion,
        developmentFolder: existsSync(join(development, 'manifest.json')) ? development : undefined,
      },
    });
  }
  return copies;
}

/** The library that the system has, whoever put it there; its package is not asked for. */
export function findSystemLibrary(
  allocator: PreloadableAllocator,
  target: LibraryTarget,
  environment: NodeJS.ProcessEnv,
): PresentLibrary | undefined {
  const { JEMKIT_LIBRARY: _library, ...rest } = environment;
  // A cache folder that does not exist hides jemkit's own copies from the search.
  const search = findLibrary({ allocator, target, environment: { ...rest, JEMKIT_CACHE_DIR: '/proc/self/no-cache' } });
  if (search.kind === 'none') return undefined;
  const { path } = search.library;
  return {
    allocator,
    path,
    scope: 'system',
    version: readLibraryVersion(path, allocator),
    manager: undefined,
    package: undefined,
    packageVersion: undefined,
    developmentFolder: undefined,
  };
}

/** The paths under which a package manager may know a file: as found, without links, and with or without a merged `/usr`. */
function namesOfFile(path: string): string[] {
  let real = path;
  try {
    real = realpathSync(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  const names = [path, real].flatMap((name) =>
    name.startsWith('/usr/') ? [name, name.slice(4)] : [name, `/usr${name}`],
  );
  return [...new Set(names)];
}

/** Asks the package manager which package a library belongs to, and its version. Unchanged where it belongs to none. */
export async function askOwner(
  library: PresentLibrary,
  manager: PackageManager | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<PresentLibrary> {
  if (!manager) return library;
  const owner = await runCommand(manager.owner.query(namesOfFile(library.path)), { environment });
  const name = manager.owner.parse(owner.stdout);
  if (!name) return library;
  return {
    ...library,
    manager: manager.name,
    package: name,
    packageVersion: await askInstalledVersion(name, manager, environment),
  };
}

/** The version of an installed package, or undefined where it is not installed. */
export async function askInstalledVersion(
  name: string,
  manager: PackageManager,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const answer = await runCommand(manager.installed.query(name), { environment });
  return answer.exitCode === 0 ? manager.installed.parse(answer.stdout) : undefined;
}
