import { renderCommandLine } from '../model/command-line.js';
import type { InstallOutcome, PresentLibrary, UninstallOutcome, UpdateOutcome } from '../model/install-outcome.js';

/** `jemalloc 5.3.0 (libjemalloc2 5.3.0-1, apt)` */
function nameOf(library: PresentLibrary): string {
  const name = library.version ? `${library.allocator} ${library.version}` : library.allocator;
  if (!library.package) return name;
  return `${name} (${library.package}${library.packageVersion ? ` ${library.packageVersion}` : ''}, ${library.manager})`;
}

function ownerOf(library: PresentLibrary): string {
  if (library.scope === 'user') return "jemkit's own copy";
  return library.package ? `the system's, of package ${library.package}` : "the system's";
}

function developmentLine(library: PresentLibrary): string[] {
  return library.developmentFolder ? [`  headers and tools: ${library.developmentFolder}/usr`] : [];
}

function plan(commands: ReadonlyArray<readonly string[]>): string[] {
  return commands.length === 0 ? ['nothing would run'] : commands.map(renderCommandLine);
}

/** What an installation did, for people; a plan is its commands, to paste. */
export function renderInstallOutcome(outcome: InstallOutcome): string {
  if (outcome.kind === 'planned') return plan(outcome.commands).join('\n');
  const lines =
    outcome.kind === 'installed'
      ? [`${nameOf(outcome)} installed`, `  library: ${outcome.path}`]
      : [
          `${nameOf(outcome)} is there already; nothing was done (--force gets a fresh copy)`,
          `  library: ${outcome.path} (${ownerOf(outcome)})`,
        ];
  return [...lines, ...developmentLine(outcome)].join('\n');
}

/** What an update did, for people. */
export function renderUpdateOutcome(outcome: UpdateOutcome): string {
  if (outcome.kind === 'planned') return plan(outcome.commands).join('\n');
  if (outcome.kind === 'updated') {
    const from = outcome.previousPackageVersion ?? 'an unknown version';
    return [`${nameOf(outcome)} replaces ${from}`, `  library: ${outcome.path}`, ...developmentLine(outcome)].join(
      '\n',
    );
  }
  if (outcome.reason === 'not-installed') return `${outcome.allocator} is not installed, so there is nothing to update`;
  return [`${nameOf(outcome)} is already the newest`, `  library: ${outcome.path}`].join('\n');
}

/** What an uninstallation did, for people. */
export function renderUninstallOutcome(outcome: UninstallOutcome): string {
  if (outcome.kind === 'planned') return plan(outcome.commands).join('\n');
  if (outcome.kind === 'removed') return outcome.paths.map((path) => `removed ${path}`).join('\n');
  const { system, systemCommand, allocator } = outcome;
  if (!system) return `there is no ${allocator} to remove; nothing was done`;
  return [
    `jemkit has no copy of ${allocator}; ${system.path} is ${ownerOf(system)}, and stays`,
    ...(systemCommand ? [`  to remove it: ${renderCommandLine(systemCommand)}`] : []),
  ].join('\n');
}
