import { JemkitError } from '../../errors.js';
import type { PreloadableAllocator } from '../../model/allocator.js';
import { type CommandLine, renderCommandLine } from '../../model/command-line.js';
import {
  type PackageDownload,
  type PackageManager,
  type PackageNames,
  packagesOf,
  selectPackageManager,
} from '../../model/package-managers.js';
import {
  administratorPath,
  findPackageManagers,
  findProgram,
  readDistribution,
} from '../../sources/process/read-distribution.js';

/** This system's package manager, or undefined where jemkit knows none of it. */
export function findManager(environment: NodeJS.ProcessEnv): PackageManager | undefined {
  return selectPackageManager(readDistribution(), findPackageManagers(administratorPath(environment['PATH'])));
}

/** The package manager, which must offer the allocator. */
export function requireManager(
  allocator: PreloadableAllocator,
  environment: NodeJS.ProcessEnv,
): { readonly manager: PackageManager; readonly names: readonly [PackageNames, ...PackageNames[]] } {
  const manager = findManager(environment);
  const { prettyName, id } = readDistribution();
  const system = prettyName ?? id ?? process.platform;
  if (!manager) {
    throw new JemkitError(
      'ERR_JEM_UNSUPPORTED_PLATFORM',
      `no package manager that jemkit knows is in PATH on ${system}`,
      {
        hint: `install ${allocator} by the system's own means (jem run finds it), or: jem run --library PATH -- command`,
      },
    );
  }
  const [first, ...rest] = manager.packages[allocator];
  if (!first) {
    throw new JemkitError(
      'ERR_JEM_UNSUPPORTED_PLATFORM',
      `${manager.name} on ${system} is not known to offer ${allocator}`,
      {
        hint: `with a library from elsewhere: jem run --library PATH -- command`,
      },
    );
  }
  return { manager, names: [first, ...rest] };
}

/** How the manager gets archives without root, with all the programs that takes. */
export function requireDownload(
  manager: PackageManager,
  names: PackageNames,
  environment: NodeJS.ProcessEnv,
): PackageDownload {
  const { download } = manager;
  const command = asRootCommand(manager, manager.install([names.runtime]));
  const hint = `with root: ${renderCommandLine(command)}`;
  if (!download) {
    throw new JemkitError(
      'ERR_JEM_UNSUPPORTED_PLATFORM',
      `${manager.name} gives an ordinary user no verified way to get a package`,
      {
        hint,
        details: { command },
      },
    );
  }
  const path = administratorPath(environment['PATH']);
  const missing = download.programs.filter((program) => findProgram(program, path) === undefined);
  if (missing.length > 0) {
    throw new JemkitError(
      'ERR_JEM_UNSUPPORTED_PLATFORM',
      `${missing.join(' and ')} not found in PATH: it takes ${download.programs.join(', ')} to get a package without root`,
      {
        hint,
        details: { missing, command },
      },
    );
  }
  return download;
}

/** A command of the manager as this user would type it. */
export function asRootCommand(manager: PackageManager, command: CommandLine): CommandLine {
  return manager.needsRoot && process.geteuid?.() !== 0 ? ['sudo', ...command] : command;
}

/** The refusal to change what is the package manager's, with the command that does. */
export function systemPackageError(message: string, command: CommandLine): JemkitError {
  return new JemkitError('ERR_JEM_SYSTEM_PACKAGE', message, {
    hint: `type: ${renderCommandLine(command)}`,
    details: { command },
  });
}

/** What the manager would be told to do with an allocator's packages. */
export function managerCommand(
  manager: PackageManager,
  verb: 'install' | 'remove' | 'upgrade',
  names: PackageNames,
  development: boolean,
): CommandLine {
  return asRootCommand(manager, manager[verb](packagesOf(names, development)));
}
