import type { UpdateOutcome } from '../../model/install-outcome.js';
import { checkAllocator } from './install.js';
import { withInstallLock } from './install-lock.js';
import type { InstallBaseOptions } from './install-options.js';
import { askOwner, findSystemLibrary, findUserCopies, readInstallTarget } from './present-library.js';
import { findManager, managerCommand, requireDownload, requireManager, systemPackageError } from './require-manager.js';
import { runCommand } from './run-command.js';
import { systemPackageNames } from './uninstall.js';
import { type CopyRequest, makeUserCopy, planNotes, planUserCopy, withFileErrors } from './user-copy.js';

/**
 * Replaces jemkit's own copy of an allocator by the newest that the package manager offers, if that is newer. The library's path
 * stays the same; running programs keep the one they have loaded until they start again.
 *
 * @throws {JemkitError} ERR_JEM_SYSTEM_PACKAGE, with the command to type, where the library is the package manager's; otherwise as `install`.
 *
 * @example
 * const outcome = await update();
 * if (outcome.kind === 'updated') console.log(outcome.previousPackageVersion, '->', outcome.packageVersion);
 */
export async function update(options: InstallBaseOptions = {}): Promise<UpdateOutcome> {
  const allocator = checkAllocator(options.allocator);
  const environment = options.environment ?? process.env;
  const target = readInstallTarget();
  const copy = options.scope === 'system' ? undefined : findUserCopies(allocator, target.target, environment)[0];
  if (!copy) {
    const system = findSystemLibrary(allocator, target.target, environment);
    if (!system) return { kind: 'nothing-to-do', reason: 'not-installed', allocator, commands: [], notes: [] };
    const manager = findManager(environment);
    const owned = options.dryRun ? system : await askOwner(system, manager, environment);
    const names = systemPackageNames(owned, manager, !options.dryRun);
    throw systemPackageError(
      owned.package
        ? `${system.path} belongs to the package ${owned.package}, which ${owned.manager} alone upgrades`
        : `${system.path} is not jemkit's: it came with the system, which alone upgrades it`,
      manager && names ? managerCommand(manager, 'upgrade', names, false) : ['jem', 'install', '--force'],
    );
  }

  const { manager, names } = requireManager(allocator, environment);
  const request: CopyRequest = {
    allocator,
    target,
    managerName: manager.name,
    download: requireDownload(manager, names[0], environment),
    names,
    development: copy.library.developmentFolder !== undefined,
    withLibrary: true,
    newest: true,
    environment,
    signal: options.signal,
    onProgress: options.onProgress ?? (() => {}),
  };
  const { cacheFolder } = copy;
  if (options.dryRun) {
    const { path } = copy.library;
    return {
      kind: 'planned',
      allocator,
      path,
      commands: planUserCopy(cacheFolder, request),
      notes: planNotes(request, path),
    };
  }
  const installed = copy.library.packageVersion;
  let offered: string | undefined;
  return withFileErrors(cacheFolder, () =>
    withInstallLock(cacheFolder, { waitMs: 0, signal: options.signal }, async () => {
      const made = await makeUserCopy(cacheFolder, request, async ({ version }) => {
        offered = version;
        if (copy.damage !== undefined || installed === undefined) return true;
        if (version === installed) return false;
        const compare = request.download.isNewer?.(version, installed);
        return compare === undefined || (await runCommand(compare, { environment })).exitCode === 0;
      });
      if (!made) {
        const notes = offered === installed ? [] : [`${manager.name} offers ${offered}, which is older`];
        return { kind: 'nothing-to-do', reason: 'already-newest', ...copy.library, commands: [], notes };
      }
      const healed = copy.damage === undefined ? [] : [`the copy that was there is replaced: ${copy.damage}`];
      return {
        kind: 'updated',
        ...made.library,
        previousPackageVersion: installed,
        commands: made.commands,
        notes: [...healed, ...made.notes],
      };
    }),
  );
}
