import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError, JemkitError } from '../../errors.js';
import type { PreloadableAllocator } from '../../model/allocator.js';
import type { CommandLine } from '../../model/command-line.js';
import type { PresentLibrary } from '../../model/install-outcome.js';
import {
  type PackageDownload,
  type PackageManagerName,
  type PackageNames,
  upstreamVersion,
} from '../../model/package-managers.js';
import {
  developmentFolder,
  installedLibraryPath,
  libraryManifestPath,
  platformName,
} from '../../sources/process/jemkit-folders.js';
import { explainFailure, installFailed } from './explain-failure.js';
import { type DownloadedPackages, downloadPackages, extractPackages, planFetch } from './fetch-packages.js';
import type { InstallProgress } from './install-options.js';
import { makeIncomingFolder, placeDevelopmentTree, placeLibrary, sweepIncoming } from './place-files.js';
import type { InstallTarget } from './present-library.js';
import { interrupted } from './run-command.js';
import { locateLibrary, verifyLibrary } from './verify-library.js';

/** What a new copy in jemkit's cache is made from. */
export interface CopyRequest {
  readonly allocator: PreloadableAllocator;
  readonly target: InstallTarget;
  readonly managerName: PackageManagerName;
  readonly download: PackageDownload;
  readonly names: readonly PackageNames[];
  readonly development: boolean;
  /** False where another copy serves already and only the development files are wanted. */
  readonly withLibrary: boolean;
  readonly newest: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: InstallProgress) => void;
}

const isRoot = () => process.geteuid?.() === 0;

/** The commands that would make a copy in this folder. */
export function planUserCopy(cacheFolder: string, request: CopyRequest): CommandLine[] {
  return planFetch({ ...request, folder: join(cacheFolder, 'libraries', '.incoming'), asRoot: isRoot() });
}

/** What a plan's commands leave out. */
export function planNotes(request: CopyRequest, path: string): string[] {
  const files = Object.entries(request.download.files).map(
    ([name, text]) => `${name} holds: ${text.trim().replaceAll('\n', ' ')}`,
  );
  return [
    "the commands work in a new private folder, .incoming-…; VERSION is the archive's that was downloaded",
    ...files,
    ...(request.download.refresh && !request.newest
      ? ['where the lists are missing or out of date: again with lists of our own']
      : []),
    `then node is started once with the library, and it is renamed to ${path}`,
  ];
}

/** Where the library of a copy in this folder is. */
export function userCopyPath(cacheFolder: string, allocator: PreloadableAllocator, { target }: InstallTarget): string {
  return installedLibraryPath(cacheFolder, allocator, platformName(target.architecture, target.libc));
}

export interface NewCopy {
  readonly library: PresentLibrary;
  readonly commands: readonly CommandLine[];
  readonly notes: readonly string[];
}

/** The errors of files under `use` become an installation that failed, with what was there before untouched. */
export async function withFileErrors<T>(cacheFolder: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (error instanceof JemkitError || !isSystemError(error)) throw error;
    const { kind, hint } = explainFailure(error.code ?? '');
    throw installFailed(`files in ${cacheFolder} cannot be written: ${error.message}`, {
      hint: kind === 'no-space' ? hint : 'choose another folder: JEMKIT_CACHE_DIR=/some/other/folder jem install',
      cause: error,
    });
  }
}

/**
 * Downloads, unpacks, tries and places a copy. Everything happens in a folder of its own until the last renames. The caller holds
 * the folder's lock.
 *
 * @param accept asked once the version is known: false leaves everything as it is.
 */
export async function makeUserCopy(
  cacheFolder: string,
  request: CopyRequest,
  accept: (fetched: DownloadedPackages) => Promise<boolean> = async () => true,
): Promise<NewCopy | undefined> {
  const { allocator, target, environment, signal, onProgress } = request;
  sweepIncoming(cacheFolder);
  const incoming = makeIncomingFolder(cacheFolder);
  try {
    const fetch = { ...request, folder: incoming, asRoot: isRoot() };
    const fetched = await downloadPackages(fetch);
    if (!(await accept(fetched))) return undefined;
    const commands = [...fetched.commands, ...(await extractPackages(fetch, fetched))];
    onProgress({ phase: 'verify', text: `starting node once with the new ${allocator}` });
    const root = join(incoming, 'root');
    const verified = verifyLibrary(locateLibrary(root, allocator, target), target, environment);
    if (signal?.aborted) throw interrupted(signal.reason);

    onProgress({ phase: 'place', text: `putting it into ${cacheFolder}` });
    const version = verified.version ?? upstreamVersion(fetched.version);
    const platform = platformName(target.target.architecture, target.target.libc);
    const manifest = {
      format: 1,
      allocator,
      version,
      manager: request.managerName,
      package: fetched.names.runtime,
      packageVersion: fetched.version,
      source: `${request.managerName}, verified by ${request.download.verifiedBy}`,
      installedAt: new Date().toISOString(),
      archives: fetched.archives,
    } as const;
    const path = installedLibraryPath(cacheFolder, allocator, platform);
    if (request.withLibrary) {
      placeLibrary(
        verified.library.path,
        path,
        libraryManifestPath(cacheFolder, allocator, platform),
        incoming,
        manifest,
      );
    }
    const development = developmentFolder(cacheFolder, allocator, platform);
    if (request.development) placeDevelopmentTree(root, development, incoming, manifest);
    const library: PresentLibrary = {
      allocator,
      path,
      scope: 'user',
      version,
      manager: request.managerName,
      package: fetched.names.runtime,
      packageVersion: fetched.version,
      developmentFolder: existsSync(join(development, 'manifest.json')) ? development : undefined,
    };
    return { library, commands, notes: verified.notes };
  } finally {
    rmSync(incoming, { recursive: true, force: true });
  }
}
