import type { CommandLine } from '../../model/command-line.js';
import { renderCommandLine } from '../../model/command-line.js';
import type { CommandsRun } from '../../model/install-outcome.js';
import { type PackageManager, type PackageNames, packagesOf } from '../../model/package-managers.js';
import { administratorPath, findProgram } from '../../sources/process/read-distribution.js';
import { explainFailure, installFailed } from './explain-failure.js';
import { systemHasLists } from './fetch-packages.js';
import type { InstallOptions } from './install-options.js';
import { askInstalledVersion } from './present-library.js';
import { asRootCommand, systemPackageError } from './require-manager.js';
import { type CommandResult, commandFailed, runCommand } from './run-command.js';

type SystemRequest = Pick<InstallOptions, 'sudo' | 'interactive' | 'force' | 'dryRun' | 'onProgress'> & {
  readonly manager: PackageManager;
  readonly names: readonly PackageNames[];
  readonly development: boolean;
  readonly environment: NodeJS.ProcessEnv;
};

/** In front of a command: nothing as root, sudo where it was asked for; it asks for a password only where there is a terminal. */
function rootPrefix(request: SystemRequest, names: PackageNames, command: CommandLine): CommandLine {
  if (!request.manager.needsRoot || process.geteuid?.() === 0) return [];
  const typed = asRootCommand(request.manager, command);
  if (!request.sudo) {
    throw systemPackageError(
      `${request.manager.name} needs root to install ${packagesOf(names, request.development).join(' and ')}, and jemkit becomes root only where --sudo says so`,
      typed,
    );
  }
  if (findProgram('sudo', administratorPath(request.environment['PATH'])) === undefined) {
    throw systemPackageError('sudo is not in PATH', asRootCommand(request.manager, command).slice(1));
  }
  return request.interactive ? ['sudo'] : ['sudo', '-n'];
}

async function installCommand(request: SystemRequest, names: PackageNames): Promise<CommandLine> {
  const { manager, environment } = request;
  const packages = packagesOf(names, request.development);
  const fresh =
    request.force && !request.dryRun && (await askInstalledVersion(names.runtime, manager, environment)) !== undefined;
  return fresh ? manager.reinstall(packages) : manager.install(packages);
}

/**
 * Has the package manager install an allocator. Once started it runs to its end: a package manager that is interrupted may
 * leave a package half configured.
 */
export async function installSystemPackage(request: SystemRequest): Promise<CommandsRun> {
  const { manager, environment, interactive } = request;
  const commands: CommandLine[] = [];
  let failed: { readonly command: CommandLine; readonly result: CommandResult } | undefined;
  for (const names of request.names) {
    const install = await installCommand(request, names);
    const prefix = rootPrefix(request, names, install);
    const needsLists = commands.length === 0 && manager.refreshSystem && !systemHasLists(manager.download?.systemLists);
    const steps = [...(needsLists && manager.refreshSystem ? [manager.refreshSystem] : []), install].map((step) => [
      ...prefix,
      ...step,
    ]);
    commands.push(...steps);
    if (request.dryRun) return { commands, notes: [] };
    failed = undefined;
    for (const command of steps) {
      request.onProgress?.({ phase: 'system', text: renderCommandLine(command) });
      const result = await runCommand(command, { environment, interactive });
      if (result.exitCode === 0) continue;
      failed = { command, result };
      break;
    }
    if (!failed) return { commands, notes: [] };
    if (explainFailure(failed.result.output).kind !== 'no-such-package') break;
  }
  if (!failed) throw installFailed(`${manager.name} knows no package to install`);
  const needsPassword = /sudo: .*(password|terminal)/.test(failed.result.output);
  throw commandFailed(
    renderCommandLine(failed.command),
    failed.command,
    failed.result,
    needsPassword
      ? `sudo wants a password and there is no terminal to ask on; type: ${renderCommandLine(['sudo', ...failed.command.slice(2)])}`
      : undefined,
  );
}
