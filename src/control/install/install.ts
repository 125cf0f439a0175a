import { JemkitError } from '../../errors.js';
import { PRELOADABLE_ALLOCATORS, type PreloadableAllocator } from '../../model/allocator.js';
import type { InstallOutcome, PresentLibrary } from '../../model/install-outcome.js';
import { chooseCacheFolder } from './choose-folder.js';
import { withInstallLock } from './install-lock.js';
import type { InstallOptions } from './install-options.js';
import {
  askInstalledVersion,
  askOwner,
  findSystemLibrary,
  findUserCopies,
  type InstallTarget,
  readInstallTarget,
} from './present-library.js';
import { findManager, requireDownload, requireManager } from './require-manager.js';
import { installSystemPackage } from './system-package.js';
import { type CopyRequest, makeUserCopy, planNotes, planUserCopy, userCopyPath, withFileErrors } from './user-copy.js';
import { verifyLibrary } from './verify-library.js';

/** How long `softInstall` waits for another installation: a slow mirror's package lists fit in. */
const SOFT_WAIT_MS = 60_000;

/** The allocator asked for, which must be one that comes as a library. */
export function checkAllocator(allocator: string | undefined): PreloadableAllocator {
  const known = PRELOADABLE_ALLOCATORS.find((name) => name === (allocator ?? 'jemalloc'));
  if (known) return known;
  throw new JemkitError(
    'ERR_JEM_USAGE',
    `unknown allocator '${allocator}' (expected ${PRELOADABLE_ALLOCATORS.join(', ')})`,
    {
      hint: 'jem install --allocator jemalloc',
      details: { received: allocator, expected: PRELOADABLE_ALLOCATORS },
    },
  );
}

interface Situation extends InstallOptions {
  readonly allocator: PreloadableAllocator;
  readonly target: InstallTarget;
  readonly environment: NodeJS.ProcessEnv;
}

function lookAround(options: InstallOptions): Situation {
  return {
    ...options,
    allocator: checkAllocator(options.allocator),
    target: readInstallTarget(),
    environment: options.environment ?? process.env,
  };
}

/** Whether the system has the development files too; a dry run does not ask, because asking is a command. */
async function hasSystemDevelopment(situation: Situation): Promise<boolean> {
  const { allocator, environment, dryRun } = situation;
  const manager = findManager(environment);
  if (!manager || dryRun) return false;
  for (const { development, runtime } of manager.packages[allocator]) {
    if ((await askInstalledVersion(development ?? runtime, manager, environment)) !== undefined) return true;
  }
  return false;
}

async function findPresent(situation: Situation, scope: 'user' | 'system'): Promise<PresentLibrary | undefined> {
  const { allocator, target, environment, development, dryRun } = situation;
  if (scope === 'user') {
    const copy = findUserCopies(allocator, target.target, environment).find(({ damage }) => damage === undefined);
    if (copy && (!development || copy.library.developmentFolder)) return copy.library;
  }
  const system = findSystemLibrary(allocator, target.target, environment);
  if (!system || (development && !(await hasSystemDevelopment(situation)))) return undefined;
  return dryRun ? system : askOwner(system, findManager(environment), environment);
}

async function installForSystem(situation: Situation): Promise<InstallOutcome> {
  const { allocator, target, environment, force, dryRun } = situation;
  const present = force ? undefined : await findPresent(situation, 'system');
  if (present) return { kind: 'already-present', ...present, commands: [], notes: [] };
  const { manager, names } = requireManager(allocator, environment);
  const { commands, notes } = await installSystemPackage({
    ...situation,
    manager,
    names,
    development: situation.development ?? true,
  });
  if (dryRun) return { kind: 'planned', allocator, path: undefined, commands, notes };
  const library = findSystemLibrary(allocator, target.target, environment);
  if (!library) {
    throw new JemkitError(
      'ERR_JEM_INSTALL_FAILED',
      `${manager.name} installed ${names[0].runtime}, but no ${allocator} library for this node is there`,
      {
        hint: 'jem doctor says what was looked at',
        details: { commands },
      },
    );
  }
  const verified = verifyLibrary(
    { ...library, architecture: undefined, libc: undefined, identity: NO_IDENTITY },
    target,
    environment,
  );
  const owned = await askOwner({ ...library, version: verified.version ?? library.version }, manager, environment);
  return { kind: 'installed', ...owned, commands, notes: [...notes, ...verified.notes] };
}

const NO_IDENTITY = { device: 0, inode: 0, mtimeMs: 0, sizeBytes: 0 } as const;

async function installForUser(situation: Situation, waitMs: number): Promise<InstallOutcome> {
  const { allocator, target, environment, force, dryRun, signal } = situation;
  const onProgress = situation.onProgress ?? (() => {});
  const present = force ? undefined : await findPresent(situation, 'user');
  if (present) return { kind: 'already-present', ...present, commands: [], notes: [] };
  const { manager, names } = requireManager(allocator, environment);
  // Homebrew belongs to the user: what it installs is in the user's own prefix, without root.
  if (!manager.needsRoot) return installForSystem(situation);
  const download = requireDownload(manager, names[0], environment);
  const { folder, notes } = chooseCacheFolder(environment, process.geteuid?.(), !dryRun);
  const request: CopyRequest = {
    allocator,
    target,
    managerName: manager.name,
    download,
    names,
    development: situation.development ?? false,
    withLibrary: true,
    newest: false,
    environment,
    signal,
    onProgress,
  };
  if (dryRun) {
    const path = userCopyPath(folder, allocator, target);
    return {
      kind: 'planned',
      allocator,
      path,
      commands: planUserCopy(folder, request),
      notes: [...notes, ...planNotes(request, path)],
    };
  }
  const onWait = (pid: number) =>
    onProgress({ phase: 'wait', text: `waiting for process ${pid}, which is installing` });
  return withFileErrors(folder, () =>
    withInstallLock(folder, { waitMs, signal, onWait }, async () => {
      const meanwhile = force ? undefined : await findPresent(situation, 'user');
      if (meanwhile) return { kind: 'already-present', ...meanwhile, commands: [], notes };
      const served =
        !force &&
        findUserCopies(allocator, target.target, environment).length === 0 &&
        findSystemLibrary(allocator, target.target, environment);
      const copy = await makeUserCopy(folder, { ...request, withLibrary: !served });
      if (!copy) throw new JemkitError('ERR_JEM_INTERNAL', 'an accepted copy was not made');
      const { developmentFolder } = copy.library;
      const library = served ? { ...(await askOwner(served, manager, environment)), developmentFolder } : copy.library;
      return { kind: 'installed', ...library, commands: copy.commands, notes: [...notes, ...copy.notes] };
    }),
  );
}

function installWaiting(options: InstallOptions, waitMs: number): Promise<InstallOutcome> {
  const situation = lookAround(options);
  return options.scope === 'system' ? installForSystem(situation) : installForUser(situation, waitMs);
}

/**
 * Gets an allocator's library, where none is there yet: without root into jemkit's cache, downloaded and verified by the system's
 * package manager and then tried in a real start of this node; or, with `scope: 'system'`, by the package manager itself.
 * Interrupted or failed, it leaves what was there before.
 *
 * @returns what it did: `installed`, `already-present`, or `planned` for a dry run.
 * @throws {JemkitError} ERR_JEM_INSTALL_FAILED, ERR_JEM_INSTALL_BUSY, ERR_JEM_FILE, ERR_JEM_SYSTEM_PACKAGE,
 * ERR_JEM_UNSUPPORTED_PLATFORM, ERR_JEM_USAGE.
 *
 * @example
 * const { kind, path } = await install();
 * console.log(kind, path); // installed /home/me/.cache/jemkit/libraries/jemalloc/x64-glibc/libjemalloc.so.2
 */
export async function install(options: InstallOptions = {}): Promise<InstallOutcome> {
  return installWaiting(options, 0);
}

/**
 * {@link install} that never replaces anything and, where another process is installing, waits up to a minute for it and takes
 * what it brought.
 *
 * @throws {JemkitError} as {@link install}.
 *
 * @example
 * await softInstall({ allocator: 'mimalloc' });
 */
export async function softInstall(options: Omit<InstallOptions, 'force'> = {}): Promise<InstallOutcome> {
  return installWaiting({ ...options, force: false }, SOFT_WAIT_MS);
}

/**
 * {@link install} of a fresh copy, whatever is there already. Running programs keep the one they have loaded.
 *
 * @throws {JemkitError} as {@link install}.
 *
 * @example
 * await forceInstall({ development: true });
 */
export async function forceInstall(options: Omit<InstallOptions, 'force'> = {}): Promise<InstallOutcome> {
  return installWaiting({ ...options, force: true }, 0);
}
